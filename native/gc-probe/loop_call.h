// A call on the event loop's thread that any thread may ask for: it also wakes a loop that waits.
#pragma once

#include <uv.h>

namespace gcspike {

class LoopCall {
 public:
  // On the loop's thread. The handle is unreferenced: it keeps no program alive.
  void Start(uv_loop_t* loop, void (*call)(void*), void* argument);
  // Any thread, while started. Several requests may become one call.
  void Request() { uv_async_send(&async_); }
  // On the loop's thread; `done` is called later, when the loop has let go of the handle.
  void Stop(void (*done)(void*), void* argument);

 private:
  uv_async_t async_ = {};
  void (*call_)(void*) = nullptr;
  void* argument_ = nullptr;
  void (*done_)(void*) = nullptr;
  void* done_argument_ = nullptr;
};

}  // namespace gcspike
