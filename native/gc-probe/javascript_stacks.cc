#include "javascript_stacks.h"

#include <pthread.h>

#include "format.h"

namespace gcspike {
namespace {

// Frames looked at, C++ included; a deeper stack is cut.
constexpr int kMaxFrames = 400;
// Subclasses of JSFunction (class constructors, Promise, ...) have the instance types behind it.
constexpr int kFunctionTypes = 24;

// The stack of the calling thread; empty where that cannot be found out.
StackRange ThisThreadsStack() {
#ifdef __linux__
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
  void* start = nullptr;
  size_t size = 0;
  pthread_attr_getstack(&attributes, &start, &size);
  pthread_attr_destroy(&attributes);
  return {reinterpret_cast<uintptr_t>(start), reinterpret_cast<uintptr_t>(start) + size};
#else
  const auto end = reinterpret_cast<uintptr_t>(pthread_get_stackaddr_np(pthread_self()));
  return {end - pthread_get_stacksize_np(pthread_self()), end};
#endif
}

}  // namespace

bool JavaScriptStacks::Start(v8::Isolate* isolate, MappedLog* functions, std::string_view caller) {
  if (!layout_.Load()) return false;
  stack_ = ThisThreadsStack();
  code_.Load(isolate);
  bool found = false;
  int scope_type = -1;
  Walk([&](uintptr_t shared, uintptr_t) {
    FunctionDescription function;
    functions_.Describe(shared, &function);
    found = std::string_view(function.name, function.name_bytes) == caller;
    if (found) scope_type = function.scope_type;
    return !found;
  });
  if (found) functions_.Open(functions, scope_type);
  return found;
}

bool JavaScriptStacks::StartInlined(uintptr_t heap) { return is_on() && layout_.LoadCode() && inlined_.Start(heap); }

uint32_t JavaScriptStacks::Capture(uint64_t* numbers, uint32_t capacity) {
  if (!is_on()) return 0;
  uint32_t count = 0;
  Walk([&](uintptr_t shared, uintptr_t) {
    const uint32_t number = functions_.NumberAt(shared);
    if (number != 0) numbers[count++] = number;
    return count < capacity;
  });
  return count;
}

uint32_t JavaScriptStacks::CaptureInlined(uint32_t* numbers, uint32_t capacity, uint64_t code_epoch) {
  if (!is_on()) return 0;
  uint32_t count = 0;
  Walk([&](uintptr_t shared, uintptr_t pc) {
    const uint32_t number = functions_.NumberAt(shared);
    if (code_.IsGenerated(pc)) {
      const auto inlined = inlined_.At(pc, number, code_epoch);
      for (size_t i = 0; i < inlined.size() && count < capacity; i++) numbers[count++] = inlined[i] | kInlined;
    }
    if (number != 0 && count < capacity) numbers[count++] = number;
    return count < capacity;
  });
  return count;
}

// Calls visit(shared function info, return address into it) for each JavaScript frame, innermost first, while it returns
// true. Frames lie on this thread's stack, each above the one it called; whatever breaks that rule, or was called by code
// that may keep something else in its frame pointer, ends the walk.
template <typename Visit>
void JavaScriptStacks::Walk(Visit visit) {
  auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (frame < stack_.start) return;
  for (int i = 0; i < kMaxFrames && frame % 8 == 0 && frame + 16 <= stack_.end; i++) {
    const uintptr_t caller = Word(frame);
    const uintptr_t pc = Word(frame + 8);
    if (caller <= frame || caller + 16 > stack_.end || !code_.IsWalkable(pc)) return;
    frame = caller;
    if (!code_.IsV8(pc)) continue;
    const uintptr_t shared = SharedOf(frame);
    if (shared != 0 && !visit(shared, pc)) return;
  }
}

// The SharedFunctionInfo of a JavaScript frame, 0 for other frames of V8: those hold the kind of frame, as a small
// integer, where a JavaScript frame holds its context.
uintptr_t JavaScriptStacks::SharedOf(uintptr_t frame) const {
  const uint64_t context = Word(frame + static_cast<uintptr_t>(static_cast<intptr_t>(layout_.frame_context_or_type)));
  const uint64_t closure = Word(frame + static_cast<uintptr_t>(static_cast<intptr_t>(layout_.frame_function)));
  if (!IsHeapObject(context) || !IsHeapObject(closure)) return 0;
  const int type = layout_.TypeOf(closure);
  if (type < layout_.type_function || type > layout_.type_function + kFunctionTypes) return 0;
  const uint64_t shared = Field(closure, layout_.function_shared);
  return IsHeapObject(shared) && layout_.TypeOf(shared) == layout_.type_shared ? shared : 0;
}

}  // namespace gcspike
