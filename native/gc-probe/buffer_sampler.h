// Which functions allocate ArrayBuffers, and which of these stay: a sample by bytes, where the allocator is asked for their
// memory and gets it back. A small Buffer is a slice of a pool of 8 KiB that Node allocates when the last one is used up: it
// is the pool that is sampled, by the Buffer that made it necessary.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "collections.h"
#include "javascript_stacks.h"
#include "mapped_log.h"
#include "sampling_interval.h"
#include "stack_table.h"

namespace gcspike {

// Outlives its session, as the allocator's functions may be called later.
class BufferSampler {
 public:
  // On the isolate's thread, as all but Allocated and Freed. False, and nothing changed, while another recording has it.
  bool Start(MappedLog* log, StackTable* table, JavaScriptStacks* stacks, const Collections* collections,
             uint64_t interval_bytes);
  void Tick(uint64_t now_ns);
  void Stop();

  // Any thread. Freed comes before the memory can be anybody else's.
  void Allocated(void* block, size_t bytes);
  void Freed(void* block);

 private:
  struct Live {
    uint64_t number;
    uint64_t born_ns;
    uint64_t bytes;
    uint64_t stands_for;
    uint32_t stack;
  };

  static constexpr size_t kFilterSlots = 1 << 16;

  static size_t FilterSlot(const void* block);
  void Sample(void* block, size_t bytes);
  void WriteDeaths();

  std::atomic<bool> on_{false};
  const void* thread_ = nullptr;
  MappedLog* log_ = nullptr;
  StackTable* table_ = nullptr;
  JavaScriptStacks* stacks_ = nullptr;
  const Collections* collections_ = nullptr;
  SamplingInterval interval_;
  uint64_t countdown_ = 0;
  uint64_t count_ = 0;
  // How many sampled blocks have this hash: a block of another one is freed without a lock.
  std::atomic<uint16_t> filter_[kFilterSlots] = {};
  // The rest is the mutex's.
  std::mutex mutex_;
  std::unordered_map<const void*, Live> live_;
  std::vector<SampleRecord> dead_;
};

}  // namespace gcspike
