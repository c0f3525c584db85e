#include "allocation_windows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "clock.h"

namespace gcspike {
namespace {

// Deep enough for compilers, whose flame graphs would otherwise fall apart at the root.
constexpr int kStackDepth = 64;
constexpr auto kFlags = static_cast<v8::HeapProfiler::SamplingFlags>(
    v8::HeapProfiler::kSamplingIncludeObjectsCollectedByMajorGC |
    v8::HeapProfiler::kSamplingIncludeObjectsCollectedByMinorGC);

// A window aims at this many samples: enough for shares of a few per cent, and 0.5 ms to read.
constexpr uint64_t kSamplesWanted = 500;
constexpr uint64_t kIntervalLimit = 64 << 20;
// Hard bounds of one window and of the string table (1 MiB).
constexpr size_t kMaxNodes = 20'000;
constexpr size_t kMaxEntries = 40'000;
constexpr uint32_t kStringSlots = 1 << 16;
constexpr uint32_t kMaxStrings = kStringSlots / 2;
constexpr int kMaxStringBytes = 1000;

int WriteUtf8(v8::Isolate* isolate, v8::Local<v8::String> text, char* buffer) {
#if V8_MAJOR_VERSION >= 13
  return static_cast<int>(
      text->WriteUtf8V2(isolate, buffer, kMaxStringBytes, v8::String::WriteFlags::kReplaceInvalidUtf8));
#else
  return text->WriteUtf8(isolate, buffer, kMaxStringBytes, nullptr,
                         v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
#endif
}

uint64_t Fnv1a(const char* text, int length) {
  uint64_t hash = 14695981039346656037ull;
  for (int i = 0; i < length; i++) hash = (hash ^ static_cast<unsigned char>(text[i])) * 1099511628211ull;
  return hash == 0 ? 1 : hash;
}

}  // namespace

bool AllocationWindows::Start(v8::Isolate* isolate, MappedLog* log, uint64_t interval_bytes) {
  isolate_ = isolate;
  log_ = log;
  base_interval_ = interval_ = interval_bytes;
  strings_.reset(new StringSlot[kStringSlots]());
  nodes_.reserve(1024);
  entries_.reserve(2048);
  window_start_ns_ = NowNs();
  sampling_ = StartSampler();
  return sampling_;
}

bool AllocationWindows::StartSampler() {
  return isolate_->GetHeapProfiler()->StartSamplingHeapProfiler(interval_, kStackDepth, kFlags);
}

void AllocationWindows::Cut() {
  if (!sampling_) return;
  v8::HandleScope scope(isolate_);
  const uint64_t end_ns = NowNs();
  std::unique_ptr<v8::AllocationProfile> profile(isolate_->GetHeapProfiler()->GetAllocationProfile());
  // None: somebody stopped our sampler, through a debugger for example, and may have use for it.
  const bool stopped = profile == nullptr;
  WriteWindow(profile.get(), end_ns, stopped);
  if (!stopped) isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
  window_start_ns_ = end_ns;
  sampling_ = !stopped && StartSampler();
}

void AllocationWindows::Stop(bool yield) {
  if (isolate_ == nullptr || !sampling_) return;
  v8::HandleScope scope(isolate_);
  std::unique_ptr<v8::AllocationProfile> profile(isolate_->GetHeapProfiler()->GetAllocationProfile());
  WriteWindow(profile.get(), NowNs(), yield);
  if (profile != nullptr) isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
  sampling_ = false;
}

void AllocationWindows::Collect(v8::AllocationProfile::Node* root) {
  std::vector<std::pair<v8::AllocationProfile::Node*, uint32_t>> todo = {{root, 0}};
  while (!todo.empty()) {
    const auto [node, parent] = todo.back();
    todo.pop_back();
    if (nodes_.size() >= kMaxNodes) {
      truncated_ = true;
      return;
    }
    nodes_.push_back({parent, NumberOf(node->name), NumberOf(node->script_name),
                      static_cast<uint32_t>(std::max(node->line_number, 0)),
                      static_cast<uint32_t>(std::max(node->column_number, 0)),
                      static_cast<uint32_t>(std::max(node->script_id, 0))});
    const auto number = static_cast<uint32_t>(nodes_.size());
    for (const auto& allocation : node->allocations) {
      if (entries_.size() >= kMaxEntries) {
        truncated_ = true;
        break;
      }
      entries_.push_back({number - 1, allocation.count, allocation.size});
    }
    for (auto* child : node->children) todo.push_back({child, number});
  }
}

void AllocationWindows::WriteWindow(v8::AllocationProfile* profile, uint64_t end_ns, bool yield) {
  nodes_.clear();
  entries_.clear();
  truncated_ = false;
  if (profile != nullptr) Collect(profile->GetRootNode());
  const size_t node_bytes = nodes_.size() * sizeof(AllocNode);
  const size_t entry_bytes = entries_.size() * sizeof(AllocEntry);
  const size_t bytes = sizeof(AllocWindow) + node_bytes + entry_bytes;
  if (char* at = static_cast<char*>(log_->ReserveWaiting(bytes)); at != nullptr) {
    const AllocWindow window = {static_cast<uint32_t>(bytes),
                                2,
                                static_cast<uint16_t>((truncated_ ? kWindowTruncated : 0) | (yield ? kWindowYielded : 0)),
                                window_start_ns_,
                                end_ns,
                                interval_,
                                static_cast<uint32_t>(nodes_.size()),
                                static_cast<uint32_t>(entries_.size())};
    std::memcpy(at, &window, sizeof(window));
    std::memcpy(at + sizeof(window), nodes_.data(), node_bytes);
    std::memcpy(at + sizeof(window) + node_bytes, entries_.data(), entry_bytes);
    log_->Commit(bytes);
    log_->ReleasePages();
  }
  uint64_t allocated = 0;
  for (const AllocEntry& entry : entries_) allocated += entry.bytes * entry.count;
  const double seconds = static_cast<double>(std::max<uint64_t>(end_ns - window_start_ns_, 1)) / 1e9;
  const double wanted = static_cast<double>(allocated) / seconds / static_cast<double>(kSamplesWanted);
  interval_ = std::clamp(static_cast<uint64_t>(wanted), base_interval_, kIntervalLimit);
}

// Texts are told apart by a 64-bit hash, so that the table holds no copy of them.
uint32_t AllocationWindows::NumberOf(v8::Local<v8::String> text) {
  char buffer[kMaxStringBytes];
  const int length = text.IsEmpty() ? 0 : WriteUtf8(isolate_, text, buffer);
  const uint64_t hash = Fnv1a(buffer, length);
  for (uint32_t i = 0; i < kStringSlots; i++) {
    StringSlot& slot = strings_[(hash + i) % kStringSlots];
    if (slot.hash == hash) return slot.number;
    if (slot.hash != 0) continue;
    if (string_count_ >= kMaxStrings) return UINT32_MAX;
    const size_t bytes = (sizeof(AllocString) + static_cast<size_t>(length) + 7) / 8 * 8;
    char* at = static_cast<char*>(log_->ReserveWaiting(bytes));
    if (at == nullptr) return UINT32_MAX;
    std::memset(at, 0, bytes);
    const AllocString header = {static_cast<uint32_t>(bytes), 1, static_cast<uint16_t>(length)};
    std::memcpy(at, &header, sizeof(header));
    std::memcpy(at + sizeof(header), buffer, static_cast<size_t>(length));
    log_->Commit(bytes);
    slot = {hash, string_count_++};
    return slot.number;
  }
  return UINT32_MAX;
}

}  // namespace gcspike
