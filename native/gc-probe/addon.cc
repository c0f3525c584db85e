// Registration: translates the agent's options, nothing else.
#include <node.h>
#include <v8.h>

#include <string>
#include <vector>

#include "session.h"
#include "worker_reach.h"

namespace gcspike {
namespace {

using v8::Context;
using v8::FunctionCallbackInfo;
using v8::Isolate;
using v8::Local;
using v8::Object;
using v8::String;
using v8::Value;

Local<Value> Get(Isolate* isolate, Local<Object> object, const char* name) {
  Local<Value> value;
  const Local<String> key = String::NewFromUtf8(isolate, name).ToLocalChecked();
  if (!object->Get(isolate->GetCurrentContext(), key).ToLocal(&value)) return v8::Undefined(isolate);
  return value;
}

// "" where there is none.
std::string Text(Isolate* isolate, Local<Object> object, const char* name) {
  const Local<Value> value = Get(isolate, object, name);
  if (!value->IsString()) return "";
  const String::Utf8Value text(isolate, value);
  return *text == nullptr ? "" : std::string(*text, static_cast<size_t>(text.length()));
}

double Number(Isolate* isolate, Local<Object> object, const char* name) {
  return Get(isolate, object, name)->NumberValue(isolate->GetCurrentContext()).FromMaybe(0);
}

bool Flag(Isolate* isolate, Local<Object> object, const char* name) {
  return Get(isolate, object, name)->BooleanValue(isolate);
}

Local<Value> ToText(Isolate* isolate, const std::string& text) {
  const auto length = static_cast<int>(text.size());
  return String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kNormal, length).ToLocalChecked();
}

void Set(Isolate* isolate, Local<Object> object, const char* name, Local<Value> value) {
  object->Set(isolate->GetCurrentContext(), String::NewFromUtf8(isolate, name).ToLocalChecked(), value).Check();
}

void Set(Isolate* isolate, Local<Object> object, const char* name, bool value) {
  Set(isolate, object, name, v8::Boolean::New(isolate, value).As<Value>());
}

void Set(Isolate* isolate, Local<Object> object, const char* name, double value) {
  Set(isolate, object, name, v8::Number::New(isolate, value).As<Value>());
}

// start({folder, isolateId, threadId, phases, allocations, allocationIntervalBytes, allocationWindowMs,
// arrayBufferBytes, caller, inlined, ring, recorderFile?, recorderPid?, onStop?}) -> {gc, phases, allocations, arrayBuffers,
// triggerStacks, tags, session, sampledInto, sampler?, heapLimitBytes}: what could be started, the number that appendTag takes, the
// recording that has the isolate's sampler ("": none but this one), and the heap's limit.
void Start(const FunctionCallbackInfo<Value>& args) {
  Isolate* isolate = args.GetIsolate();
  if (args.Length() < 1 || !args[0]->IsObject()) return;
  const Local<Object> options = args[0].As<Object>();
  const Local<Value> on_stop = Get(isolate, options, "onStop");
  const SessionResult result =
      Session::Start(isolate, {
                                  Text(isolate, options, "folder"),
                                  Text(isolate, options, "isolateId"),
                                  static_cast<uint32_t>(Number(isolate, options, "threadId")),
                                  Flag(isolate, options, "phases"),
                                  Flag(isolate, options, "allocations"),
                                  static_cast<uint64_t>(Number(isolate, options, "allocationIntervalBytes")),
                                  static_cast<uint64_t>(Number(isolate, options, "allocationWindowMs") * 1e6),
                                  static_cast<uint64_t>(Number(isolate, options, "arrayBufferBytes")),
                                  Text(isolate, options, "caller"),
                                  Flag(isolate, options, "inlined"),
                                  Text(isolate, options, "recorderFile"),
                                  static_cast<uint32_t>(Number(isolate, options, "recorderPid")),
                                  on_stop->IsFunction() ? on_stop.As<v8::Function>() : Local<v8::Function>(),
                                  Flag(isolate, options, "ring"),
                              });
  // Without a prototype it takes part in no hidden classes of the program's (scripts/own-shapes.mjs).
  const Local<Object> answer = Object::New(isolate, v8::Null(isolate), nullptr, nullptr, 0);
  Set(isolate, answer, "gc", result.gc);
  Set(isolate, answer, "phases", result.phases);
  Set(isolate, answer, "allocations", result.allocations);
  Set(isolate, answer, "arrayBuffers", result.array_buffers);
  Set(isolate, answer, "triggerStacks", result.trigger_stacks);
  Set(isolate, answer, "tags", result.tags);
  Set(isolate, answer, "session", static_cast<double>(result.session));
  Set(isolate, answer, "sampledInto", ToText(isolate, result.sampled_into));
  if (result.allocations) {
    const char* const sampler = result.sampler == Sampler::kExact    ? "exact"
                                : result.sampler == Sampler::kFrames ? "frames"
                                                                     : "v8";
    Set(isolate, answer, "sampler", String::NewFromUtf8(isolate, sampler).ToLocalChecked().As<Value>());
  }
  v8::HeapStatistics heap;
  isolate->GetHeapStatistics(&heap);
  Set(isolate, answer, "heapLimitBytes", static_cast<double>(heap.heap_size_limit()));
  args.GetReturnValue().Set(answer);
}

// recordedInto() -> string[]: the folders into which this isolate is being recorded.
void RecordedInto(const FunctionCallbackInfo<Value>& args) {
  Isolate* isolate = args.GetIsolate();
  std::vector<Local<Value>> folders;
  for (const std::string& folder : Session::RecordedInto()) folders.push_back(ToText(isolate, folder));
  args.GetReturnValue().Set(v8::Array::New(isolate, folders.data(), folders.size()));
}

// yieldSampler(threadId?): leaves V8's heap sampler of this isolate, or of the worker with this thread id, to the program.
void YieldSampler(const FunctionCallbackInfo<Value>& args) {
  if (args.Length() == 0) return Session::YieldSampler();
  const Local<Context> context = args.GetIsolate()->GetCurrentContext();
  Session::RequestYieldSampler(args[0]->Uint32Value(context).FromMaybe(0));
}

// appendTag(session: number, record: Uint8Array) -> boolean: appends a record of .tags; false where there is no room for it.
void AppendTag(const FunctionCallbackInfo<Value>& args) {
  const bool appended = args.Length() > 1 && args[0]->IsUint32() && args[1]->IsUint8Array() &&
                        Session::AppendTag(args[0].As<v8::Uint32>()->Value(), args[1].As<v8::Uint8Array>());
  args.GetReturnValue().Set(appended);
}

// canReachWorkers() -> boolean
void CanReachWorkers(const FunctionCallbackInfo<Value>& args) { args.GetReturnValue().Set(WorkerReach::IsPossible()); }

// reachWorkers(source: string, folder: string) -> number: has the workers of this process call a function (see WorkerReach), until
// leaveWorkers(number).
void ReachWorkers(const FunctionCallbackInfo<Value>& args) {
  const v8::String::Utf8Value source(args.GetIsolate(), args[0]);
  const v8::String::Utf8Value folder(args.GetIsolate(), args[1]);
  if (*source == nullptr || *folder == nullptr) return;
  args.GetReturnValue().Set(WorkerReach::Begin(std::string(*source, static_cast<size_t>(source.length())),
                                               std::string(*folder, static_cast<size_t>(folder.length()))));
}

// askWorkers(): has them do so now.
void AskWorkers(const FunctionCallbackInfo<Value>&) { WorkerReach::AskAll(); }

// leaveWorkers(number): they are not asked any more.
void LeaveWorkers(const FunctionCallbackInfo<Value>& args) {
  WorkerReach::End(args[0]->Uint32Value(args.GetIsolate()->GetCurrentContext()).FromMaybe(0));
}

}  // namespace
}  // namespace gcspike

NODE_MODULE_INIT(/* exports, module, context */) {
  NODE_SET_METHOD(exports, "start", gcspike::Start);
  NODE_SET_METHOD(exports, "recordedInto", gcspike::RecordedInto);
  NODE_SET_METHOD(exports, "yieldSampler", gcspike::YieldSampler);
  NODE_SET_METHOD(exports, "appendTag", gcspike::AppendTag);
  NODE_SET_METHOD(exports, "canReachWorkers", gcspike::CanReachWorkers);
  NODE_SET_METHOD(exports, "reachWorkers", gcspike::ReachWorkers);
  NODE_SET_METHOD(exports, "askWorkers", gcspike::AskWorkers);
  NODE_SET_METHOD(exports, "leaveWorkers", gcspike::LeaveWorkers);
}
