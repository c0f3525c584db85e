#include "loop_watch.h"

#include "clock.h"

namespace gcspike {

void LoopWatch::Start(uv_loop_t* loop) {
  loop_ = loop;
  polled_at_ns_ = NowNs();
  idle_then_ns_ = IdleNs();
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

// libuv calls I/O callbacks inside its poll phase, so that a "check" callback would not tell waiting from working:
// what is not idle between two prepares is work.
void LoopWatch::OnPrepare(uv_prepare_t* handle) {
  auto* self = static_cast<LoopWatch*>(handle->data);
  const uint64_t now = NowNs();
  const uint64_t idle = self->IdleNs();
  const uint64_t elapsed = now - self->polled_at_ns_.load(std::memory_order_relaxed);
  const uint64_t waited = idle - self->idle_then_ns_.load(std::memory_order_relaxed);
  const uint64_t busy = elapsed > waited ? elapsed - waited : 0;
  if (busy > self->max_busy_ns_.load(std::memory_order_relaxed)) {
    self->max_busy_ns_.store(busy, std::memory_order_relaxed);
  }
  self->idle_then_ns_.store(idle, std::memory_order_relaxed);
  self->polled_at_ns_.store(now, std::memory_order_relaxed);
}

uint64_t LoopWatch::TakeMaxBusyNs() {
  const uint64_t finished = max_busy_ns_.exchange(0, std::memory_order_relaxed);
  const uint64_t polled_at = polled_at_ns_.load(std::memory_order_relaxed);
  const uint64_t waited = IdleNs() - idle_then_ns_.load(std::memory_order_relaxed);
  const uint64_t elapsed = NowNs() - polled_at;
  const uint64_t lasting = elapsed > waited ? elapsed - waited : 0;
  return finished > lasting ? finished : lasting;
}

}  // namespace gcspike
