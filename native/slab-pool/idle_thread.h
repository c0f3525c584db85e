// Is the event loop of a thread waiting for events?
//
// Node-API has no callbacks for collections, and a PerformanceObserver hears of one when it is over. But a loop that stands in
// the kernel's wait for events runs neither JavaScript nor a collection of its isolate: both happen on that thread. The kernel
// tells in which call a thread waits, so this needs nothing of the program and holds for any loop.
#pragma once

#ifdef __APPLE__
#include <mach/mach.h>
#else
#include <sys/types.h>
#endif

namespace gcspike {

class LoopThread {
 public:
  // The thread that calls.
  static LoopThread Current();

  // True where the thread waits for events now. False where it runs, is about to run or waits for anything else (a helper of a
  // collection, a lock), and where it has ended.
  bool IsWaitingForEvents() const;

 private:
#ifdef __APPLE__
  thread_t thread_;
#else
  pid_t id_;
#endif
};

}  // namespace gcspike
