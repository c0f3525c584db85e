#include "session.h"

#include <pthread.h>

#include <algorithm>

#include "background_thread.h"
#include "clock.h"

namespace gcspike {

SessionResult Session::Start(v8::Isolate* isolate, const SessionOptions& options) {
  // Deleted by OnLoopReleased, in workers.
  auto* session = new Session(isolate, options);
  return session->StartCollectors();
}

Session::Session(v8::Isolate* isolate, const SessionOptions& options)
    : isolate_(isolate), options_(options), array_buffers_(new ArrayBufferMeter) {
#ifdef __linux__
  has_thread_clock_ = pthread_getcpuclockid(pthread_self(), &thread_clock_) == 0;
#endif
}

bool Session::OpenLog(MappedLog* log, const char* suffix, LogKind kind, size_t record_bytes, uint64_t ahead,
                      uint64_t limit) {
  return log->Open(options_.folder + "/" + options_.isolate_id + suffix,
                   {kind, static_cast<uint32_t>(record_bytes), options_.thread_id, ahead, limit});
}

SessionResult Session::StartCollectors() {
  SessionResult result = {};
  const size_t spaces = std::min(isolate_->NumberOfHeapSpaces(), kMaxSpaces);
  result.gc = OpenLog(&gc_log_, ".gc", LogKind::kGc, GcRecordBytes(spaces), 512 << 10, 2ull << 30);
  if (!result.gc) return result;
  OpenLog(&heap_log_, ".heap", LogKind::kHeap, HeapRecordBytes(spaces), 64 << 10, 256 << 20);
  OpenLog(&loop_log_, ".loop", LogKind::kLoop, sizeof(LoopRecord), 16 << 10, 64 << 20);
  result.array_buffers = array_buffers_->Install(isolate_, options_.array_buffer_bytes);
  if (OpenLog(&functions_log_, ".functions", LogKind::kFunctions, 0, 256 << 10, 64 << 20)) {
    result.trigger_stacks = stacks_.Start(isolate_, &functions_log_, options_.caller);
  }
  collections_.Start(isolate_, &gc_log_, array_buffers_, &stacks_);
  heap_.Start(isolate_, &heap_log_, array_buffers_);
  heap_.Take();
  if (options_.phases && OpenLog(&phases_log_, ".phases", LogKind::kPhases, sizeof(PhaseRecord), 1 << 20, 2ull << 30)) {
    result.phases = spans_.Start(&phases_log_);
    if (!result.phases) phases_log_.Discard();
  }
  if (options_.allocations && OpenLog(&alloc_log_, ".alloc", LogKind::kAlloc, 0, 4 << 20, 2ull << 30)) {
    result.allocations = allocations_on_ =
        allocations_.Start(isolate_, &alloc_log_, options_.allocation_interval_bytes);
    if (!result.allocations) alloc_log_.Discard();
  }
  loop_watch_.Start(node::GetCurrentEventLoop(isolate_));
  cleanup_ = node::AddEnvironmentCleanupHook(isolate_, OnEnvironmentEnd, this);
  // process.exit() runs no cleanup hooks. In a worker it does, and the session is gone when these callbacks run.
  if (options_.thread_id == 0) {
    node::AtExit(node::GetCurrentEnvironment(isolate_->GetCurrentContext()), OnProcessExit, this);
  }
  StartBackgroundThread(options_.folder);
  Watch(this);
  return result;
}

void Session::Tick() {
  for (MappedLog* log : logs()) log->MakeRoom();
  SampleLoop();
  // Answered when JavaScript next runs; until then the heap stays as it is.
  if (!interrupt_pending_.exchange(true)) isolate_->RequestInterrupt(OnInterrupt, this);
}

void Session::SampleLoop() {
  auto* record = static_cast<LoopRecord*>(loop_log_.Reserve(sizeof(LoopRecord)));
  if (record == nullptr) return;
  *record = {NowNs(), loop_watch_.IdleNs(), loop_watch_.TakeMaxBusyNs(),
             has_thread_clock_ ? ReadClock(thread_clock_) : 0};
  loop_log_.Commit(sizeof(LoopRecord));
}

void Session::OnInterrupt(v8::Isolate*, void* data) {
  auto* self = static_cast<Session*>(data);
  self->interrupt_pending_ = false;
  if (!self->sampling_) return;
  self->heap_.Take();
  if (self->allocations_on_ && NowNs() - self->allocations_.window_start_ns() >= self->options_.allocation_window_ns) {
    self->allocations_.Cut();
  }
}

void Session::FinishSampling() {
  if (!sampling_) return;
  sampling_ = false;
  Unwatch(this);
  heap_.Take();
  if (allocations_on_) allocations_.Stop();
}

void Session::OnProcessExit(void* self) { static_cast<Session*>(self)->FinishSampling(); }

// The last callback on the loop: nothing of this session is called afterwards, if it is a worker's. A process's main
// thread goes on recording until there is no process, because V8 may still collect while it takes the isolate down.
void Session::OnLoopReleased(void* data) {
  auto* self = static_cast<Session*>(data);
  const auto done = self->environment_done_;
  void* const argument = self->environment_done_argument_;
  if (self->options_.thread_id != 0) {
    self->collections_.Stop();
    self->spans_.Stop();
    for (MappedLog* log : self->logs()) log->Close();
    self->cleanup_.release();
    delete self;
  }
  done(argument);
}

void Session::OnEnvironmentEnd(void* data, void (*done)(void*), void* argument) {
  auto* self = static_cast<Session*>(data);
  self->FinishSampling();
  self->environment_done_ = done;
  self->environment_done_argument_ = argument;
  self->loop_watch_.Stop(OnLoopReleased, self);
}

}  // namespace gcspike
