#include "loop_watch.h"

#include <algorithm>

#include "clock.h"

namespace gcspike {

void LoopWatch::Start(uv_loop_t* loop) {
  loop_ = loop;
  worked_ns_ = WorkedNs();
  uv_prepare_init(loop, &prepare_);
  prepare_.data = this;
  uv_prepare_start(&prepare_, OnPrepare);
  uv_unref(reinterpret_cast<uv_handle_t*>(&prepare_));
}

void LoopWatch::Stop(void (*done)(void*), void* argument) {
  done_ = done;
  done_argument_ = argument;
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), [](uv_handle_t* handle) {
    auto* self = static_cast<LoopWatch*>(handle->data);
    self->done_(self->done_argument_);
  });
}

// Idle time is read behind the time: what passes in between makes the work less, never more.
uint64_t LoopWatch::WorkedNs() const {
  const uint64_t now = NowNs();
  return now - IdleNs();
}

// libuv calls I/O callbacks inside its poll phase, so that a "check" callback would not tell waiting from working:
// what is not idle between two prepares is work.
void LoopWatch::OnPrepare(uv_prepare_t* handle) {
  auto* self = static_cast<LoopWatch*>(handle->data);
  const uint64_t worked = self->WorkedNs();
  const uint64_t before = self->worked_ns_.exchange(worked, std::memory_order_relaxed);
  const uint64_t busy = worked > before ? worked - before : 0;
  if (busy > self->max_busy_ns_.load(std::memory_order_relaxed)) {
    self->max_busy_ns_.store(busy, std::memory_order_relaxed);
  }
}

uint64_t LoopWatch::TakeMaxBusyNs() {
  const uint64_t finished = max_busy_ns_.exchange(0, std::memory_order_relaxed);
  const uint64_t worked = WorkedNs();
  const uint64_t before = worked_ns_.load(std::memory_order_relaxed);
  return std::max(finished, worked > before ? worked - before : 0);
}

}  // namespace gcspike
