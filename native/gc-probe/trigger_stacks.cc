#include "trigger_stacks.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>

#include "format.h"

namespace gcspike {
namespace {

constexpr size_t kMaxName = 96;
constexpr size_t kMaxScript = 400;
// Frames looked at, C++ included; a deeper stack is cut.
constexpr int kMaxFrames = 400;
constexpr uint32_t kKnownSlots = 1 << 14;
constexpr uint32_t kMaxKnown = kKnownSlots / 2;
constexpr uint32_t kSeenSlots = 1 << 10;
// Subclasses of JSFunction (class constructors, Promise, ...) have the instance types behind it.
constexpr int kFunctionTypes = 24;
// ScopeInfo: above this many context locals, their names are in a table of their own (scope-info.tq).
constexpr uint64_t kMaxInlinedLocals = 75;
constexpr uint64_t kMaxLocals = 4096;
// V8's pages of the heap are of this size in every version; larger objects have pages of their own.
constexpr uintptr_t kHeapPage = 256 << 10;
constexpr int kMaxStringDepth = 3;

// V8's tagging without pointer compression: heap objects end in 01, small integers are in the upper half.
bool IsHeapObject(uint64_t value) { return (value & 3) == 1 && value > 0x10000; }
bool IsSmi(uint64_t value) { return (value & 0xffffffff) == 0; }
uint64_t SmiValue(uint64_t value) { return value >> 32; }

uint64_t Word(uintptr_t address) { return *reinterpret_cast<const uint64_t*>(address); }
// A field of a tagged object.
uint64_t Field(uintptr_t object, int offset) { return Word(object - 1 + static_cast<uintptr_t>(offset)); }

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

uint64_t Hash(uint64_t hash, const void* data, size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ at[i]) * 1099511628211ull;
  return hash;
}

}  // namespace

struct TriggerStacks::Function {
  char name[kMaxName];
  size_t name_bytes = 0;
  char script[kMaxScript];
  size_t script_bytes = 0;
  uint32_t position = kNoPosition;
  int scope_type = -1;
};

bool TriggerStacks::Start(v8::Isolate* isolate, MappedLog* functions, std::string_view caller) {
  if (!layout_.Load()) return false;
  stack_ = ThisThreadsStack();
  code_.Load(isolate);
  bool found = false;
  Walk([&](uintptr_t shared) {
    Function function;
    Describe(shared, &function);
    found = std::string_view(function.name, function.name_bytes) == caller;
    if (found) scope_type_ = function.scope_type;
    return !found;
  });
  if (!found) return false;
  known_.reset(new KnownFunction[kKnownSlots]());
  seen_.reset(new SeenFunction[kSeenSlots]());
  log_ = functions;
  return true;
}

uint32_t TriggerStacks::Capture(uint64_t* numbers, uint32_t capacity) {
  if (log_ == nullptr) return 0;
  uint32_t count = 0;
  Walk([&](uintptr_t shared) {
    const uint32_t number = NumberAt(shared);
    if (number != 0) numbers[count++] = number;
    return count < capacity;
  });
  return count;
}

// Calls visit(shared function info) for each JavaScript frame, innermost first, while it returns true. Frames lie on this
// thread's stack, each above the one it called; whatever breaks that rule, or was called by code that may keep something
// else in its frame pointer, ends the walk.
template <typename Visit>
void TriggerStacks::Walk(Visit visit) {
  auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if (frame < stack_.start) return;
  for (int i = 0; i < kMaxFrames && frame % 8 == 0 && frame + 16 <= stack_.end; i++) {
    const uintptr_t caller = Word(frame);
    const uintptr_t pc = Word(frame + 8);
    if (caller <= frame || caller + 16 > stack_.end || !code_.IsWalkable(pc)) return;
    frame = caller;
    if (!code_.IsV8(pc)) continue;
    const uintptr_t shared = SharedOf(frame);
    if (shared != 0 && !visit(shared)) return;
  }
}

int TriggerStacks::TypeOf(uintptr_t object) const {
  const uint64_t map = Word(object - 1);
  if (!IsHeapObject(map)) return -1;
  uint16_t type;
  std::memcpy(&type, reinterpret_cast<const void*>(map - 1 + static_cast<uintptr_t>(layout_.map_instance_type)), 2);
  return type;
}

// The SharedFunctionInfo of a JavaScript frame, 0 for other frames of V8: those hold the kind of frame, as a small
// integer, where a JavaScript frame holds its context.
uintptr_t TriggerStacks::SharedOf(uintptr_t frame) const {
  const uint64_t context = Word(frame + static_cast<uintptr_t>(static_cast<intptr_t>(layout_.frame_context_or_type)));
  const uint64_t closure = Word(frame + static_cast<uintptr_t>(static_cast<intptr_t>(layout_.frame_function)));
  if (!IsHeapObject(context) || !IsHeapObject(closure)) return 0;
  const int type = TypeOf(closure);
  if (type < layout_.type_function || type > layout_.type_function + kFunctionTypes) return 0;
  const uint64_t shared = Field(closure, layout_.function_shared);
  return IsHeapObject(shared) && TypeOf(shared) == layout_.type_shared ? shared : 0;
}

void TriggerStacks::Describe(uintptr_t shared, Function* function) const {
  const uint64_t script = Field(shared, layout_.shared_script);
  if (IsHeapObject(script) && TypeOf(script) == layout_.type_script) {
    const uint64_t name = Field(script, layout_.script_name);
    if (IsHeapObject(name)) function->script_bytes = ReadString(name, function->script, kMaxScript, 0);
  }
  const uint64_t name_or_scope = Field(shared, layout_.shared_name_or_scope_info);
  if (!IsHeapObject(name_or_scope)) return;
  if (TypeOf(name_or_scope) == layout_.type_scope_info) {
    DescribeScope(name_or_scope, function);
  } else {
    function->name_bytes = ReadString(name_or_scope, function->name, kMaxName, 0);
  }
}

// A ScopeInfo, in words behind its map (scope-info.tq; the same flag bits in V8 11 to 14):
//
//     flags | parameters | context locals: n | [start, end: V8 13 and later]
//     | n names (one table above 75) | n infos | [class variable] | [function name, slot] | [inferred name]
//     | [start, end: before V8 13] | [outer scope] ...
//
// Only what the flags say is there is read: the next object, or nothing at all, follows.
void TriggerStacks::DescribeScope(uintptr_t scope_info, Function* function) const {
  // Past the end of its page nothing is read: where a version of V8 lays scopes out differently, that may be anything.
  const auto word = [&](uint64_t index) {
    const uintptr_t address = scope_info - 1 + 8 * (1 + index);
    return address / kHeapPage == scope_info / kHeapPage ? Word(address) : 0;
  };
  // A small integer at first, a plain 32-bit field since V8 13.
  const uint64_t flags = IsSmi(word(0)) ? SmiValue(word(0)) : word(0) & UINT32_MAX;
  function->scope_type = static_cast<int>(flags & 15);
  // Modules, classes and evaluated code have further fields in between, and no name of their own.
  if (scope_type_ >= 0 && function->scope_type != scope_type_) return;
  const auto locals_index = static_cast<uint64_t>(layout_.scope_info_locals);
  const auto first = static_cast<uint64_t>(layout_.scope_info_first_variable);
  const uint64_t locals = SmiValue(word(locals_index));
  if (locals > kMaxLocals) return;
  uint64_t at = first + (locals < kMaxInlinedLocals ? locals : 1) + locals;
  if ((flags >> 10) & 1) at++;  // class variable
  if ((flags >> 12) & 3) {      // function name and its slot
    if (IsHeapObject(word(at))) function->name_bytes = ReadString(word(at), function->name, kMaxName, 0);
    at += 2;
  }
  if ((flags >> 14) & 1) {  // inferred name
    if (function->name_bytes == 0 && IsHeapObject(word(at))) {
      function->name_bytes = ReadString(word(at), function->name, kMaxName, 0);
    }
    at++;
  }
  const bool position_in_front = first == locals_index + 3;
  const uint64_t position = word(position_in_front ? locals_index + 1 : at);
  if (IsSmi(position)) function->position = static_cast<uint32_t>(SmiValue(position));
}

// As UTF-8, cut at `capacity`; characters beyond Latin-1 become "?" unless the string is two-byte ASCII.
size_t TriggerStacks::ReadString(uintptr_t object, char* buffer, size_t capacity, int depth) const {
  const int type = TypeOf(object);
  if (type < 0 || type >= layout_.first_nonstring_type || depth > kMaxStringDepth) return 0;
  const int representation = type & layout_.string_representation_mask;
  if (representation == layout_.thin_tag) return ReadString(Field(object, layout_.thin_actual), buffer, capacity, depth + 1);
  if (representation == layout_.cons_tag) {
    const size_t first = ReadString(Field(object, layout_.cons_first), buffer, capacity, depth + 1);
    return first + ReadString(Field(object, layout_.cons_second), buffer + first, capacity - first, depth + 1);
  }
  if (representation != 0) return 0;  // external or sliced: no name or path that V8 makes
  int32_t length;
  std::memcpy(&length, reinterpret_cast<const void*>(object - 1 + static_cast<uintptr_t>(layout_.string_length)), 4);
  const bool one_byte = (type & layout_.one_byte_tag) != 0;
  const uintptr_t chars = object - 1 + static_cast<uintptr_t>(one_byte ? layout_.one_byte_chars : layout_.two_byte_chars);
  size_t written = 0;
  for (int32_t i = 0; i < length && written + 3 <= capacity; i++) {
    const uint16_t c = one_byte ? reinterpret_cast<const uint8_t*>(chars)[i] : reinterpret_cast<const uint16_t*>(chars)[i];
    if (c < 0x80) {
      buffer[written++] = static_cast<char>(c);
    } else if (c < 0x800) {
      buffer[written++] = static_cast<char>(0xc0 | (c >> 6));
      buffer[written++] = static_cast<char>(0x80 | (c & 0x3f));
    } else if (c < 0xd800 || c > 0xdfff) {
      buffer[written++] = static_cast<char>(0xe0 | (c >> 12));
      buffer[written++] = static_cast<char>(0x80 | ((c >> 6) & 0x3f));
      buffer[written++] = static_cast<char>(0x80 | (c & 0x3f));
    } else {
      buffer[written++] = '?';
    }
  }
  return written;
}

// Collections move SharedFunctionInfos, and another may come to stand where one was: the same address with the same
// scope is the same function.
uint32_t TriggerStacks::NumberAt(uintptr_t shared) {
  const uint64_t scope = Field(shared, layout_.shared_name_or_scope_info);
  SeenFunction& seen = seen_[(shared >> 3) % kSeenSlots];
  if (seen.shared != shared || seen.scope != scope) {
    Function function;
    Describe(shared, &function);
    seen = {shared, scope, NumberOf(function)};
  }
  return seen.number;
}

uint32_t TriggerStacks::NumberOf(const Function& function) {
  uint64_t hash = Hash(14695981039346656037ull, function.name, function.name_bytes);
  hash = Hash(hash, function.script, function.script_bytes);
  hash = Hash(hash, &function.position, sizeof(function.position)) | 1;
  for (uint32_t i = 0; i < kKnownSlots; i++) {
    KnownFunction& slot = known_[(hash + i) % kKnownSlots];
    if (slot.hash == hash) return slot.number;
    if (slot.hash != 0) continue;
    if (known_count_ >= kMaxKnown) return 0;
    const size_t bytes = (sizeof(FunctionRecord) + function.name_bytes + function.script_bytes + 7) / 8 * 8;
    char* at = static_cast<char*>(log_->Reserve(bytes));
    if (at == nullptr) return 0;
    const FunctionRecord record = {static_cast<uint32_t>(bytes), static_cast<uint16_t>(function.name_bytes),
                                   static_cast<uint16_t>(function.script_bytes), function.position, 0};
    std::memset(at, 0, bytes);
    std::memcpy(at, &record, sizeof(record));
    std::memcpy(at + sizeof(record), function.name, function.name_bytes);
    std::memcpy(at + sizeof(record) + function.name_bytes, function.script, function.script_bytes);
    log_->Commit(bytes);
    slot = {hash, ++known_count_};
    return slot.number;
  }
  return 0;
}

}  // namespace gcspike
