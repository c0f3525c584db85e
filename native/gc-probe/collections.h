// GC prologue and epilogue callbacks -> one GcRecord a pause. Nothing in them allocates, locks or touches the heap.
#pragma once

#include <v8.h>

#include <atomic>
#include <cstdint>

#include "mapped_log.h"
#include "javascript_stacks.h"

namespace gcspike {

class ArrayBufferMeter;

class Collections {
 public:
  // On the isolate's thread. The isolate's heap spaces are named in the log's header.
  void Start(v8::Isolate* isolate, MappedLog* log, const ArrayBufferMeter* meter, JavaScriptStacks* stacks);
  void Stop();

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

  static void OnPrologue(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* self);
  static void OnEpilogue(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* self);
  void Begin(v8::GCType type, v8::GCCallbackFlags flags);
  void End();
  Usage ReadUsage() const;
  GcSpace* SpacesOf(GcRecord* record) const { return reinterpret_cast<GcSpace*>(record + 1); }
  GcProcess* ProcessOf(GcRecord* record) const { return reinterpret_cast<GcProcess*>(SpacesOf(record) + space_count_); }

  v8::Isolate* isolate_ = nullptr;
  MappedLog* log_ = nullptr;
  const ArrayBufferMeter* meter_ = nullptr;
  JavaScriptStacks* stacks_ = nullptr;
  int schedstat_fd_ = -1;
  size_t space_count_ = 0;
  size_t record_bytes_ = 0;
  int depth_ = 0;
  std::atomic<uint64_t> last_start_ns_{0};
  uint64_t code_epoch_ = 1;
  GcRecord* open_ = nullptr;
  Usage before_ = {};
};

// Bytes of one record in a process with this many heap spaces.
inline size_t GcRecordBytes(size_t spaces) {
  return sizeof(GcRecord) + spaces * sizeof(GcSpace) + sizeof(GcProcess);
}

}  // namespace gcspike
