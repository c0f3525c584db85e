#include "inlined_functions.h"

#include <v8.h>

#include "deferred_code.h"
#include "symbols.h"

namespace gcspike {
namespace {

constexpr size_t kKnownSlots = 1 << 10;
constexpr uint64_t kMaxTableBytes = 4 << 20;
constexpr uint64_t kMaxCodeBytes = 64 << 20;
constexpr uint64_t kMaxInlined = 1 << 16;
constexpr uint64_t kMaxLiterals = 1 << 20;
// The longest instruction that calls.
constexpr int64_t kMaxCallBytes = 10;

// V8's SourcePosition: bit 0, it is no place in JavaScript; bits 31 to 46, 1 + the inlined call, 0 for none.
bool IsExternal(uint64_t position) { return (position & 1) != 0; }
uint64_t InliningId(uint64_t position) { return (position >> 31) & 0xffff; }

// V8's InliningPosition.
struct InliningPosition {
  uint64_t position;  // where it is called
  int32_t function;   // index of a literal
  int32_t padding;
};

// V8's variable-length integers: seven bits a byte, the lowest first; zigzag.
bool ReadInteger(const uint8_t** at, const uint8_t* end, int64_t* value) {
  uint64_t bits = 0;
  for (int shift = 0; shift < 64 && *at < end; shift += 7) {
    const uint8_t byte = *(*at)++;
    bits |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    *value = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
    return true;
  }
  return false;
}

// An entry of a table of source positions. They are differences to the one before: of the offset in the code (negative and one
// less for expressions), and of the position.
struct Entry {
  int64_t offset = -1;
  uint64_t position = 0;
};

// Calls visit(entry) for each entry in JavaScript, in order of their offsets, while it returns true.
template <typename Visit>
void EachEntry(const uint8_t* at, const uint8_t* end, Visit visit) {
  int64_t offset = 0, position = 0, offset_step, position_step;
  while (ReadInteger(&at, end, &offset_step) && ReadInteger(&at, end, &position_step)) {
    offset += offset_step >= 0 ? offset_step : -(offset_step + 1);
    position += position_step;
    const Entry entry = {offset, static_cast<uint64_t>(position)};
    if (!IsExternal(entry.position) && !visit(entry)) return;
  }
}

Entry LastBefore(const uint8_t* at, const uint8_t* end, int64_t offset) {
  Entry last;
  EachEntry(at, end, [&](const Entry& entry) {
    if (entry.offset > offset) return false;
    last = entry;
    return true;
  });
  return last;
}

Entry FirstFrom(const uint8_t* at, const uint8_t* end, int64_t offset) {
  Entry first;
  EachEntry(at, end, [&](const Entry& entry) {
    if (entry.offset >= offset) first = entry;
    return entry.offset < offset;
  });
  return first;
}

// What an optional pointer comes in: V8 11 has its own type, flag first, later ones std::optional.
struct OptionalCode {
  uint64_t first;
  uint64_t second;
};
using FindCode = OptionalCode (*)(uintptr_t heap, uintptr_t pc);

}  // namespace

bool InlinedFunctions::Start(uintptr_t heap) {
#if V8_MAJOR_VERSION < 13 && !defined(__x86_64__)
  return false;  // see FindPosition
#endif
  Symbol find_code[] = {{"_ZN2v88internal4Heap32GcSafeTryFindCodeForInnerPointerEm"}};
  if (!FindSymbols(find_code)) return false;
  known_.reset(new Known[kKnownSlots]());
  find_code_ = find_code[0].address;
  heap_ = heap;
  return true;
}

std::span<const uint32_t> InlinedFunctions::At(uintptr_t pc, uint32_t outermost, uint64_t epoch) {
  if (find_code_ == 0) return {};
  // All interpreted functions have one return address.
  Known& known = known_[(pc ^ (pc >> 10) ^ (outermost * 31)) % kKnownSlots];
  if (known.pc != pc || known.epoch != epoch || known.outermost != outermost) {
    known.pc = pc;
    known.epoch = epoch;
    known.outermost = outermost;
    known.count = 0;
    Find(&known);
  }
  return {known.numbers, known.count};
}

// A Code, 0 where there is none.
uintptr_t InlinedFunctions::CodeAt(uintptr_t pc) const {
  const OptionalCode found = reinterpret_cast<FindCode>(find_code_)(heap_, pc);
#if V8_MAJOR_VERSION < 12
  const bool has_value = (found.first & 0xff) != 0;
  const uintptr_t code = found.second;
#else
  const bool has_value = (found.second & 0xff) != 0;
  const uintptr_t code = found.first;
#endif
  return has_value && IsHeapObject(code) && layout_->TypeOf(code) == layout_->type_code ? code : 0;
}

void InlinedFunctions::Find(Known* known) const {
  const uintptr_t code = CodeAt(known->pc);
  if (code == 0) return;
  // Code of other kinds has something else there.
  const uint64_t data = Field(code, layout_->code_deoptimization_data);
  if (!IsHeapObject(data) || layout_->TypeOf(data) != layout_->type_deoptimization_data) return;
  const auto entry = [&](int index) { return Field(data, layout_->array_data + 8 * index); };
  if (SmiValue(Field(data, layout_->array_length)) <= static_cast<uint64_t>(layout_->deoptimization_inlining_positions)) {
    return;
  }
  const uint64_t wrapped = entry(layout_->deoptimization_shared);
  if (!IsHeapObject(wrapped)) return;
  const bool is_wrapper = layout_->type_shared_wrapper >= 0 && layout_->TypeOf(wrapped) == layout_->type_shared_wrapper;
  const uint64_t shared = is_wrapper ? Field(wrapped, 8) : wrapped;
  // The frame is that of the function that this code is for: else it is not what we take it for.
  if (!IsHeapObject(shared) || layout_->TypeOf(shared) != layout_->type_shared) return;
  if (functions_->NumberAt(shared) != known->outermost) return;
  const uint64_t positions = entry(layout_->deoptimization_inlining_positions);
  const uint64_t literals = entry(layout_->deoptimization_literals);
  if (!IsHeapObject(positions) || !layout_->IsByteArray(positions) || !IsHeapObject(literals)) return;
  const uint64_t positions_count = SmiValue(Field(positions, layout_->array_length)) / sizeof(InliningPosition);
  const uint64_t literals_count = SmiValue(Field(literals, layout_->array_length));
  if (positions_count > kMaxInlined || literals_count > kMaxLiterals) return;
  const auto* inlined =
      reinterpret_cast<const InliningPosition*>(positions - 1 + static_cast<uintptr_t>(layout_->array_data));
  uint64_t position;
  if (!FindPosition(code, known->pc, &position)) return;
  while (!IsExternal(position) && InliningId(position) != 0) {
    const uint64_t id = InliningId(position) - 1;
    if (id >= positions_count) return;
    const InliningPosition& call = inlined[id];
    position = call.position;
    // -1: the function inlined itself.
    uint64_t function = shared;
    if (call.function != -1) {
      if (static_cast<uint64_t>(call.function) >= literals_count) return;
      // May be a weak reference.
      function = Field(literals, layout_->array_data + 8 * call.function) & ~uint64_t{2};
    }
    if (!IsHeapObject(function) || layout_->TypeOf(function) != layout_->type_shared) return;
    const uint32_t number = functions_->NumberAt(function);
    if (number != 0) known->numbers[known->count++] = number;
    if (known->count == kMaxDepth) return;
  }
}

// The source position of the call that returns to `pc`: that of the last entry before it. Before V8 13, TurboFan gave
// none to the call that an inlined allocation makes where new space is full. It stands behind the end of the code with the
// position of whatever stands before it there, and jumps back to where the new object's fields are written: those stores
// have the position of the allocation.
bool InlinedFunctions::FindPosition(uintptr_t code, uintptr_t pc, uint64_t* position) const {
  const uint64_t table = Field(code, layout_->code_position_table);
  const uint64_t start = Field(code, layout_->code_instruction_start);
  if (!IsHeapObject(table) || !layout_->IsByteArray(table)) return false;
  const uint64_t bytes = SmiValue(Field(table, layout_->array_length));
  if (pc <= start || pc - start > kMaxCodeBytes || bytes > kMaxTableBytes) return false;
  const auto* at = reinterpret_cast<const uint8_t*>(table - 1 + static_cast<uintptr_t>(layout_->array_data));
  const auto call = static_cast<int64_t>(pc - start - 1);
  const Entry before = LastBefore(at, at + bytes, call);
  *position = before.position;
#if V8_MAJOR_VERSION < 13
  if (call - before.offset >= kMaxCallBytes) {
    const uintptr_t target = JumpBehindCall(pc, (pc | (kHeapPage - 1)) + 1);
    if (target > start && target < pc) {
      const Entry stores = FirstFrom(at, at + bytes, static_cast<int64_t>(target - start));
      if (stores.offset >= 0) *position = stores.position;
    }
  }
#endif
  return before.offset >= 0;
}

}  // namespace gcspike
