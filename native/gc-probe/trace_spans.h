// V8's own trace events of its collector, taken where V8 hands them to Node's tracing controller: reasons, phases,
// and the incremental steps that no GC callback reports. Nothing is formatted or buffered on the way: one 32-byte
// record a span, in a mapped file, so that a killed process keeps them. A program's own tracing goes on as before.
#pragma once

#include <cstdint>

#include "mapped_log.h"

namespace gcspike {

// Whether the process's tracing controller is Node's own: nothing can be heard of another one's.
bool CanListenToThreads();
// WorkerReach hears of every thread's events, until it has stopped listening as often as it began.
void ListenToThreads();
void StopListening();

struct Span {
  uint64_t start_ns;
  const char* name;
  const char* reason;
  uint64_t original_handle;
};

// The spans of one isolate's thread, as one recording has them.
class TraceSpans {
 public:
  // Starts recording the calling thread's spans into `log`, also where others do already. False, and nothing changed, where the
  // process's tracing controller is not Node's own.
  bool Start(MappedLog* log);
  // Stops recording the calling thread's spans.
  void Stop();

  // A span that began before Start is left out.
  void Write(const Span& span, uint32_t depth, uint64_t end_ns, uint64_t used_after);

 private:
  struct Interned {
    const char* text;
    int index;
  };
  static constexpr uint32_t kTableSize = 1024;

  int Intern(const char* text);

  MappedLog* log_ = nullptr;
  uint64_t since_ns_ = 0;
  Interned table_[kTableSize] = {};
};

}  // namespace gcspike
