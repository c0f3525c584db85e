#include "session.h"

#include <pthread.h>

#include <algorithm>

#include "background_thread.h"
#include "clock.h"

namespace gcspike {
namespace {

thread_local Session* this_thread = nullptr;

}  // namespace

SessionResult Session::Start(v8::Isolate* isolate, const SessionOptions& options) {
  std::shared_ptr<Session> session(new Session(isolate, options));
  session->self_ = session;  // until OnLoopReleased, in workers
  const SessionResult result = session->StartCollectors();
  if (result.gc) this_thread = session.get();
  else session->self_.reset();
  return result;
}

Session* Session::OfThisThread() { return this_thread; }

std::shared_ptr<Session> Session::OfThread(uint32_t thread_id) {
  for (const auto& session : WatchedSessions()) {
    if (session->thread_id() == thread_id) return session;
  }
  return nullptr;
}

Session::Session(v8::Isolate* isolate, const SessionOptions& options)
    : isolate_(isolate),
      environment_(node::GetCurrentEnvironment(isolate->GetCurrentContext())),
      options_(options),
      array_buffers_(new ArrayBufferMeter) {
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
  if (OpenLog(&functions_log_, ".functions", LogKind::kFunctions, 0, 128 << 10, 64 << 20)) {
    result.trigger_stacks = stacks_.Start(isolate_, &functions_log_, options_.caller);
  }
  collections_.Start(isolate_, &gc_log_, array_buffers_, &stacks_);
  heap_.Start(isolate_, &heap_log_, array_buffers_);
  heap_.Take();
  if (options_.phases && OpenLog(&phases_log_, ".phases", LogKind::kPhases, sizeof(PhaseRecord), 512 << 10, 2ull << 30)) {
    result.phases = spans_.Start(&phases_log_);
    if (!result.phases) phases_log_.Discard();
  }
  if (options_.allocations) StartAllocations(&result);
  result.tags = OpenLog(&tags_log_, ".tags", LogKind::kTags, 0, 0, 128 << 20);
  loop_watch_.Start(node::GetCurrentEventLoop(isolate_));
  cleanup_ = node::AddEnvironmentCleanupHook(isolate_, OnEnvironmentEnd, this);
  // process.exit() runs no cleanup hooks. In a worker it does, and the session is gone when these callbacks run.
  if (options_.thread_id == 0) {
    node::AtExit(environment_, OnProcessExit, this);
  }
  StartBackgroundThread(options_.folder);
  Watch(self_);
  return result;
}

// Our own sampler, or V8's where that is not possible.
void Session::StartAllocations(SessionResult* result) {
  constexpr uint64_t kLimit = 2ull << 30;
  if (OpenLog(&stacks_log_, ".stacks", LogKind::kStacks, 0, 256 << 10, kLimit) &&
      OpenLog(&samples_log_, ".samples", LogKind::kSamples, sizeof(SampleRecord), 256 << 10, kLimit)) {
    stack_table_.Open(&stacks_log_);
    result->sampler = heap_sampler_.Start(isolate_, &samples_log_, &stack_table_, &stacks_, &collections_,
                                          options_.allocation_interval_bytes);
    result->allocations = result->sampler != Sampler::kNone;
  }
  if (result->allocations) {
    if (result->array_buffers &&
        OpenLog(&buffers_log_, ".buffers", LogKind::kBuffers, sizeof(SampleRecord), 128 << 10, kLimit)) {
      array_buffers_->sampler().Start(&buffers_log_, &stack_table_, &stacks_, &collections_,
                                      options_.allocation_interval_bytes);
    }
    return;
  }
  stacks_log_.Discard();
  samples_log_.Discard();
  if (!OpenLog(&alloc_log_, ".alloc", LogKind::kAlloc, 0, 0, kLimit)) return;
  result->allocations = allocations_.Start(isolate_, &alloc_log_, options_.allocation_interval_bytes);
  if (!result->allocations) alloc_log_.Discard();
}

void Session::Tick() {
  LoopRecord loop;
  bool alive;
  {
    std::lock_guard<std::mutex> guard(isolate_mutex_);
    alive = alive_;
    if (alive) {
      loop = SampleLoop();
      RequestSample();
    }
  }
  std::lock_guard<std::mutex> guard(files_mutex_);
  if (files_closed_) return;
  for (MappedLog* log : logs()) log->MakeRoom();
  auto* record = static_cast<LoopRecord*>(alive ? loop_log_.Reserve(sizeof(LoopRecord)) : nullptr);
  if (record == nullptr) return;
  *record = loop;
  loop_log_.Commit(sizeof(LoopRecord));
}

LoopRecord Session::SampleLoop() {
  return {NowNs(), loop_watch_.IdleNs(), loop_watch_.TakeMaxBusyNs(), has_thread_clock_ ? ReadClock(thread_clock_) : 0};
}

// Answered when JavaScript next runs; until then the heap stays as it is.
void Session::RequestSample() {
  if (!interrupt_pending_.exchange(true)) isolate_->RequestInterrupt(OnInterrupt, this);
}

void Session::RequestYieldSampler() {
  std::lock_guard<std::mutex> guard(isolate_mutex_);
  // Through Node, which also runs it while the event loop waits, as it does with what the program asks of a worker.
  if (alive_ && !yield_pending_.exchange(true)) node::RequestInterrupt(environment_, OnYieldRequest, this);
}

void Session::OnInterrupt(v8::Isolate*, void* data) {
  auto* self = static_cast<Session*>(data);
  self->interrupt_pending_ = false;
  // Reading a profile may collect, and collecting may run callbacks of addons that run JavaScript.
  if (!self->sampling_ || self->in_interrupt_) return;
  self->in_interrupt_ = true;
  self->heap_.Take();
  self->heap_sampler_.Tick(NowNs());
  self->array_buffers_->sampler().Tick(NowNs());
  if (NowNs() - self->allocations_.window_start_ns() >= self->options_.allocation_window_ns) self->allocations_.Cut();
  self->in_interrupt_ = false;
}

void Session::OnYieldRequest(void* data) {
  auto* self = static_cast<Session*>(data);
  self->yield_pending_ = false;
  self->YieldSampler();
}

void Session::YieldSampler() {
  if (in_interrupt_) return;
  in_interrupt_ = true;
  heap_sampler_.Yield();
  allocations_.Stop(true);
  in_interrupt_ = false;
}

bool Session::AppendTag(v8::Local<v8::ArrayBufferView> record) {
  const size_t bytes = record->ByteLength();
  void* const at = tags_log_.ReserveWaiting(bytes);
  if (at == nullptr) return false;
  record->CopyContents(at, bytes);
  tags_log_.Commit(bytes);
  tags_log_.ReleasePages();
  return true;
}

void Session::FinishSampling() {
  if (!sampling_) return;
  sampling_ = false;
  {
    std::lock_guard<std::mutex> guard(isolate_mutex_);
    alive_ = false;
  }
  heap_.Take();
  heap_sampler_.Stop();
  array_buffers_->sampler().Stop();
  allocations_.Stop(false);
}

void Session::OnProcessExit(void* self) { static_cast<Session*>(self)->FinishSampling(); }

// The last callback on the loop: nothing of this session is called afterwards, if it is a worker's. A process's main
// thread goes on recording until there is no process, because V8 may still collect while it takes the isolate down.
void Session::OnLoopReleased(void* data) {
  auto* self = static_cast<Session*>(data);
  const auto done = self->environment_done_;
  void* const argument = self->environment_done_argument_;
  if (self->options_.thread_id != 0) self->End();
  done(argument);
}

void Session::End() {
  collections_.Stop();
  spans_.Stop();
  cleanup_.release();
  this_thread = nullptr;
  Unwatch(this);
  {
    std::lock_guard<std::mutex> guard(files_mutex_);
    files_closed_ = true;
    for (MappedLog* log : logs()) log->Close();
  }
  // An interrupt that V8 did not get to would find nothing.
  if (!interrupt_pending_ && !yield_pending_) self_.reset();
}

void Session::OnEnvironmentEnd(void* data, void (*done)(void*), void* argument) {
  auto* self = static_cast<Session*>(data);
  self->FinishSampling();
  self->environment_done_ = done;
  self->environment_done_argument_ = argument;
  self->loop_watch_.Stop(OnLoopReleased, self);
}

}  // namespace gcspike
