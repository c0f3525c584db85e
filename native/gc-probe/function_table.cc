#include "function_table.h"

#include <cstring>

#include "format.h"

namespace gcspike {
namespace {

constexpr uint32_t kKnownSlots = 1 << 14;
constexpr uint32_t kMaxKnown = kKnownSlots / 2;
constexpr uint32_t kSeenSlots = 1 << 10;
// ScopeInfo: above this many context locals, their names are in a table of their own (scope-info.tq).
constexpr uint64_t kMaxInlinedLocals = 75;
constexpr uint64_t kMaxLocals = 4096;
constexpr int kMaxStringDepth = 3;

uint64_t Hash(uint64_t hash, const void* data, size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ at[i]) * 1099511628211ull;
  return hash;
}

}  // namespace

void FunctionTable::Open(MappedLog* log, int scope_type) {
  scope_type_ = scope_type;
  known_.reset(new KnownFunction[kKnownSlots]());
  seen_.reset(new SeenFunction[kSeenSlots]());
  log_ = log;
}

void FunctionTable::Describe(uintptr_t shared, FunctionDescription* function) const {
  const uint64_t script = Field(shared, layout_->shared_script);
  if (IsHeapObject(script) && layout_->TypeOf(script) == layout_->type_script) {
    const uint64_t name = Field(script, layout_->script_name);
    if (IsHeapObject(name)) function->script_bytes = ReadString(name, function->script, sizeof(function->script), 0);
  }
  const uint64_t name_or_scope = Field(shared, layout_->shared_name_or_scope_info);
  if (!IsHeapObject(name_or_scope)) return;
  if (layout_->TypeOf(name_or_scope) == layout_->type_scope_info) {
    DescribeScope(name_or_scope, function);
  } else {
    function->name_bytes = ReadString(name_or_scope, function->name, sizeof(function->name), 0);
  }
}

// A ScopeInfo, in words behind its map (scope-info.tq; the same flag bits in V8 11 to 14):
//
//     flags | parameters | context locals: n | [start, end: V8 13 and later]
//     | n names (one table above 75) | n infos | [class variable] | [function name, slot] | [inferred name]
//     | [start, end: before V8 13] | [outer scope] ...
//
// Only what the flags say is there is read: the next object, or nothing at all, follows.
void FunctionTable::DescribeScope(uintptr_t scope_info, FunctionDescription* function) const {
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
  const auto locals_index = static_cast<uint64_t>(layout_->scope_info_locals);
  const auto first = static_cast<uint64_t>(layout_->scope_info_first_variable);
  const uint64_t locals = SmiValue(word(locals_index));
  if (locals > kMaxLocals) return;
  uint64_t at = first + (locals < kMaxInlinedLocals ? locals : 1) + locals;
  if ((flags >> 10) & 1) at++;  // class variable
  if ((flags >> 12) & 3) {      // function name and its slot
    if (IsHeapObject(word(at))) function->name_bytes = ReadString(word(at), function->name, sizeof(function->name), 0);
    at += 2;
  }
  if ((flags >> 14) & 1) {  // inferred name
    if (function->name_bytes == 0 && IsHeapObject(word(at))) {
      function->name_bytes = ReadString(word(at), function->name, sizeof(function->name), 0);
    }
    at++;
  }
  const bool position_in_front = first == locals_index + 3;
  const uint64_t position = word(position_in_front ? locals_index + 1 : at);
  if (IsSmi(position)) function->position = static_cast<uint32_t>(SmiValue(position));
}

// As UTF-8, cut at `capacity`; characters beyond Latin-1 become "?" unless the string is two-byte ASCII.
size_t FunctionTable::ReadString(uintptr_t object, char* buffer, size_t capacity, int depth) const {
  const int type = layout_->TypeOf(object);
  if (type < 0 || type >= layout_->first_nonstring_type || depth > kMaxStringDepth) return 0;
  const int representation = type & layout_->string_representation_mask;
  if (representation == layout_->thin_tag) return ReadString(Field(object, layout_->thin_actual), buffer, capacity, depth + 1);
  if (representation == layout_->cons_tag) {
    const size_t first = ReadString(Field(object, layout_->cons_first), buffer, capacity, depth + 1);
    return first + ReadString(Field(object, layout_->cons_second), buffer + first, capacity - first, depth + 1);
  }
  if (representation != 0) return 0;  // external or sliced: no name or path that V8 makes
  int32_t length;
  std::memcpy(&length, reinterpret_cast<const void*>(object - 1 + static_cast<uintptr_t>(layout_->string_length)), 4);
  const bool one_byte = (type & layout_->one_byte_tag) != 0;
  const uintptr_t chars = object - 1 + static_cast<uintptr_t>(one_byte ? layout_->one_byte_chars : layout_->two_byte_chars);
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
uint32_t FunctionTable::NumberAt(uintptr_t shared) {
  const uint64_t scope = Field(shared, layout_->shared_name_or_scope_info);
  SeenFunction& seen = seen_[(shared >> 3) % kSeenSlots];
  if (seen.shared != shared || seen.scope != scope) {
    FunctionDescription function;
    Describe(shared, &function);
    seen = {shared, scope, NumberOf(function)};
  }
  return seen.number;
}

uint32_t FunctionTable::NumberOf(const FunctionDescription& function) {
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
