// The recording of one isolate: its logs and collectors, from the agent's start until the recorder wants no more or the
// environment ends.
#pragma once

#include <node.h>
#include <v8.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "allocation_windows.h"
#include "array_buffer_meter.h"
#include "collections.h"
#include "heap_sampler.h"
#include "heap_samples.h"
#include "javascript_stacks.h"
#include "loop_call.h"
#include "loop_watch.h"
#include "mapped_log.h"
#include "stack_table.h"
#include "trace_spans.h"

namespace gcspike {

struct SessionOptions {
  std::string folder;
  std::string isolate_id;
  uint32_t thread_id;
  bool phases;
  bool allocations;
  uint64_t allocation_interval_bytes;
  uint64_t allocation_window_ns;
  uint64_t array_buffer_bytes;
  // The JavaScript function that starts the session.
  std::string caller;
  // Whether code from now on says which functions it inlined; V8 looks at its whole heap for that.
  bool inlined;
  // See RecorderWatch; "": this session does not stop before its environment ends.
  std::string recorder_file;
  uint32_t recorder_pid;
  // Called on the event loop when the session has stopped recording.
  v8::Local<v8::Function> on_stop;
  // The recorder keeps the last of each log only.
  bool ring;
};

// What could be started; the agent writes it into the isolate's descriptor.
struct SessionResult {
  bool gc;
  bool phases;
  bool allocations;
  bool array_buffers;
  bool trigger_stacks;
  bool tags;
  Sampler sampler;
  // Names the session to AppendTag.
  uint32_t session;
  // Into which recording allocations go, where another one has the isolate's sampler; "" otherwise.
  std::string sampled_into;
};

class Session {
 public:
  // On the isolate's thread. Nothing is started while kMostSessions of this isolate go on.
  static SessionResult Start(v8::Isolate* isolate, const SessionOptions& options);
  // The folders into which the calling thread's isolate is being recorded. Sessions that were asked to stop do so now.
  static std::vector<std::string> RecordedInto();
  // Leaves V8's heap sampler to the program, for good: that of the calling thread's isolate; that of the one with this thread id,
  // which does so before whatever it is asked to do next.
  static void YieldSampler();
  static void RequestYieldSampler(uint32_t thread_id);
  // On the isolate's thread: appends a record of .tags to a session's. False where there is no room, or no such session.
  static bool AppendTag(uint32_t session, v8::Local<v8::ArrayBufferView> record);

  // Background thread, every 100 ms. False when nothing is left to do: the logs are closed.
  bool Tick();
  // Background thread: the recorder wants no more. Answered when JavaScript next runs or the event loop turns.
  void RequestStop();

 private:
  Session(v8::Isolate* isolate, const SessionOptions& options);
  SessionResult StartCollectors(const SessionOptions& options);
  void StartAllocations(const SessionOptions& options, SessionResult* result);
  void StartBuffers(uint64_t interval_bytes);
  bool OpenLog(MappedLog* log, const char* suffix, LogKind kind, size_t record_bytes, uint64_t ahead, uint64_t limit) const;
  bool is_sampling() const { return heap_sampler_.is_sampling() || allocations_.is_sampling(); }
  void Yield();
  void RequestYield();
  bool Append(v8::Local<v8::ArrayBufferView> tag);
  LoopRecord SampleLoop();
  void RequestSample();
  static void OnInterrupt(v8::Isolate* isolate, void* self);
  static void OnYieldRequest(void* self);
  static void OnStopRequest(void* self);
  static void OnEnvironmentEnd(void* self, void (*done)(void*), void* argument);
  static void OnLoopWatchClosed(void* self);
  static void OnLoopReleased(void* self);
  static void OnProcessExit(void*);
  void WatchProcessExit();
  bool is_attached() const { return !recorder_file_.empty(); }
  // Takes everything out of the isolate but what is the event loop's, unless it collects now. May run in the middle of
  // JavaScript.
  void StopRecording();
  // When nothing is recorded any more: tells the agent, and lets go of the event loop.
  void Leave();
  void LetGoOfLoop();
  void TakeOut();
  // This thread has it no longer.
  void Forget();
  void CloseLogs();
  void Release();
  // Writes what is not written yet; nothing more is sampled, pauses still are recorded.
  void FinishSampling();

  const uint32_t number_;
  v8::Isolate* const isolate_;
  node::Environment* const environment_;
  const std::string folder_, isolate_id_;
  const uint32_t thread_id_;
  const uint64_t allocation_window_ns_;
  const std::string recorder_file_;
  const bool ring_;
  v8::Global<v8::Function> on_stop_;
  clockid_t thread_clock_ = CLOCK_MONOTONIC;
  bool has_thread_clock_ = false;
  // Keeps the session alive until its isolate needs it no longer; the background thread may for longer.
  std::shared_ptr<Session> self_;
  // Held for moments only: the isolate's thread may wait for it. `alive_`: it takes interrupts.
  std::mutex isolate_mutex_;
  bool alive_ = true;
  // Held while the disk works. Only a worker that ends waits for it.
  std::mutex files_mutex_;
  bool files_closed_ = false;
  std::atomic<bool> interrupt_pending_{false};
  std::atomic<bool> yield_pending_{false};
  std::atomic<bool> stop_requested_{false};
  // Nothing is written any more: the background thread closes the logs.
  std::atomic<bool> recording_over_{false};
  bool in_interrupt_ = false;
  bool sampling_ = true;
  bool letting_go_ = false;
  // The loop has let go: what may still come are interrupts that V8 did not get to.
  bool released_ = false;

  std::array<MappedLog*, 10> logs() {
    return {&gc_log_,   &heap_log_,   &phases_log_,  &functions_log_, &alloc_log_,
            &loop_log_, &stacks_log_, &samples_log_, &buffers_log_,   &tags_log_};
  }

  MappedLog gc_log_, heap_log_, phases_log_, functions_log_, alloc_log_, loop_log_, stacks_log_, samples_log_,
      buffers_log_, tags_log_;
  ArrayBufferMeter* const array_buffers_;  // the isolate's, which outlives the session
  bool counts_array_buffers_ = false;
  BufferSampler* buffer_sampler_ = nullptr;  // the isolate's, while this session has it
  JavaScriptStacks stacks_;
  StackTable stack_table_;
  Collections* collections_ = nullptr;  // the isolate's, from start to TakeOut
  TraceSpans spans_;
  HeapSamples heap_;
  HeapSampler heap_sampler_;
  AllocationWindows allocations_;
  LoopWatch loop_watch_;
  LoopCall stop_call_;
  node::AsyncCleanupHookHandle cleanup_;
  void (*environment_done_)(void*) = nullptr;
  void* environment_done_argument_ = nullptr;
};

}  // namespace gcspike
