// GC prologue and epilogue callbacks -> one GcRecord a pause. Nothing in them allocates, locks or touches the heap.
//
// One an isolate: each pause is measured once and written into the log of each recording. Measured by each of them, a pause would
// have the others' callbacks in it.
#pragma once

#include <v8.h>

#include <atomic>
#include <cstdint>

#include "few.h"
#include "javascript_stacks.h"
#include "mapped_log.h"

namespace gcspike {

class ArrayBufferMeter;

// Bytes of one record in a process with this many heap spaces.
constexpr size_t GcRecordBytes(size_t spaces) {
  return sizeof(GcRecord) + spaces * sizeof(GcSpace) + sizeof(GcProcess);
}

class Collections {
 public:
  // On the isolate's thread, which all recordings of an isolate share: pauses are written into `log` from now on, each with the
  // functions that `stacks` finds. The isolate's heap spaces are named in the log's header.
  static Collections* Join(v8::Isolate* isolate, MappedLog* log, const ArrayBufferMeter* meter, JavaScriptStacks* stacks);
  // On the isolate's thread, between collections: nothing more is written into `log`. Gone with the last log.
  void Leave(const MappedLog* log);

  // Between a prologue and its epilogue. On the isolate's thread.
  bool is_collecting() const { return depth_ > 0; }
  // Start of the collection that runs or, between two, of the last one; ns. Any thread.
  uint64_t last_start_ns() const { return last_start_ns_.load(std::memory_order_relaxed); }
  // Another number where code may have moved or gone: only collections of the old generation do that.
  uint64_t code_epoch() const { return code_epoch_; }

 private:
  struct Usage {
    uint64_t cpu_ns;
    uint64_t run_queue_ns;
    uint32_t minor_faults;
    uint32_t major_faults;
    uint32_t voluntary_switches;
    uint32_t involuntary_switches;
    GcProcess process;
  };

  struct Writer {
    MappedLog* log;
    JavaScriptStacks* stacks;
    GcRecord* open;  // the record of the pause that goes on; null where its log had no room
  };

  Collections(v8::Isolate* isolate, const ArrayBufferMeter* meter);
  static void OnPrologue(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* self);
  static void OnEpilogue(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* self);
  void Begin(v8::GCType type, v8::GCCallbackFlags flags);
  void End();
  void Open(Writer* writer) const;
  void CopyTo(GcRecord* record) const;
  Usage ReadUsage() const;
  GcRecord* record() { return reinterpret_cast<GcRecord*>(record_); }
  const GcRecord* record() const { return reinterpret_cast<const GcRecord*>(record_); }
  GcSpace* spaces() { return reinterpret_cast<GcSpace*>(record() + 1); }
  GcProcess* process() { return reinterpret_cast<GcProcess*>(spaces() + space_count_); }

  v8::Isolate* const isolate_;
  const ArrayBufferMeter* const meter_;
  const int schedstat_fd_;
  const size_t space_count_;
  const size_t record_bytes_;
  Few<Writer> writers_;
  int depth_ = 0;
  std::atomic<uint64_t> last_start_ns_{0};
  uint64_t code_epoch_ = 1;
  Usage before_ = {};
  // The pause that goes on, without a stack.
  alignas(GcRecord) char record_[GcRecordBytes(kMaxSpaces)];
};

}  // namespace gcspike
