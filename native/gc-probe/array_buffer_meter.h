// Counts the bytes of an isolate's ArrayBuffers and Buffers, where they are allocated, and samples them there: V8's heap
// statistics lump them with other external memory, and its heap sampler does not see them.
#pragma once

#include <v8.h>

#include <atomic>
#include <cstdint>

#include "buffer_sampler.h"

namespace gcspike {

class ArrayBufferMeter {
 public:
  // The one of the calling thread's isolate. Never destroyed: other threads may free a buffer through it at any time.
  static ArrayBufferMeter* OfThisThread();

  // Puts counting wrappers before the isolate's allocator, once however often it is asked for. `live_bytes`: what it holds
  // already. False, and nothing changed, where the allocator is not Node's own (an embedder's, Electron's).
  bool Install(v8::Isolate* isolate, uint64_t live_bytes);
  // The counterpart of each Install that was true: the last one gives the allocator its own functions back.
  void Remove();

  BufferSampler& sampler() { return sampler_; }

  bool installed() const { return allocator_ != nullptr; }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  void Add(int64_t delta) { bytes_.fetch_add(static_cast<uint64_t>(delta), std::memory_order_relaxed); }

 private:
  void** CopyTable(void** original);

  std::atomic<uint64_t> bytes_{0};
  BufferSampler sampler_;
  int users_ = 0;
  void* allocator_ = nullptr;
  void** table_ = nullptr;  // our copy of the allocator's virtual function table
  void** original_ = nullptr;
};

}  // namespace gcspike
