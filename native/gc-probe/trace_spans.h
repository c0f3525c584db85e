// V8's own trace events of its collector, taken where V8 hands them to Node's tracing controller: reasons, phases,
// and the incremental steps that no GC callback reports. Nothing is formatted or buffered on the way: one 32-byte
// record a span, in a mapped file, so that a killed process keeps them. A program's own tracing goes on as before.
#pragma once

#include <cstdint>

#include "mapped_log.h"

namespace gcspike {

// The spans of one isolate's thread.
class TraceSpans {
 public:
  // Starts recording the calling thread's spans into `log`. False, and nothing changed, where the process's tracing
  // controller is not Node's own.
  bool Start(MappedLog* log);
  // Stops recording the calling thread's spans.
  void Stop();

  void Begin(const char* name, const char* reason, uint64_t original_handle);
  // Ends the innermost span with this name; the handle that Begin was given.
  void EndNamed(const char* name, uint64_t used_after);
  // Ends the span at this depth.
  uint64_t EndAt(uint32_t depth);
  uint32_t depth() const { return depth_; }

 private:
  struct Open {
    uint64_t start_ns;
    const char* name;
    const char* reason;
    uint64_t original_handle;
  };
  struct Interned {
    const char* text;
    int index;
  };
  static constexpr uint32_t kMaxDepth = 64;
  static constexpr uint32_t kTableSize = 1024;

  void Write(const Open& span, uint32_t depth, uint64_t end_ns, uint64_t used_after);
  int Intern(const char* text);

  MappedLog* log_ = nullptr;
  uint32_t depth_ = 0;
  Open open_[kMaxDepth];
  Interned table_[kTableSize] = {};
};

}  // namespace gcspike
