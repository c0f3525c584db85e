#include "session.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "background_thread.h"
#include "clock.h"
#include "few.h"

namespace gcspike {
namespace {

// In the order in which they began.
thread_local Few<Session*> this_thread;

uint32_t NextNumber() {
  static std::atomic<uint32_t> last{0};
  return ++last;
}

}  // namespace

SessionResult Session::Start(v8::Isolate* isolate, const SessionOptions& options) {
  if (this_thread.is_full()) return {};
  std::shared_ptr<Session> session(new Session(isolate, options));
  session->self_ = session;  // until Release
  const SessionResult result = session->StartCollectors(options);
  if (result.gc) this_thread.Add(session.get());
  else session->self_.reset();
  return result;
}

std::vector<std::string> Session::RecordedInto() {
  // One that stops leaves the list.
  for (Session* session : Few(this_thread)) {
    if (session->stop_requested_) OnStopRequest(session);
  }
  std::vector<std::string> folders;
  for (Session* session : this_thread) folders.push_back(session->folder_);
  return folders;
}

void Session::YieldSampler() {
  for (Session* session : Few(this_thread)) session->Yield();
}

void Session::RequestYieldSampler(uint32_t thread_id) {
  for (const auto& session : WatchedSessions()) {
    if (session->thread_id_ == thread_id) session->RequestYield();
  }
}

bool Session::AppendTag(uint32_t number, v8::Local<v8::ArrayBufferView> record) {
  for (Session* session : this_thread) {
    if (session->number_ == number) return session->Append(record);
  }
  return false;
}

Session::Session(v8::Isolate* isolate, const SessionOptions& options)
    : number_(NextNumber()),
      isolate_(isolate),
      environment_(node::GetCurrentEnvironment(isolate->GetCurrentContext())),
      folder_(options.folder),
      isolate_id_(options.isolate_id),
      thread_id_(options.thread_id),
      allocation_window_ns_(options.allocation_window_ns),
      recorder_file_(options.recorder_file),
      ring_(options.ring),
      on_stop_(isolate, options.on_stop),
      array_buffers_(ArrayBufferMeter::OfThisThread()) {
#ifdef __linux__
  has_thread_clock_ = pthread_getcpuclockid(pthread_self(), &thread_clock_) == 0;
#endif
}

bool Session::OpenLog(MappedLog* log, const char* suffix, LogKind kind, size_t record_bytes, uint64_t ahead,
                      uint64_t limit) const {
  // There are only so many functions, and their numbers never end to be used.
  const bool ring = ring_ && kind != LogKind::kFunctions;
  return log->Open(folder_ + "/" + isolate_id_ + suffix,
                   {kind, static_cast<uint32_t>(record_bytes), thread_id_, ahead, limit, ring});
}

SessionResult Session::StartCollectors(const SessionOptions& options) {
  SessionResult result = {};
  result.session = number_;
  const size_t spaces = std::min(isolate_->NumberOfHeapSpaces(), kMaxSpaces);
  result.gc = OpenLog(&gc_log_, ".gc", LogKind::kGc, GcRecordBytes(spaces), 3 << 20, 2ull << 30);
  if (!result.gc) return result;
  OpenLog(&heap_log_, ".heap", LogKind::kHeap, HeapRecordBytes(spaces), 64 << 10, 256 << 20);
  OpenLog(&loop_log_, ".loop", LogKind::kLoop, sizeof(LoopRecord), 16 << 10, 64 << 20);
  result.array_buffers = counts_array_buffers_ = array_buffers_->Install(isolate_, options.array_buffer_bytes);
  if (OpenLog(&functions_log_, ".functions", LogKind::kFunctions, 0, 128 << 10, 64 << 20)) {
    result.trigger_stacks = stacks_.Start(isolate_, &functions_log_, options.caller);
  }
  collections_ = Collections::Join(isolate_, &gc_log_, array_buffers_, &stacks_);
  heap_.Start(isolate_, &heap_log_, array_buffers_);
  heap_.Take();
  if (options.phases && OpenLog(&phases_log_, ".phases", LogKind::kPhases, sizeof(PhaseRecord), 512 << 10, 2ull << 30)) {
    result.phases = spans_.Start(&phases_log_);
    if (!result.phases) phases_log_.Discard();
  }
  if (options.allocations) StartAllocations(options, &result);
  result.tags = OpenLog(&tags_log_, ".tags", LogKind::kTags, 0, 0, 128 << 20);
  uv_loop_t* const loop = node::GetCurrentEventLoop(isolate_);
  loop_watch_.Start(loop);
  if (is_attached()) stop_call_.Start(loop, OnStopRequest, this);
  cleanup_ = node::AddEnvironmentCleanupHook(isolate_, OnEnvironmentEnd, this);
  WatchProcessExit();
  Watch(self_, {folder_, recorder_file_, options.recorder_pid, ring_});
  return result;
}

// process.exit() runs no cleanup hooks. In a worker it does, and the session is gone when these callbacks run. Once: Node takes
// none of them back.
void Session::WatchProcessExit() {
  static bool watching = false;
  if (thread_id_ != 0 || watching) return;
  node::AtExit(environment_, OnProcessExit, nullptr);
  watching = true;
}

// Our own sampler, or V8's where that is not possible; neither where another session has what V8 has only one of.
void Session::StartAllocations(const SessionOptions& options, SessionResult* result) {
  for (const Session* session : this_thread) {
    if (!session->is_sampling()) continue;
    result->sampled_into = session->folder_;
    return;
  }
  constexpr uint64_t kLimit = 2ull << 30;
  if (OpenLog(&stacks_log_, ".stacks", LogKind::kStacks, 0, 256 << 10, kLimit) &&
      OpenLog(&samples_log_, ".samples", LogKind::kSamples, sizeof(SampleRecord), 256 << 10, kLimit)) {
    stack_table_.Open(&stacks_log_);
    result->sampler = heap_sampler_.Start(isolate_, &samples_log_, &stack_table_, &stacks_, collections_,
                                          options.allocation_interval_bytes, options.inlined);
    result->allocations = result->sampler != Sampler::kNone;
  }
  if (result->allocations) {
    if (result->array_buffers) StartBuffers(options.allocation_interval_bytes);
    return;
  }
  stacks_log_.Discard();
  samples_log_.Discard();
  if (!OpenLog(&alloc_log_, ".alloc", LogKind::kAlloc, 0, 0, kLimit)) return;
  result->allocations = allocations_.Start(isolate_, &alloc_log_, options.allocation_interval_bytes);
  if (!result->allocations) alloc_log_.Discard();
}

// Another session that yielded the heap's sampler still has that of Buffers.
void Session::StartBuffers(uint64_t interval_bytes) {
  if (!OpenLog(&buffers_log_, ".buffers", LogKind::kBuffers, sizeof(SampleRecord), 128 << 10, 2ull << 30)) return;
  BufferSampler& sampler = array_buffers_->sampler();
  if (sampler.Start(&buffers_log_, &stack_table_, &stacks_, collections_, interval_bytes)) buffer_sampler_ = &sampler;
  else buffers_log_.Discard();
}

bool Session::Tick() {
  if (recording_over_) {
    CloseLogs();
    return false;
  }
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
  if (files_closed_) return false;
  for (MappedLog* log : logs()) {
    log->Forget();
    log->MakeRoom();
  }
  auto* record = static_cast<LoopRecord*>(alive ? loop_log_.Reserve(sizeof(LoopRecord)) : nullptr);
  if (record == nullptr) return true;
  *record = loop;
  loop_log_.Commit(sizeof(LoopRecord));
  return true;
}

LoopRecord Session::SampleLoop() {
  return {NowNs(), loop_watch_.IdleNs(), loop_watch_.TakeMaxBusyNs(), has_thread_clock_ ? ReadClock(thread_clock_) : 0};
}

// Answered when JavaScript next runs; until then the heap stays as it is.
void Session::RequestSample() {
  if (!interrupt_pending_.exchange(true)) isolate_->RequestInterrupt(OnInterrupt, this);
}

void Session::RequestYield() {
  std::lock_guard<std::mutex> guard(isolate_mutex_);
  // Through Node, which also runs it while the event loop waits, as it does with what the program asks of a worker.
  if (alive_ && !yield_pending_.exchange(true)) node::RequestInterrupt(environment_, OnYieldRequest, this);
}

void Session::OnInterrupt(v8::Isolate*, void* data) {
  auto* self = static_cast<Session*>(data);
  self->interrupt_pending_ = false;
  if (self->released_) {
    self->Release();
    return;
  }
  if (self->stop_requested_) self->StopRecording();
  // Reading a profile may collect, and collecting may run callbacks of addons that run JavaScript.
  if (!self->sampling_ || self->in_interrupt_) return;
  self->in_interrupt_ = true;
  self->heap_.Take();
  self->heap_sampler_.Tick(NowNs());
  if (self->buffer_sampler_ != nullptr) self->buffer_sampler_->Tick(NowNs());
  if (NowNs() - self->allocations_.window_start_ns() >= self->allocation_window_ns_) self->allocations_.Cut();
  self->in_interrupt_ = false;
}

void Session::OnYieldRequest(void* data) {
  auto* self = static_cast<Session*>(data);
  self->yield_pending_ = false;
  if (self->released_) self->Release();
  else self->Yield();
}

void Session::Yield() {
  if (in_interrupt_) return;
  in_interrupt_ = true;
  heap_sampler_.Yield();
  allocations_.Stop(true);
  in_interrupt_ = false;
}

bool Session::Append(v8::Local<v8::ArrayBufferView> tag) {
  if (recording_over_) return false;
  const size_t bytes = tag->ByteLength();
  void* const at = tags_log_.ReserveWaiting(bytes);
  if (at == nullptr) return false;
  tag->CopyContents(at, bytes);
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
  if (buffer_sampler_ != nullptr) buffer_sampler_->Stop();
  allocations_.Stop(false);
}

void Session::OnProcessExit(void*) {
  for (Session* session : Few(this_thread)) session->FinishSampling();
}

// Both ways: an event loop that waits runs no JavaScript, and JavaScript that runs for long leaves the loop no turn.
void Session::RequestStop() {
  std::lock_guard<std::mutex> guard(isolate_mutex_);
  if (!alive_) return;
  stop_requested_ = true;
  stop_call_.Request();
  RequestSample();
}

void Session::OnStopRequest(void* data) {
  auto* self = static_cast<Session*>(data);
  self->StopRecording();
  if (self->recording_over_) self->Leave();
}

void Session::StopRecording() {
  if (recording_over_ || in_interrupt_ || collections_->is_collecting()) return;
  in_interrupt_ = true;
  FinishSampling();
  TakeOut();
  if (counts_array_buffers_) array_buffers_->Remove();
  recording_over_ = true;
  in_interrupt_ = false;
}

void Session::TakeOut() {
  collections_->Leave(&gc_log_);
  collections_ = nullptr;
  spans_.Stop();
}

void Session::Leave() {
  if (letting_go_) return;
  Forget();
  LetGoOfLoop();
  v8::HandleScope scope(isolate_);
  const v8::Local<v8::Function> on_stop = on_stop_.Get(isolate_);
  on_stop_.Reset();
  if (!on_stop.IsEmpty()) node::MakeCallback(isolate_, v8::Object::New(isolate_), on_stop, 0, nullptr, {0, 0});
}

void Session::Forget() {
  this_thread.RemoveIf([this](const Session* session) { return session == this; });
}

void Session::OnEnvironmentEnd(void* data, void (*done)(void*), void* argument) {
  auto* self = static_cast<Session*>(data);
  self->FinishSampling();
  self->environment_done_ = done;
  self->environment_done_argument_ = argument;
  if (!self->letting_go_) self->LetGoOfLoop();
}

void Session::LetGoOfLoop() {
  letting_go_ = true;
  loop_watch_.Stop(OnLoopWatchClosed, this);
}

void Session::OnLoopWatchClosed(void* data) {
  auto* self = static_cast<Session*>(data);
  if (self->is_attached()) self->stop_call_.Stop(OnLoopReleased, self);
  else OnLoopReleased(self);
}

// The last callback on the loop: nothing of this session is called afterwards, if it was stopped or is a worker's. A process's
// main thread goes on recording until there is no process, because V8 may still collect while it takes the isolate down.
void Session::OnLoopReleased(void* data) {
  auto* self = static_cast<Session*>(data);
  const auto done = self->environment_done_;
  void* const argument = self->environment_done_argument_;
  if (done == nullptr) node::RemoveEnvironmentCleanupHook(std::move(self->cleanup_));
  else self->cleanup_.release();
  if (!self->recording_over_ && self->thread_id_ != 0) {
    self->TakeOut();
    Unwatch(self);
    self->CloseLogs();
    self->recording_over_ = true;
  }
  if (self->recording_over_) {
    self->Forget();
    self->on_stop_.Reset();
    self->Release();
  }
  if (done != nullptr) done(argument);
}

void Session::CloseLogs() {
  std::lock_guard<std::mutex> guard(files_mutex_);
  files_closed_ = true;
  for (MappedLog* log : logs()) log->Close();
}

// An interrupt that V8 did not get to would find nothing.
void Session::Release() {
  released_ = true;
  if (!interrupt_pending_ && !yield_pending_) self_.reset();
}

}  // namespace gcspike
