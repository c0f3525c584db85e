#include "worker_reach.h"

#include <node.h>
#include <v8.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "trace_spans.h"

namespace gcspike {
namespace {

// A worker that is not ready after so many tries never will be: the thread of module hooks, a program that broke its own modules.
constexpr int kMostTries = 200;
// So many frames are looked at for one of the program's.
constexpr int kFrames = 64;

struct Function {
  uint32_t number;
  std::string source;
  // Where the files are that it loads.
  std::string folder;
};

// What all threads share. Never destroyed.
struct Shared {
  std::mutex mutex;
  std::vector<Function> functions;
  // Isolates that wait for `mutex` before they end.
  std::vector<v8::Isolate*> isolates;
};

Shared& shared() {
  static Shared& instance = *new Shared;
  return instance;
}

// The number of the function that came last.
std::atomic<uint32_t> newest{0};

struct Thread {
  // It needs none of the functions up to this one.
  uint32_t answered;
  int tries;
  // V8 has our interrupt.
  bool is_asked;
  // Node is through with preparing the environment.
  bool is_looping;
  // The environment tells us when it ends.
  bool is_hooked;
  // It has ended, or is not to be asked.
  bool is_over;
  bool is_evaluating;
};

thread_local Thread this_thread = {};

void OnInterrupt(v8::Isolate* isolate, void*);

bool IsDone() { return this_thread.is_over || this_thread.answered == newest.load(std::memory_order_relaxed); }

// While the isolate cannot end. In a collection, too: V8 does the same there.
void Ask(v8::Isolate* isolate) { isolate->RequestInterrupt(OnInterrupt, nullptr); }

void OnEnvironmentEnd(void* data) {
  this_thread.is_over = true;
  std::lock_guard<std::mutex> guard(shared().mutex);
  std::erase(shared().isolates, static_cast<v8::Isolate*>(data));
}

// Null where it is no context of Node's.
node::Environment* EnvironmentOf(v8::Isolate* isolate) {
  return isolate->InContext() ? node::GetCurrentEnvironment(isolate->GetCurrentContext()) : nullptr;
}

// Called by Node, which does so no more where the cleanup hook would come too late.
void OnEnvironment(void* data) {
  auto* isolate = static_cast<v8::Isolate*>(data);
  const v8::HandleScope scope(isolate);
  if (this_thread.is_hooked || EnvironmentOf(isolate) == nullptr) return;
  this_thread.is_hooked = true;
  node::AddEnvironmentCleanupHook(isolate, OnEnvironmentEnd, isolate);
  {
    std::lock_guard<std::mutex> guard(shared().mutex);
    shared().isolates.push_back(isolate);
  }
  Ask(isolate);
}

// The scripts on the stack, "" for one without a name.
std::vector<std::string> RunningScripts(v8::Isolate* isolate) {
  std::vector<std::string> names;
  const auto stack = v8::StackTrace::CurrentStackTrace(isolate, kFrames, v8::StackTrace::kScriptName);
  for (int i = 0; i < stack->GetFrameCount(); i++) {
    const v8::Local<v8::String> name = stack->GetFrame(isolate, static_cast<uint32_t>(i))->GetScriptName();
    const v8::String::Utf8Value text(isolate, name);
    names.emplace_back(name.IsEmpty() || *text == nullptr ? "" : std::string(*text, static_cast<size_t>(text.length())));
  }
  return names;
}

// Node's own scripts have names that begin with "node:".
bool IsOfProgram(const std::string& script) { return !script.empty() && script.compare(0, 5, "node:") != 0; }

bool IsIn(const std::string& folder, const std::string& script) { return script.compare(0, folder.size(), folder) == 0; }

v8::Local<v8::String> ToText(v8::Isolate* isolate, const std::string& text) {
  const auto length = static_cast<int>(text.size());
  return v8::String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kNormal, length).ToLocalChecked();
}

// Whether the function need not be called again.
bool Call(v8::Isolate* isolate, v8::Local<v8::Context> context, const std::string& source, bool runs_program) {
  const v8::TryCatch thrown(isolate);
  v8::Local<v8::Script> script;
  v8::Local<v8::Value> function, answer;
  v8::Local<v8::Value> argument = v8::Boolean::New(isolate, runs_program);
  const bool answered = v8::Script::Compile(context, ToText(isolate, "(" + source + ")")).ToLocal(&script) &&
                        script->Run(context).ToLocal(&function) && function->IsFunction() &&
                        function.As<v8::Function>()->Call(context, v8::Undefined(isolate), 1, &argument).ToLocal(&answer);
  if (thrown.HasTerminated()) {
    // It was meant for what was interrupted, too, and shall reach that as an interrupt: a termination that is scheduled already when
    // Atomics.wait sees it aborts Node 20.
    isolate->CancelTerminateExecution();
    isolate->TerminateExecution();
  }
  return answered && answer->IsTrue();
}

std::vector<Function> FunctionsAfter(uint32_t number) {
  std::vector<Function> result;
  std::lock_guard<std::mutex> guard(shared().mutex);
  std::copy_if(shared().functions.begin(), shared().functions.end(), std::back_inserter(result),
               [number](const Function& function) { return function.number > number; });
  return result;
}

void Evaluate(v8::Isolate* isolate, node::Environment* environment) {
  const std::vector<std::string> scripts = RunningScripts(isolate);
  const bool runs_program = std::any_of(scripts.begin(), scripts.end(), IsOfProgram);
  // Before Node is prepared, what it loads for us would come too early.
  if (!runs_program && !this_thread.is_looping) return;
  const v8::Local<v8::Context> context = node::GetMainContext(environment);
  const v8::Context::Scope in_context(context);
  const v8::MicrotasksScope no_microtasks(context, v8::MicrotasksScope::kDoNotRunMicrotasks);
  const uint32_t last = newest;
  for (const Function& function : FunctionsAfter(this_thread.answered)) {
    // Another gcspike is being started here: what the two share is in the making.
    if (std::any_of(scripts.begin(), scripts.end(), [&](const auto& name) { return IsIn(function.folder, name); })) return;
    if (!Call(isolate, context, function.source, runs_program) && ++this_thread.tries < kMostTries) return;
    this_thread.answered = function.number;
    this_thread.tries = 0;
  }
  this_thread.answered = std::max(this_thread.answered, last);
}

// Called by V8 in the middle of JavaScript.
void OnInterrupt(v8::Isolate* isolate, void*) {
  this_thread.is_asked = false;
  if (IsDone() || this_thread.is_evaluating || isolate->IsExecutionTerminating()) return;
  const v8::HandleScope scope(isolate);
  node::Environment* const environment = EnvironmentOf(isolate);
  if (environment == nullptr) return;
  if (!this_thread.is_hooked) {
    node::RequestInterrupt(environment, OnEnvironment, isolate);
    return;
  }
  this_thread.is_evaluating = true;
  Evaluate(isolate, environment);
  this_thread.is_evaluating = false;
}

}  // namespace

bool WorkerReach::IsPossible() { return CanListenToThreads(); }

uint32_t WorkerReach::Begin(std::string function, std::string folder) {
  ListenToThreads();
  this_thread.is_over = true;
  uint32_t number;
  {
    std::lock_guard<std::mutex> guard(shared().mutex);
    number = newest + 1;
    shared().functions.push_back({number, std::move(function), std::move(folder)});
    newest = number;
  }
  AskAll();
  return number;
}

void WorkerReach::End(uint32_t number) {
  {
    std::lock_guard<std::mutex> guard(shared().mutex);
    if (std::erase_if(shared().functions, [number](const Function& function) { return function.number == number; }) == 0) return;
  }
  StopListening();
}

void WorkerReach::AskAll() {
  std::lock_guard<std::mutex> guard(shared().mutex);
  for (v8::Isolate* isolate : shared().isolates) Ask(isolate);
}

void WorkerReach::OnEvent(ThreadEvent event) {
  if (event == ThreadEvent::kTurnsLoop) this_thread.is_looping = true;
  if (IsDone() || this_thread.is_asked) return;
  v8::Isolate* const isolate = v8::Isolate::TryGetCurrent();
  if (isolate == nullptr) return;
  this_thread.is_asked = true;
  Ask(isolate);
}

}  // namespace gcspike
