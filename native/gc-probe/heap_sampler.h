// Which functions allocate, and which of their objects stay: a sample of all objects, each with the stack that made it, at
// its birth and at its death.
//
// V8's sampling heap profiler decides which allocations are seen. It names the frames on the stack, and so blames the
// caller of every function that the optimiser inlined: its allocation observer gets our functions in place of its own,
// through a copied table of virtual functions as with Node's ArrayBuffer allocator. V8's own samples stay empty.
#pragma once

#include <v8-profiler.h>
#include <v8.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "collections.h"
#include "javascript_stacks.h"
#include "mapped_log.h"
#include "sampling_interval.h"
#include "stack_table.h"

namespace gcspike {

enum class Sampler { kNone, kFrames, kExact };

class HeapSampler {
 public:
  // On the isolate's thread. kNone, and nothing has changed, where V8 is not as we know it or somebody else is sampling.
  // kFrames: inlined functions stay unknown. `inlined`: code that is optimised from now on shall tell them, for which V8
  // looks at its whole heap.
  Sampler Start(v8::Isolate* isolate, MappedLog* log, StackTable* table, JavaScriptStacks* stacks,
                const Collections* collections, uint64_t interval_bytes, bool inlined);
  // Now and then, on the isolate's thread, outside collections.
  void Tick(uint64_t now_ns);
  // Leaves V8's sampler to the program; what is alive is still watched.
  void Yield();
  // Ends everything. On the isolate's thread, while it can still run.
  void Stop();
  bool is_sampling() const { return sampling_; }

 private:
  // An object that was sampled and is alive.
  struct Live {
    v8::Global<v8::Value> object;
    HeapSampler* sampler;
    uint64_t number;
    uint64_t bytes;
    uint64_t stands_for;
    uint32_t stack;
  };
  struct Observer;

  static void Step(void* observer, int bytes_allocated, uintptr_t soon_object, size_t size);
  static intptr_t GetNextStepSize(void* observer);
  static void OnDeath(const v8::WeakCallbackInfo<Live>& info);
  static HeapSampler* Of(void* observer);

  bool TakeObserver();
  bool IsOurs() const;
  void StopProfiler();
  void Sample(uintptr_t soon_object, size_t size);
  bool Append(const SampleRecord& record);
  Live* NewLive();

  v8::Isolate* isolate_ = nullptr;
  MappedLog* log_ = nullptr;
  StackTable* table_ = nullptr;
  JavaScriptStacks* stacks_ = nullptr;
  const Collections* collections_ = nullptr;
  SamplingInterval interval_;
  // Where V8's HeapProfiler holds its SamplingHeapProfiler, and what stood there when the observer was taken.
  uintptr_t* profiler_place_ = nullptr;
  uintptr_t profiler_ = 0;
  uintptr_t* observer_ = nullptr;
  uintptr_t* table_of_observer_ = nullptr;
  bool sampling_ = false;
  uint64_t count_ = 0;
  std::vector<std::unique_ptr<Live[]>> blocks_;
  std::vector<Live*> free_;
  size_t live_count_ = 0;
  size_t raise_at_ = 0;
};

}  // namespace gcspike
