// How long the event loop stays away from polling: the delay that an event can meet.
#pragma once

#include <uv.h>

#include <atomic>
#include <cstdint>

namespace gcspike {

class LoopWatch {
 public:
  // On the loop's thread. The handle is unreferenced: it keeps no program alive.
  void Start(uv_loop_t* loop);
  // On the loop's thread; `done` is called, maybe later, when the loop has let go of the handle.
  void Stop(void (*done)(void*), void* argument);

  // Any thread, while started.
  uint64_t IdleNs() const { return uv_metrics_idle_time(loop_); }
  // Longest stretch without polling since the last call; one that still lasts counts up to now.
  uint64_t TakeMaxBusyNs();

 private:
  static void OnPrepare(uv_prepare_t* handle);
  uint64_t WorkedNs() const;

  uv_loop_t* loop_ = nullptr;
  uv_prepare_t prepare_ = {};
  // How long the loop had worked when it was about to poll last: time less idle time.
  std::atomic<uint64_t> worked_ns_{0};
  std::atomic<uint64_t> max_busy_ns_{0};
  void (*done_)(void*) = nullptr;
  void* done_argument_ = nullptr;
};

}  // namespace gcspike
