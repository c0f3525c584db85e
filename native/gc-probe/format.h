// The recording format, as src/recording/spec.ts describes it byte by byte. Change both together.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gcspike {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr size_t kHeaderBytes = 4096;
inline constexpr size_t kPhasesHeaderBytes = 16384;
inline constexpr size_t kHeaderStringsOffset = 128;
inline constexpr size_t kHeaderStringBytes = 64;

enum class LogKind : uint32_t {
  kGc = 1,
  kHeap = 2,
  kPhases = 3,
  kFunctions = 4,
  kAlloc = 5,
  kProcess = 6,
  kLoop = 7,
  kStacks = 8,
  kSamples = 9,
  kBuffers = 10,
  kTags = 11,  // the agent encodes its records (src/recording/tag-records.ts)
};

enum DropReason : uint32_t { kDiskFull = 1, kSizeLimit = 2, kTooFast = 4 };

struct LogHeader {
  char magic[8];
  uint32_t version;
  uint32_t kind;
  uint32_t record_bytes;
  uint32_t header_bytes;
  uint64_t committed_bytes;
  uint64_t dropped_records;
  uint32_t drop_reasons;
  uint32_t string_count;
  uint32_t pid;
  uint32_t thread_id;
  uint64_t start_ns;
  uint64_t first_bytes;  // of a ring, written by the recorder: what is before that is forgotten
  uint64_t ring_bytes;   // 0: no ring
};
static_assert(sizeof(LogHeader) == 80);

enum GcPresent : uint32_t {
  kPresentCpu = 1,
  kPresentFaultsAndSwitches = 2,
  kPresentRunQueue = 4,
  kPresentHeap = 8,
  kPresentStack = 16,
  kPresentSpaces = 32,
  kPresentArrayBuffers = 64,
  kPresentProcess = 128,
};

inline constexpr size_t kStackFrames = 16;
inline constexpr size_t kSpaceUnit = 8;
inline constexpr size_t kMaxSpaces = 24;

struct GcRecord {
  uint32_t kind;
  uint32_t nested_kinds;
  uint32_t flags;
  uint32_t present;
  uint64_t start_ns;
  uint64_t end_ns;
  uint64_t cpu_ns;
  uint64_t run_queue_ns;
  uint32_t minor_faults;
  uint32_t major_faults;
  uint32_t voluntary_switches;
  uint32_t involuntary_switches;
  uint64_t used_before;
  uint64_t used_after;
  uint64_t committed_before;
  uint64_t committed_after;
  uint64_t external_before;
  uint64_t external_after;
  uint64_t malloced_before;
  uint64_t malloced_after;
  uint64_t heap_limit;
  uint64_t array_buffer_bytes;
  uint32_t probe_ns;
  uint32_t nested_count;
  uint32_t frame_count;
  uint32_t reserved;
  uint64_t stack[kStackFrames];
};
static_assert(sizeof(GcRecord) == 288);

// Follows the GcRecord once a heap space; sizes are counts of kSpaceUnit bytes.
struct GcSpace {
  uint32_t used_before;
  uint32_t used_after;
  uint32_t committed_before;
  uint32_t committed_after;
};

// Follows the spaces: all threads of the process together, while the pause lasted, and the isolate's thread in the kernel.
struct GcProcess {
  uint64_t cpu_ns;
  uint32_t minor_faults;
  uint32_t major_faults;
  uint64_t kernel_ns;
  uint64_t thread_kernel_ns;
};
static_assert(sizeof(GcProcess) == 32);

struct HeapRecord {
  uint64_t time_ns;
  uint64_t used;
  uint64_t committed;
  uint64_t limit;
  uint64_t external;
  uint64_t malloced;
  uint64_t array_buffers;
  uint64_t reserved;
};
static_assert(sizeof(HeapRecord) == 64);

struct HeapSpace {
  uint32_t used;
  uint32_t committed;
};

struct LoopRecord {
  uint64_t time_ns;
  uint64_t idle_ns;
  uint64_t max_busy_ns;
  uint64_t cpu_ns;
};
static_assert(sizeof(LoopRecord) == 32);

struct ProcessRecord {
  uint64_t time_ns;
  uint64_t rss;
  uint64_t cpu_ns;
  uint64_t minor_faults;
  uint64_t major_faults;
  uint64_t involuntary_switches;
};
static_assert(sizeof(ProcessRecord) == 48);

struct PhaseRecord {
  uint64_t start_ns;
  uint64_t duration_ns;
  uint16_t name;
  uint16_t reason;  // 1 + index, 0: none
  uint8_t depth;
  uint8_t reserved[3];
  uint64_t used_after;
};
static_assert(sizeof(PhaseRecord) == 32);

inline constexpr uint32_t kNoPosition = UINT32_MAX;

// Followed by the name and the script.
struct FunctionRecord {
  uint32_t bytes;
  uint16_t name_bytes;
  uint16_t script_bytes;
  uint32_t position;
  uint32_t reserved;
};
static_assert(sizeof(FunctionRecord) == 16);

// In a stack, the number of a function that the optimiser had put into its caller has this bit.
inline constexpr uint32_t kInlined = uint32_t{1} << 31;

// Followed by the numbers of the functions, 4 bytes each, innermost first.
struct StackRecord {
  uint32_t bytes;
  uint32_t frame_count;
};
static_assert(sizeof(StackRecord) == 8);

enum SampleType : uint32_t { kBirth = 1, kDeath = 2, kYielded = 3 };

struct SampleRecord {
  uint32_t type;
  uint32_t stack;  // 1 + the index of a record in .stacks, 0: no JavaScript
  uint64_t time_ns;
  uint64_t number;
  uint64_t bytes;
  uint64_t stands_for;
};
static_assert(sizeof(SampleRecord) == 40);

struct AllocString {
  uint32_t bytes;
  uint16_t type;  // 1
  uint16_t length;
};
static_assert(sizeof(AllocString) == 8);

enum AllocWindowFlag : uint16_t { kWindowTruncated = 1, kWindowYielded = 2 };

struct AllocWindow {
  uint32_t bytes;
  uint16_t type;  // 2
  uint16_t flags;
  uint64_t start_ns;
  uint64_t end_ns;
  uint64_t interval;
  uint32_t node_count;
  uint32_t entry_count;
};
static_assert(sizeof(AllocWindow) == 40);

struct AllocNode {
  uint32_t parent;  // 1 + index, 0: root
  uint32_t function;
  uint32_t script;
  uint32_t line;
  uint32_t column;
  uint32_t script_id;
};
static_assert(sizeof(AllocNode) == 24);

struct AllocEntry {
  uint32_t node;
  uint32_t count;
  uint64_t bytes;
};
static_assert(sizeof(AllocEntry) == 16);

}  // namespace gcspike
