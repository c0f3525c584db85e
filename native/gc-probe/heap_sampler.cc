#include "heap_sampler.h"

#ifdef __APPLE__
#include <malloc/malloc.h>
#else
#include <malloc.h>
#endif

#include <algorithm>
#include <cstring>

#include "clock.h"
#include "code_ranges.h"

namespace gcspike {
namespace {

// Whether this V8 lays out its profiler and the observer as they are read here: those of Node 20, 22, 24 and 26, on Linux.
#ifdef __linux__
constexpr int kV8 = V8_MAJOR_VERSION * 100 + V8_MINOR_VERSION;
constexpr bool kIsKnown = kV8 == 1103 || kV8 == 1204 || kV8 == 1306 || kV8 == 1406;
#else
constexpr bool kIsKnown = false;
#endif

constexpr auto kFlags = static_cast<v8::HeapProfiler::SamplingFlags>(
    v8::HeapProfiler::kSamplingIncludeObjectsCollectedByMajorGC |
    v8::HeapProfiler::kSamplingIncludeObjectsCollectedByMinorGC);

// Objects that are watched at most; from the first number on, each tenth of it halves the samples to come.
constexpr size_t kManyLive = 100'000;
constexpr size_t kMostLive = 2 * kManyLive;
constexpr size_t kBlock = 1024;

// SamplingHeapProfiler::Observer's virtual functions, the same in V8 11 to 14: two destructors come first.
constexpr size_t kStep = 2;
constexpr size_t kGetNextStepSize = 3;
constexpr size_t kSlots = 4;
// What the compiler puts before the first slot: offset to top, type info. Ours has the sampler before those.
constexpr size_t kPrefix = 2;

// In words: the observer behind its table and AllocationObserver's step size; the profiler from its start.
constexpr size_t kObserverProfiler = 2;
constexpr size_t kObserverHeap = 3;
constexpr size_t kProfilerIsolate = 0;
constexpr size_t kProfilerHeap = 1;
constexpr size_t kMaxWords = 128;

#ifdef __APPLE__
size_t UsableBytes(const void* block) { return malloc_size(block); }
#else
size_t UsableBytes(void* block) { return malloc_usable_size(block); }
#endif

// What V8 may have put there, and no more than it allocated.
size_t WordsOf(void* block) { return std::min(UsableBytes(block) / sizeof(uintptr_t), kMaxWords); }

}  // namespace

Sampler HeapSampler::Start(v8::Isolate* isolate, MappedLog* log, StackTable* table, JavaScriptStacks* stacks,
                           const Collections* collections, uint64_t interval_bytes, bool inlined) {
  isolate_ = isolate;
  log_ = log;
  table_ = table;
  stacks_ = stacks;
  collections_ = collections;
  raise_at_ = kManyLive;
  interval_.Start(interval_bytes, NowNs());
  if (!kIsKnown || !stacks->is_on() || !TakeObserver()) return Sampler::kNone;
  sampling_ = true;
  if (!inlined || !stacks->StartInlined(observer_[kObserverHeap])) return Sampler::kFrames;
  // Optimised code carries its tables of positions from now on.
  v8::CpuProfiler::UseDetailedSourcePositionsForProfiling(isolate);
  return Sampler::kExact;
}

// Starts V8's sampler and finds its observer: in V8's HeapProfiler one word changes, from null to the new profiler, which
// begins with its isolate and its heap and holds the observer by value, known by pointing back to profiler and heap.
bool HeapSampler::TakeObserver() {
  v8::HeapProfiler* const heap_profiler = isolate_->GetHeapProfiler();
  auto* const words = reinterpret_cast<uintptr_t*>(heap_profiler);
  const size_t count = WordsOf(heap_profiler);
  const std::vector<uintptr_t> before(words, words + count);
  if (!heap_profiler->StartSamplingHeapProfiler(SamplingInterval::kLeast, 1, kFlags)) return false;
  CodeRanges code;
  code.Load(isolate_);
  const auto isolate = reinterpret_cast<uintptr_t>(isolate_);
  for (size_t i = 0; i < count; i++) {
    if (before[i] != 0 || words[i] == 0 || words[i] % sizeof(uintptr_t) != 0) continue;
    auto* const profiler = reinterpret_cast<uintptr_t*>(words[i]);
    const size_t size = WordsOf(profiler);
    if (size <= kProfilerHeap || profiler[kProfilerIsolate] != isolate) continue;
    for (size_t at = 0; at + kObserverHeap < size; at++) {
      uintptr_t* const observer = profiler + at;
      if (observer[kObserverProfiler] != words[i] || observer[kObserverHeap] != profiler[kProfilerHeap]) continue;
      const auto* const original = reinterpret_cast<const uintptr_t*>(observer[0]);
      if (!std::all_of(original, original + kSlots, [&](uintptr_t function) { return code.IsNode(function); })) continue;
      // Freed when the profiler is gone.
      table_of_observer_ = new uintptr_t[1 + kPrefix + kSlots] + 1 + kPrefix;
      std::memcpy(table_of_observer_ - kPrefix, original - kPrefix, (kPrefix + kSlots) * sizeof(uintptr_t));
      *(table_of_observer_ - kPrefix - 1) = reinterpret_cast<uintptr_t>(this);
      table_of_observer_[kStep] = reinterpret_cast<uintptr_t>(&Step);
      table_of_observer_[kGetNextStepSize] = reinterpret_cast<uintptr_t>(&GetNextStepSize);
      profiler_place_ = words + i;
      profiler_ = words[i];
      observer_ = observer;
      observer[0] = reinterpret_cast<uintptr_t>(table_of_observer_);
      return true;
    }
  }
  heap_profiler->StopSamplingHeapProfiler();
  return false;
}

// Somebody else, a debugger for example, may have stopped our profiler.
bool HeapSampler::IsOurs() const {
  return *profiler_place_ == profiler_ && observer_[0] == reinterpret_cast<uintptr_t>(table_of_observer_);
}

void HeapSampler::Tick(uint64_t now_ns) {
  if (!sampling_) return;
  if (IsOurs()) interval_.Adapt(now_ns);
  else Yield();
}

void HeapSampler::Yield() {
  if (!sampling_) return;
  StopProfiler();
  Append({kYielded, 0, NowNs(), 0, 0, 0});
}

void HeapSampler::StopProfiler() {
  if (sampling_ && IsOurs()) isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
  sampling_ = false;
}

void HeapSampler::Stop() {
  if (isolate_ == nullptr) return;
  StopProfiler();
  for (const auto& block : blocks_) {
    for (size_t i = 0; i < kBlock; i++) block[i].object.Reset();
  }
  free_.clear();
  blocks_.clear();
  live_count_ = 0;
  if (table_of_observer_ != nullptr) delete[] (table_of_observer_ - 1 - kPrefix);
  table_of_observer_ = nullptr;
}

HeapSampler* HeapSampler::Of(void* observer) {
  const uintptr_t* const table = *static_cast<uintptr_t**>(observer);
  return reinterpret_cast<HeapSampler*>(table[-static_cast<ptrdiff_t>(kPrefix) - 1]);
}

intptr_t HeapSampler::GetNextStepSize(void* observer) { return static_cast<intptr_t>(Of(observer)->interval_.Next()); }

// V8 is about to hand out the memory at `soon_object`: there is a filler now. Nothing here may allocate from V8's heap,
// collect or run JavaScript.
void HeapSampler::Step(void* observer, int, uintptr_t soon_object, size_t size) {
  if (soon_object != 0) Of(observer)->Sample(soon_object, size);
}

void HeapSampler::Sample(uintptr_t soon_object, size_t size) {
  const uint64_t now_ns = NowNs();
  interval_.Count(now_ns);
  Live* const live = NewLive();
  if (live == nullptr) return;
  uint32_t functions[StackTable::kMaxFrames];
  const uint32_t depth = stacks_->CaptureInlined(functions, StackTable::kMaxFrames, collections_->code_epoch());
  const uint32_t stack = table_->NumberOf(functions, depth);
  const uint64_t stands_for = interval_.StandsFor(size);
  if (!Append({kBirth, stack, now_ns, count_ + 1, size, stands_for})) {
    free_.push_back(live);
    return;
  }
  live->sampler = this;
  live->number = ++count_;
  live->bytes = size;
  live->stands_for = stands_for;
  live->stack = stack;
  // A handle as V8's own sampler makes one: a Local is a pointer to a tagged pointer.
  uintptr_t tagged = soon_object | 1;
  const uintptr_t* const place = &tagged;
  v8::Local<v8::Value> object;
  static_assert(sizeof(object) == sizeof(place));
  std::memcpy(static_cast<void*>(&object), &place, sizeof(place));
  live->object.Reset(isolate_, object);
  live->object.SetWeak(live, OnDeath, v8::WeakCallbackType::kParameter);
  live_count_++;
}

void HeapSampler::OnDeath(const v8::WeakCallbackInfo<Live>& info) {
  Live* const live = info.GetParameter();
  HeapSampler* const self = live->sampler;
  live->object.Reset();
  self->Append({kDeath, live->stack, self->collections_->last_start_ns(), live->number, live->bytes, live->stands_for});
  self->free_.push_back(live);
  self->live_count_--;
}

bool HeapSampler::Append(const SampleRecord& record) {
  auto* const at = static_cast<SampleRecord*>(log_->Reserve(sizeof(SampleRecord)));
  if (at == nullptr) return false;
  *at = record;
  log_->Commit(sizeof(SampleRecord));
  return true;
}

HeapSampler::Live* HeapSampler::NewLive() {
  if (live_count_ >= raise_at_) {
    raise_at_ += kManyLive / 10;
    interval_.RaiseLeast();
  }
  if (free_.empty()) {
    if (live_count_ >= kMostLive) return nullptr;
    blocks_.emplace_back(new Live[kBlock]);
    free_.reserve(blocks_.size() * kBlock);
    for (size_t i = kBlock; i > 0; i--) free_.push_back(&blocks_.back()[i - 1]);
  }
  Live* const live = free_.back();
  free_.pop_back();
  return live;
}

}  // namespace gcspike
