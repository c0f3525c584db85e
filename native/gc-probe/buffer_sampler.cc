#include "buffer_sampler.h"

#include <algorithm>

#include "clock.h"

namespace gcspike {
namespace {

constexpr size_t kMostLive = 20'000;

// Its address stands for the thread.
thread_local char this_thread;

}  // namespace

bool BufferSampler::Start(MappedLog* log, StackTable* table, JavaScriptStacks* stacks, const Collections* collections,
                          uint64_t interval_bytes) {
  if (on_.load(std::memory_order_relaxed)) return false;
  log_ = log;
  table_ = table;
  stacks_ = stacks;
  collections_ = collections;
  thread_ = &this_thread;
  interval_.Start(interval_bytes, NowNs());
  count_ = 0;
  countdown_ = interval_.Next();
  on_.store(true, std::memory_order_release);
  return true;
}

void BufferSampler::Tick(uint64_t now_ns) {
  if (!on_.load(std::memory_order_relaxed)) return;
  interval_.Adapt(now_ns);
  WriteDeaths();
}

void BufferSampler::Stop() {
  if (!on_.load(std::memory_order_relaxed)) return;
  WriteDeaths();
  std::lock_guard<std::mutex> guard(mutex_);
  on_.store(false, std::memory_order_release);
  for (const auto& [block, live] : live_) filter_[FilterSlot(block)].fetch_sub(1, std::memory_order_relaxed);
  decltype(live_)().swap(live_);
  decltype(dead_)().swap(dead_);
}

void BufferSampler::Allocated(void* block, size_t bytes) {
  if (!on_.load(std::memory_order_acquire) || thread_ != &this_thread) return;
  if (bytes < countdown_) countdown_ -= bytes;
  else Sample(block, bytes);
}

void BufferSampler::Freed(void* block) {
  std::atomic<uint16_t>& filter = filter_[FilterSlot(block)];
  if (filter.load(std::memory_order_acquire) == 0) return;
  std::lock_guard<std::mutex> guard(mutex_);
  const auto found = live_.find(block);
  if (found == live_.end()) return;
  const Live live = found->second;
  live_.erase(found);
  filter.fetch_sub(1, std::memory_order_relaxed);
  if (!on_.load(std::memory_order_relaxed)) return;
  // V8 frees, also from other threads, what its last collection found. Before the first one since the block was born,
  // somebody else freed it.
  const uint64_t collection_ns = collections_->last_start_ns();
  const uint64_t died_ns = collection_ns >= live.born_ns ? collection_ns : NowNs();
  dead_.push_back({kDeath, live.stack, died_ns, live.number, live.bytes, live.stands_for});
}

size_t BufferSampler::FilterSlot(const void* block) {
  return (reinterpret_cast<uintptr_t>(block) * 0x9e3779b97f4a7c15ull) >> 48;
}

void BufferSampler::Sample(void* block, size_t bytes) {
  const uint64_t now_ns = NowNs();
  const uint64_t stands_for = interval_.StandsFor(bytes);
  interval_.Count(now_ns);
  countdown_ = interval_.Next();
  uint32_t functions[StackTable::kMaxFrames];
  const uint32_t depth = stacks_->CaptureInlined(functions, StackTable::kMaxFrames, collections_->code_epoch());
  const uint32_t stack = table_->NumberOf(functions, depth);
  std::lock_guard<std::mutex> guard(mutex_);
  if (live_.size() >= kMostLive) {
    // What lives longest is thinned out by fewer samples to come.
    interval_.RaiseLeast();
    return;
  }
  auto* const record = static_cast<SampleRecord*>(log_->Reserve(sizeof(SampleRecord)));
  if (record == nullptr) return;
  *record = {kBirth, stack, now_ns, ++count_, bytes, stands_for};
  log_->Commit(sizeof(SampleRecord));
  live_[block] = {count_, now_ns, bytes, stands_for, stack};
  filter_[FilterSlot(block)].fetch_add(1, std::memory_order_release);
}

void BufferSampler::WriteDeaths() {
  std::vector<SampleRecord> dead;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    dead.swap(dead_);
  }
  for (const SampleRecord& death : dead) {
    auto* const record = static_cast<SampleRecord*>(log_->Reserve(sizeof(SampleRecord)));
    if (record == nullptr) return;
    *record = death;
    log_->Commit(sizeof(SampleRecord));
  }
}

}  // namespace gcspike
