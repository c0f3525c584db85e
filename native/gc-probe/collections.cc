#include "collections.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "array_buffer_meter.h"
#include "clock.h"
#include "high_descriptor.h"

namespace gcspike {
namespace {

uint32_t InUnits(size_t bytes) {
  return static_cast<uint32_t>(std::min<uint64_t>(bytes / kSpaceUnit, UINT32_MAX));
}

// Linux's /proc/<tid>/schedstat: "<ns on a processor> <ns waiting on a run queue> <time slices>".
int OpenSchedstat() {
#ifdef __linux__
  return MoveUp(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
#else
  return -1;
#endif
}

uint64_t ReadRunQueueNs(int fd) {
  char text[64];
  const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
  if (n <= 0) return 0;
  text[n] = 0;
  const char* second = strchr(text, ' ');
  return second == nullptr ? 0 : strtoull(second, nullptr, 10);
}

uint64_t Nanoseconds(const timeval& t) {
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_usec) * 1000u;
}

// Helper threads collect beside the isolate's thread: what they did is the difference between the process and the thread.
GcProcess ReadProcessUsage() {
  rusage r = {};
  getrusage(RUSAGE_SELF, &r);
  return {ReadClock(CLOCK_PROCESS_CPUTIME_ID), static_cast<uint32_t>(r.ru_minflt), static_cast<uint32_t>(r.ru_majflt),
          Nanoseconds(r.ru_stime), 0};
}

thread_local Collections* this_thread = nullptr;

// The second bit has another name in each version.
bool IsOfYoungGeneration(v8::GCType type) { return (type & ~(v8::kGCTypeScavenge | 2)) == 0; }

}  // namespace

Collections* Collections::Join(v8::Isolate* isolate, MappedLog* log, const ArrayBufferMeter* meter,
                               JavaScriptStacks* stacks) {
  if (this_thread == nullptr) this_thread = new Collections(isolate, meter);
  for (size_t i = 0; i < this_thread->space_count_; i++) {
    v8::HeapSpaceStatistics space;
    isolate->GetHeapSpaceStatistics(&space, i);
    log->FindOrAddString(space.space_name());
  }
  this_thread->writers_.Add({log, stacks, nullptr});
  return this_thread;
}

Collections::Collections(v8::Isolate* isolate, const ArrayBufferMeter* meter)
    : isolate_(isolate),
      meter_(meter),
      schedstat_fd_(OpenSchedstat()),
      space_count_(std::min(isolate->NumberOfHeapSpaces(), kMaxSpaces)),
      record_bytes_(GcRecordBytes(space_count_)) {
  isolate->AddGCPrologueCallback(OnPrologue, this);
  isolate->AddGCEpilogueCallback(OnEpilogue, this);
}

void Collections::Leave(const MappedLog* log) {
  writers_.RemoveIf([log](const Writer& writer) { return writer.log == log; });
  if (!writers_.empty()) return;
  isolate_->RemoveGCPrologueCallback(OnPrologue, this);
  isolate_->RemoveGCEpilogueCallback(OnEpilogue, this);
  if (schedstat_fd_ >= 0) close(schedstat_fd_);
  this_thread = nullptr;
  delete this;
}

// Both sides count: what runs between a nested collection and the end of the outer one must not meet what was known before.
void Collections::OnPrologue(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags flags, void* data) {
  auto* self = static_cast<Collections*>(data);
  if (!IsOfYoungGeneration(type)) self->code_epoch_++;
  self->Begin(type, flags);
}

void Collections::OnEpilogue(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags, void* data) {
  auto* self = static_cast<Collections*>(data);
  if (!IsOfYoungGeneration(type)) self->code_epoch_++;
  self->End();
}

Collections::Usage Collections::ReadUsage() const {
  Usage usage = {};
  usage.process = ReadProcessUsage();
  usage.cpu_ns = ThreadCpuNs();
#ifdef RUSAGE_THREAD
  rusage r;
  if (getrusage(RUSAGE_THREAD, &r) == 0) {
    usage.minor_faults = static_cast<uint32_t>(r.ru_minflt);
    usage.major_faults = static_cast<uint32_t>(r.ru_majflt);
    usage.voluntary_switches = static_cast<uint32_t>(r.ru_nvcsw);
    usage.involuntary_switches = static_cast<uint32_t>(r.ru_nivcsw);
    usage.process.thread_kernel_ns = Nanoseconds(r.ru_stime);
  }
#endif
  if (schedstat_fd_ >= 0) usage.run_queue_ns = ReadRunQueueNs(schedstat_fd_);
  return usage;
}

void Collections::Begin(v8::GCType type, v8::GCCallbackFlags flags) {
  GcRecord* const record = this->record();
  if (depth_++ > 0) {
    record->nested_kinds |= static_cast<uint32_t>(type);
    record->nested_count++;
    return;
  }
  const uint64_t entered = NowNs();
  last_start_ns_.store(entered, std::memory_order_relaxed);
  std::memset(record_, 0, record_bytes_);
  record->kind = static_cast<uint32_t>(type);
  record->flags = static_cast<uint32_t>(flags);

  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  record->used_before = heap.used_heap_size();
  record->committed_before = heap.total_heap_size();
  record->external_before = heap.external_memory();
  record->malloced_before = heap.malloced_memory();
  record->present = kPresentHeap | kPresentSpaces | kPresentCpu | kPresentProcess;
  for (size_t i = 0; i < space_count_; i++) {
    v8::HeapSpaceStatistics space;
    isolate_->GetHeapSpaceStatistics(&space, i);
    spaces()[i].used_before = InUnits(space.space_used_size());
    spaces()[i].committed_before = InUnits(space.space_size());
  }
  for (Writer& writer : writers_) Open(&writer);
  before_ = ReadUsage();
  // Last: the pause is V8's, without what the probe adds before and behind it.
  record->start_ns = NowNs();
  last_start_ns_.store(record->start_ns, std::memory_order_relaxed);
  record->probe_ns = static_cast<uint32_t>(record->start_ns - entered);
  for (const Writer& writer : writers_) {
    if (writer.open != nullptr) writer.open->start_ns = record->start_ns;
  }
}

// A program that dies in a pause leaves what is known of it.
void Collections::Open(Writer* writer) const {
  writer->open = static_cast<GcRecord*>(writer->log->Reserve(record_bytes_));
  if (writer->open == nullptr) return;
  std::memcpy(static_cast<void*>(writer->open), record_, record_bytes_);
  writer->open->frame_count = writer->stacks->Capture(writer->open->stack, kStackFrames);
  if (writer->open->frame_count > 0) writer->open->present |= kPresentStack;
}

// All but the stack, whose functions have numbers of the log's own.
void Collections::CopyTo(GcRecord* to) const {
  const uint32_t stack = to->present & kPresentStack;
  std::memcpy(static_cast<void*>(to), record_, offsetof(GcRecord, frame_count));
  std::memcpy(static_cast<void*>(to + 1), record() + 1, record_bytes_ - sizeof(GcRecord));
  to->present |= stack;
}

void Collections::End() {
  if (depth_ == 0 || --depth_ > 0) return;
  const uint64_t end = NowNs();
  const Usage after = ReadUsage();
  GcRecord* const record = this->record();
  record->cpu_ns = after.cpu_ns - before_.cpu_ns;
#ifdef RUSAGE_THREAD
  record->present |= kPresentFaultsAndSwitches;
  record->minor_faults = after.minor_faults - before_.minor_faults;
  record->major_faults = after.major_faults - before_.major_faults;
  record->voluntary_switches = after.voluntary_switches - before_.voluntary_switches;
  record->involuntary_switches = after.involuntary_switches - before_.involuntary_switches;
#endif
  if (schedstat_fd_ >= 0) {
    record->present |= kPresentRunQueue;
    record->run_queue_ns = after.run_queue_ns - before_.run_queue_ns;
  }
  GcProcess* const process = this->process();
  process->cpu_ns = after.process.cpu_ns - before_.process.cpu_ns;
  process->minor_faults = after.process.minor_faults - before_.process.minor_faults;
  process->major_faults = after.process.major_faults - before_.process.major_faults;
  process->kernel_ns = after.process.kernel_ns - before_.process.kernel_ns;
  process->thread_kernel_ns = after.process.thread_kernel_ns - before_.process.thread_kernel_ns;
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  record->used_after = heap.used_heap_size();
  record->committed_after = heap.total_heap_size();
  record->external_after = heap.external_memory();
  record->malloced_after = heap.malloced_memory();
  record->heap_limit = heap.heap_size_limit();
  if (meter_->installed()) {
    record->present |= kPresentArrayBuffers;
    record->array_buffer_bytes = meter_->bytes();
  }
  for (size_t i = 0; i < space_count_; i++) {
    v8::HeapSpaceStatistics space;
    isolate_->GetHeapSpaceStatistics(&space, i);
    spaces()[i].used_after = InUnits(space.space_used_size());
    spaces()[i].committed_after = InUnits(space.space_size());
  }
  record->probe_ns += static_cast<uint32_t>(NowNs() - end);
  record->end_ns = end;
  for (Writer& writer : writers_) {
    if (writer.open == nullptr) continue;
    CopyTo(writer.open);
    writer.log->Commit(record_bytes_);
    writer.open = nullptr;
  }
}

}  // namespace gcspike
