// V8's sampling heap profiler, read and restarted a window: what was allocated in which second, by which stack,
// objects that were collected since included. A window's samples leave memory when it is cut.
#pragma once

#include <v8-profiler.h>
#include <v8.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "mapped_log.h"

namespace gcspike {

class AllocationWindows {
 public:
  // False where somebody else is sampling this heap already: there is one sampler an isolate.
  bool Start(v8::Isolate* isolate, MappedLog* log, uint64_t interval_bytes);
  // Writes the window that ends now and starts the next one. On the isolate's thread, outside collections.
  void Cut();
  // Writes the last window and stops sampling. `yield`: the program wants the sampler for itself; the window says so.
  void Stop(bool yield);

  bool is_sampling() const { return sampling_; }
  uint64_t window_start_ns() const { return window_start_ns_; }

 private:
  struct StringSlot {
    uint64_t hash;
    uint32_t number;
  };

  bool StartSampler();
  // `profile` is null where somebody else stopped our sampler: the window is empty then.
  void WriteWindow(v8::AllocationProfile* profile, uint64_t end_ns, bool yield);
  void Collect(v8::AllocationProfile::Node* root);
  uint32_t NumberOf(v8::Local<v8::String> text);

  v8::Isolate* isolate_ = nullptr;
  MappedLog* log_ = nullptr;
  uint64_t base_interval_ = 0;
  uint64_t interval_ = 0;
  uint64_t window_start_ns_ = 0;
  bool sampling_ = false;
  bool truncated_ = false;
  std::vector<AllocNode> nodes_;
  std::vector<AllocEntry> entries_;
  std::unique_ptr<StringSlot[]> strings_;
  uint32_t string_count_ = 0;
};

}  // namespace gcspike
