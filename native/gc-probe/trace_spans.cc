#include "trace_spans.h"

#include <dlfcn.h>
#include <node.h>
#include <v8-platform.h>

#include <cstring>
#include <memory>
#include <mutex>

#include "clock.h"
#include "few.h"
#include "worker_reach.h"

namespace gcspike {
namespace {

// Spans shorter than this say nothing and would be most of the file.
constexpr uint64_t kShortestInnerNs = 2000;
constexpr uint64_t kShortestOuterNs = 500;

// The two category groups that V8's collector uses for reasons (MajorGC, MinorGC) and for its phases, and Node's, which tells of each
// turn of an event loop. Others are left alone: disabled-by-default-v8.gc_stats made pauses of 570 ms on Node 26.
constexpr const char* kGroups[] = {"devtools.timeline,v8", "devtools.timeline,disabled-by-default-v8.gc",
                                   "node,node.environment"};
constexpr int kReasons = 0;
constexpr int kPhases = 1;
constexpr int kEnvironments = 2;
constexpr int kGroupCount = 3;

// Slots of v8::TracingController's virtual function table, the same in V8 11 to 14 (Itanium C++ ABI).
constexpr int kAddTraceEvent = 3;
constexpr int kAddTraceEventWithTimestamp = 4;
constexpr int kUpdateTraceEventDuration = 5;
constexpr size_t kSlots = 16;
constexpr size_t kPrefix = 2;

constexpr uint8_t kTypeString = 6;
constexpr uint8_t kEnabledForRecording = 1;

// Handles of ours that V8 hands back have this above the depth, so that none looks like the controller's own.
constexpr uint64_t kHandleMark = 0x6763737069ull << 16;

using Convertables = std::unique_ptr<v8::ConvertableToTraceFormat>*;
using AddFunction = uint64_t (*)(v8::TracingController*, char, const uint8_t*, const char*, const char*, uint64_t,
                                 uint64_t, int32_t, const char**, const uint8_t*, const uint64_t*, Convertables,
                                 unsigned);
using AddTimedFunction = uint64_t (*)(v8::TracingController*, char, const uint8_t*, const char*, const char*, uint64_t,
                                      uint64_t, int32_t, const char**, const uint8_t*, const uint64_t*, Convertables,
                                      unsigned, int64_t);
using UpdateFunction = void (*)(v8::TracingController*, const uint8_t*, const char*, uint64_t);

constexpr uint32_t kMaxDepth = 64;

// The spans that are open on one thread, and who records them; used on that thread alone.
class OpenSpans {
 public:
  void Begin(const char* name, const char* reason, uint64_t original_handle);
  // Ends the innermost span with this name.
  void EndNamed(const char* name, uint64_t used_after);
  // Ends the span at this depth; the handle that Begin was given.
  uint64_t EndAt(uint32_t depth);
  uint32_t depth() const { return depth_; }

  Few<TraceSpans*> recorders;

 private:
  void End(uint32_t depth, uint64_t used_after);

  uint32_t depth_ = 0;
  Span open_[kMaxDepth];
};

void OpenSpans::Begin(const char* name, const char* reason, uint64_t original_handle) {
  // Spans whose end never came (tracing switched off meanwhile) must not fill the stack for good.
  if (depth_ == kMaxDepth) depth_ = 0;
  open_[depth_++] = {NowNs(), name, reason, original_handle};
}

void OpenSpans::EndNamed(const char* name, uint64_t used_after) {
  for (uint32_t i = depth_; i-- > 0;) {
    if (strcmp(open_[i].name, name) == 0) return End(i, used_after);
  }
}

uint64_t OpenSpans::EndAt(uint32_t depth) {
  if (depth >= depth_) return 0;
  End(depth, 0);
  return open_[depth].original_handle;
}

void OpenSpans::End(uint32_t depth, uint64_t used_after) {
  const uint64_t end_ns = NowNs();
  depth_ = depth;
  for (TraceSpans* spans : recorders) spans->Write(open_[depth], depth, end_ns, used_after);
}

// Null where nobody records.
thread_local OpenSpans* this_thread = nullptr;

// One a process: the tracing controller is shared by all isolates. Never destroyed.
struct Hook {
  bool installed = false;
  // How many want this group: recordings of isolates, and WorkerReach.
  std::atomic<int> users[kGroupCount] = {};
  void** original = nullptr;
  uint8_t* flags[kGroupCount] = {};
  // Whether the program itself traces this group.
  std::atomic<bool> forward[kGroupCount] = {};
};
Hook hook;
std::mutex hook_mutex;

// The index of a group that we switched on, or -1.
int GroupOf(const uint8_t* flag) {
  for (int i = 0; i < kGroupCount; i++) {
    if (hook.flags[i] == flag) return i;
  }
  return -1;
}

bool IsForwarded(int group) { return group < 0 || hook.forward[group].load(std::memory_order_relaxed); }

struct Arguments {
  const char* reason = nullptr;
  uint64_t used_after = 0;
};

Arguments ReadArguments(int32_t count, const char** names, const uint8_t* types, const uint64_t* values) {
  Arguments result;
  for (int32_t i = 0; i < count; i++) {
    // The collector's reasons are literals; a text to be copied would be gone when the span ends.
    if (strcmp(names[i], "type") == 0 && types[i] == kTypeString) {
      result.reason = reinterpret_cast<const char*>(values[i]);
    } else if (strcmp(names[i], "usedHeapSizeAfter") == 0) {
      result.used_after = values[i];
    }
  }
  return result;
}

// Records the event on this thread; the handle that V8 gets for it (0: none).
uint64_t Record(char phase, const char* name, int32_t count, const char** arg_names, const uint8_t* arg_types,
                const uint64_t* arg_values, uint64_t original_handle) {
  OpenSpans* const spans = this_thread;
  if (spans == nullptr) return original_handle;
  if (phase == 'X') {
    spans->Begin(name, nullptr, original_handle);
    return kHandleMark | (spans->depth() - 1);
  }
  if (phase == 'B') {
    spans->Begin(name, ReadArguments(count, arg_names, arg_types, arg_values).reason, original_handle);
  } else if (phase == 'E') {
    spans->EndNamed(name, ReadArguments(count, arg_names, arg_types, arg_values).used_after);
  }
  return original_handle;
}

void TellReach(int group, char phase, const char* name) {
  if (group == kReasons) {
    // V8's helper threads have no such events.
    if (phase == 'B') WorkerReach::OnEvent(ThreadEvent::kCollects);
  } else if (group == kEnvironments) {
    if (strcmp(name, "CheckImmediate") == 0) WorkerReach::OnEvent(ThreadEvent::kTurnsLoop);
    else if (strcmp(name, "Environment") == 0 && phase == 'b') WorkerReach::OnEvent(ThreadEvent::kBegins);
  }
}

uint64_t Add(v8::TracingController* self, char phase, const uint8_t* flag, const char* name, const char* scope,
             uint64_t id, uint64_t bind_id, int32_t count, const char** arg_names, const uint8_t* arg_types,
             const uint64_t* arg_values, Convertables convertables, unsigned flags) {
  const int group = GroupOf(flag);
  uint64_t handle = 0;
  if (IsForwarded(group)) {
    handle = reinterpret_cast<AddFunction>(hook.original[kAddTraceEvent])(self, phase, flag, name, scope, id, bind_id,
                                                                          count, arg_names, arg_types, arg_values,
                                                                          convertables, flags);
  }
  if (group < 0) return handle;
  TellReach(group, phase, name);
  return group == kEnvironments ? handle : Record(phase, name, count, arg_names, arg_types, arg_values, handle);
}

uint64_t AddTimed(v8::TracingController* self, char phase, const uint8_t* flag, const char* name, const char* scope,
                  uint64_t id, uint64_t bind_id, int32_t count, const char** arg_names, const uint8_t* arg_types,
                  const uint64_t* arg_values, Convertables convertables, unsigned flags, int64_t timestamp) {
  // The collector gives no timestamps of its own; whoever does is not for us.
  if (!IsForwarded(GroupOf(flag))) return 0;
  return reinterpret_cast<AddTimedFunction>(hook.original[kAddTraceEventWithTimestamp])(
      self, phase, flag, name, scope, id, bind_id, count, arg_names, arg_types, arg_values, convertables, flags,
      timestamp);
}

void Update(v8::TracingController* self, const uint8_t* flag, const char* name, uint64_t handle) {
  const bool ours = (handle & ~0xffffull) == kHandleMark;
  if (ours) {
    OpenSpans* const spans = this_thread;
    if (spans == nullptr) return;
    handle = spans->EndAt(static_cast<uint32_t>(handle & 0xffff));
  }
  if (handle == 0 || !IsForwarded(GroupOf(flag))) return;
  reinterpret_cast<UpdateFunction>(hook.original[kUpdateTraceEventDuration])(self, flag, name, handle);
}

// What a flag says is what the program itself traces.
void ReadFlag(int group) {
  hook.forward[group].store((*hook.flags[group] & kEnabledForRecording) != 0, std::memory_order_relaxed);
  if (hook.users[group] > 0) *hook.flags[group] |= kEnabledForRecording;
}

void ReadFlags() {
  for (int i = 0; i < kGroupCount; i++) ReadFlag(i);
}

// With hook_mutex.
void Want(int group) {
  // A second time would take our flag for the program's.
  if (hook.users[group]++ == 0) ReadFlag(group);
}

// With hook_mutex.
void Unwant(int group) {
  if (--hook.users[group] == 0 && !hook.forward[group]) *hook.flags[group] &= static_cast<uint8_t>(~kEnabledForRecording);
}

// Node's controller writes the flags anew whenever a program starts or stops its own tracing; ours go back on then.
class KeepEnabled : public v8::TracingController::TraceStateObserver {
 public:
  void OnTraceEnabled() override { ReadFlags(); }
  void OnTraceDisabled() override { ReadFlags(); }
};

// Stays for good, also when nobody records: V8's helper threads may be between a flag and the call. Without flags V8 calls
// nothing here.
bool InstallHook() {
  if (hook.installed) return true;
  v8::TracingController* controller = node::GetTracingController();
  char* known = static_cast<char*>(dlsym(RTLD_DEFAULT, "_ZTVN4node7tracing17TracingControllerE"));
  if (controller == nullptr || known == nullptr) return false;
  void** original = *reinterpret_cast<void***>(controller);
  if (reinterpret_cast<char*>(original) != known + kPrefix * sizeof(void*)) return false;
  hook.original = original;
  for (int i = 0; i < kGroupCount; i++) {
    hook.flags[i] = const_cast<uint8_t*>(controller->GetCategoryGroupEnabled(kGroups[i]));
  }
  void** copy = new void*[kPrefix + kSlots];  // leaked on purpose: V8 calls through it until the process is gone
  std::memcpy(copy, original - kPrefix, (kPrefix + kSlots) * sizeof(void*));
  void** table = copy + kPrefix;
  table[kAddTraceEvent] = reinterpret_cast<void*>(&Add);
  table[kAddTraceEventWithTimestamp] = reinterpret_cast<void*>(&AddTimed);
  table[kUpdateTraceEventDuration] = reinterpret_cast<void*>(&Update);
  __atomic_store_n(reinterpret_cast<void***>(controller), table, __ATOMIC_RELEASE);
  controller->AddTraceStateObserver(new KeepEnabled());
  hook.installed = true;
  return true;
}

}  // namespace

bool CanListenToThreads() {
  std::lock_guard<std::mutex> guard(hook_mutex);
  return InstallHook();
}

void ListenToThreads() {
  std::lock_guard<std::mutex> guard(hook_mutex);
  Want(kReasons);
  Want(kEnvironments);
}

void StopListening() {
  std::lock_guard<std::mutex> guard(hook_mutex);
  Unwant(kReasons);
  Unwant(kEnvironments);
}

bool TraceSpans::Start(MappedLog* log) {
  std::lock_guard<std::mutex> guard(hook_mutex);
  if (!InstallHook()) return false;
  Want(kReasons);
  Want(kPhases);
  log_ = log;
  since_ns_ = NowNs();
  if (this_thread == nullptr) this_thread = new OpenSpans;
  this_thread->recorders.Add(this);
  return true;
}

void TraceSpans::Stop() {
  if (log_ == nullptr) return;
  log_ = nullptr;
  this_thread->recorders.RemoveIf([this](const TraceSpans* spans) { return spans == this; });
  if (this_thread->recorders.empty()) {
    delete this_thread;
    this_thread = nullptr;
  }
  std::lock_guard<std::mutex> guard(hook_mutex);
  Unwant(kReasons);
  Unwant(kPhases);
}

void TraceSpans::Write(const Span& span, uint32_t depth, uint64_t end_ns, uint64_t used_after) {
  if (span.start_ns < since_ns_) return;
  const uint64_t duration = end_ns - span.start_ns;
  if (duration < (depth == 0 ? kShortestOuterNs : kShortestInnerNs)) return;
  const int name = Intern(span.name);
  if (name < 0) return;
  auto* record = static_cast<PhaseRecord*>(log_->Reserve(sizeof(PhaseRecord)));
  if (record == nullptr) return;
  const int reason = span.reason == nullptr ? -1 : Intern(span.reason);
  *record = {span.start_ns,
             duration,
             static_cast<uint16_t>(name),
             static_cast<uint16_t>(reason + 1),
             static_cast<uint8_t>(depth),
             {0, 0, 0},
             used_after};
  log_->Commit(sizeof(PhaseRecord));
}

// Trace names are string literals: the address finds them, and the text only where the address is new.
int TraceSpans::Intern(const char* text) {
  const uint32_t hash = static_cast<uint32_t>((reinterpret_cast<uintptr_t>(text) >> 2) * 2654435761u);
  for (uint32_t i = 0; i < kTableSize; i++) {
    Interned& slot = table_[(hash + i) % kTableSize];
    if (slot.text == text) return slot.index;
    if (slot.text == nullptr) {
      slot = {text, log_->FindOrAddString(text)};
      return slot.index;
    }
  }
  return -1;
}

}  // namespace gcspike
