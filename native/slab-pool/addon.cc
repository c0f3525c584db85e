// Registration: translates between JavaScript and the registry, nothing else. src/slab/native.ts is the other side.
#include <napi.h>

#include <cstring>
#include <memory>
#include <utility>

#include "registry.h"
#include "release_thread.h"

namespace gcspike {
namespace {

uint32_t Index(const Napi::CallbackInfo& info, size_t argument) { return info[argument].As<Napi::Number>().Uint32Value(); }

size_t Size(const Napi::CallbackInfo& info, size_t argument) {
  return static_cast<size_t>(info[argument].As<Napi::Number>().Int64Value());
}

Napi::Value Fail(Napi::Env env, const char* code, const char* message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", code);
  error.ThrowAsJavaScriptException();
  return env.Undefined();
}

using Hold = std::shared_ptr<Attachment>;

void LetGo(napi_env, void*, void* hold) { delete static_cast<Hold*>(hold); }

// {pool, tag, serial, address, buffer}: the buffer and its backing store own the attachment from here on.
Napi::Value Describe(Napi::Env env, const std::shared_ptr<Attachment>& attachment) {
  const Mapping& mapping = *attachment->mapping;
  Napi::Object answer = Napi::Object::New(env);
  answer.Set("pool", attachment->pool);
  answer.Set("tag", attachment->tag);
  answer.Set("serial", attachment->serial);
  answer.Set("address", Napi::BigInt::New(env, reinterpret_cast<uint64_t>(mapping.data())));
  auto of_store = std::make_unique<Hold>(attachment);
  auto of_buffer = std::make_unique<Hold>(attachment);
  napi_value buffer;
  const napi_status status =
      napi_create_external_arraybuffer(env, mapping.data(), mapping.bytes(), LetGo, of_store.get(), &buffer);
  if (status == napi_no_external_buffers_allowed) return Fail(env, "external", "no external buffers");
  if (status != napi_ok) return Fail(env, "buffer", "no buffer");
  of_store.release();
  if (napi_add_finalizer(env, buffer, nullptr, LetGo, of_buffer.get(), nullptr) == napi_ok) of_buffer.release();
  answer.Set("buffer", Napi::Value(env, buffer));
  return answer;
}

// map(bytes, hugePages, numaNode) -> description
Napi::Value Map(const Napi::CallbackInfo& info) {
  int error = 0;
  const MapRequest request{Size(info, 0), static_cast<HugePages>(Index(info, 1)),
                           info[2].As<Napi::Number>().Int32Value()};
  std::shared_ptr<Mapping> mapping = Mapping::Create(request, &error);
  if (mapping == nullptr) return Fail(info.Env(), "refused", std::strerror(error));
  const std::shared_ptr<Attachment> attachment = Registry::Instance().Add(std::move(mapping));
  if (attachment == nullptr) return Fail(info.Env(), "pools", "255 pools are open");
  return Describe(info.Env(), attachment);
}

// attach(pool) -> description, or undefined where no isolate has the pool open
Napi::Value Attach(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Attachment> attachment = Registry::Instance().Attach(Index(info, 0));
  return attachment == nullptr ? info.Env().Undefined() : Describe(info.Env(), attachment);
}

// detach(serial, buffer): views over the buffer have no bytes from here on, and the memory goes back if nobody else has it open.
void Detach(const Napi::CallbackInfo& info) {
  Registry::Instance().Detach(Index(info, 0));
  auto buffer = info[1].As<Napi::ArrayBuffer>();
  if (!buffer.IsDetached()) buffer.Detach();
}

// isAttached(serial)
Napi::Value IsAttached(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Registry::Instance().IsAttached(Index(info, 0)));
}

// release(pool, offset, length): now, on this thread
void Release(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Mapping> mapping = Registry::Instance().Find(Index(info, 0));
  if (mapping != nullptr) mapping->Release(Size(info, 1), Size(info, 2));
}

// queueRelease(pool, serial, offset, length): on the release thread, when this thread's loop waits
void QueueRelease(const Napi::CallbackInfo& info) {
  std::shared_ptr<Mapping> mapping = Registry::Instance().Find(Index(info, 0));
  if (mapping == nullptr) return;
  ReleaseThread::Instance().Queue(
      {Index(info, 1), LoopThread::Current(), std::move(mapping), Size(info, 2), Size(info, 3)});
}

// pendingReleases(serial) -> number
Napi::Value PendingReleases(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(ReleaseThread::Instance().Pending(Index(info, 0))));
}

// withdrawReleases(serial) -> how many ranges, the last ones, were not given back
Napi::Value WithdrawReleases(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(ReleaseThread::Instance().Withdraw(Index(info, 0))));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("pageBytes", static_cast<double>(PageBytes()));
  exports.Set("map", Napi::Function::New<Map>(env, "map"));
  exports.Set("attach", Napi::Function::New<Attach>(env, "attach"));
  exports.Set("detach", Napi::Function::New<Detach>(env, "detach"));
  exports.Set("isAttached", Napi::Function::New<IsAttached>(env, "isAttached"));
  exports.Set("release", Napi::Function::New<Release>(env, "release"));
  exports.Set("queueRelease", Napi::Function::New<QueueRelease>(env, "queueRelease"));
  exports.Set("pendingReleases", Napi::Function::New<PendingReleases>(env, "pendingReleases"));
  exports.Set("withdrawReleases", Napi::Function::New<WithdrawReleases>(env, "withdrawReleases"));
  return exports;
}

}  // namespace

// What the macro below, outside of any namespace, can call.
napi_value Register(napi_env env, napi_value exports) { return Init(env, Napi::Object(env, exports)); }

}  // namespace gcspike

NAPI_MODULE_INIT() {
  return gcspike::Register(env, exports);
}
