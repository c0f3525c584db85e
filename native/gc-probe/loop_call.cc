#include "loop_call.h"

namespace gcspike {

void LoopCall::Start(uv_loop_t* loop, void (*call)(void*), void* argument) {
  call_ = call;
  argument_ = argument;
  async_.data = this;
  uv_async_init(loop, &async_, [](uv_async_t* handle) {
    auto* self = static_cast<LoopCall*>(handle->data);
    self->call_(self->argument_);
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(&async_));
}

void LoopCall::Stop(void (*done)(void*), void* argument) {
  done_ = done;
  done_argument_ = argument;
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* handle) {
    auto* self = static_cast<LoopCall*>(handle->data);
    self->done_(self->done_argument_);
  });
}

}  // namespace gcspike
