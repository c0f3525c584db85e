#include "inlined_functions.h"

#include <v8.h>

#include <atomic>

#include "deferred_code.h"
#include "symbols.h"

namespace gcspike {
namespace {

constexpr size_t kKnownSlots = 1 << 10;
constexpr uint64_t kMaxTableBytes = 4 << 20;
constexpr uint64_t kMaxCodeBytes = 64 << 20;
constexpr uint64_t kMaxInlined = 1 << 16;
constexpr uint64_t kMaxLiterals = 1 << 20;

// Whether this V8 writes its tables as they are read here, and for a processor whose code is (FindPosition): those of Node 20, 22,
// 24 and 26.
#ifdef __x86_64__
constexpr int kV8 = V8_MAJOR_VERSION * 100 + V8_MINOR_VERSION;
constexpr bool kIsKnown = kV8 == 1103 || kV8 == 1204 || kV8 == 1306 || kV8 == 1406;
#else
constexpr bool kIsKnown = false;
#endif

// V8's SourcePosition: bit 0, it is no place in JavaScript; bits 31 to 46, 1 + the inlined call, 0 for none.
bool IsExternal(uint64_t position) { return (position & 1) != 0; }
uint64_t InliningId(uint64_t position) { return (position >> 31) & 0xffff; }

// V8's InliningPosition.
struct InliningPosition {
  uint64_t position;  // where it is called
  int32_t function;   // index of a literal
  int32_t padding;
};

// V8's variable-length integers: seven bits a byte, the lowest first.
bool ReadBits(const uint8_t** at, const uint8_t* end, uint64_t* bits) {
  *bits = 0;
  for (int shift = 0; shift < 64 && *at < end; shift += 7) {
    const uint8_t byte = *(*at)++;
    *bits |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

// Negative ones have the sign in the lowest bit.
int64_t Signed(uint64_t bits) { return static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1); }

// How far an entry's code lies behind that of the entry before. With it comes what kind of place it is: since V8 14 in two
// bits, before in the sign.
int64_t OffsetStep(uint64_t bits) {
#if V8_MAJOR_VERSION >= 14
  return static_cast<int64_t>(bits >> 2);
#else
  const int64_t step = Signed(bits);
  return step >= 0 ? step : -(step + 1);
#endif
}

// An entry of a table of source positions. They are written as differences to the one before, the first to V8's
// kFunctionEntryBytecodeOffset.
constexpr int64_t kFirstOffset = -1;
struct Entry {
  int64_t offset = -1;
  uint64_t position = 0;
};

// Calls visit(entry) for each entry in JavaScript, in order of their offsets, while it returns true.
template <typename Visit>
void EachEntry(const uint8_t* at, const uint8_t* end, Visit visit) {
  int64_t offset = kFirstOffset, position = 0;
  uint64_t offset_bits, position_bits;
  while (ReadBits(&at, end, &offset_bits) && ReadBits(&at, end, &position_bits)) {
    offset += OffsetStep(offset_bits);
    position += Signed(position_bits);
    const Entry entry = {offset, static_cast<uint64_t>(position)};
    if (!IsExternal(entry.position) && !visit(entry)) return;
  }
}

struct Neighbours {
  Entry before;
  Entry from;  // at the offset itself or behind
};

Neighbours NeighboursOf(const uint8_t* at, const uint8_t* end, int64_t offset) {
  Neighbours found;
  EachEntry(at, end, [&](const Entry& entry) {
    (entry.offset < offset ? found.before : found.from) = entry;
    return entry.offset < offset;
  });
  return found;
}

// What an optional pointer comes in: V8 11 has its own type, flag first, later ones std::optional.
struct OptionalCode {
  uint64_t first;
  uint64_t second;
};
using FindCode = OptionalCode (*)(uintptr_t heap, uintptr_t pc);
constexpr const char* kFindCode = "_ZN2v88internal4Heap32GcSafeTryFindCodeForInnerPointerEm";
std::atomic<uintptr_t> find_code{0};
std::atomic<bool> is_wanted{false};

}  // namespace

bool InlinedFunctions::Start(uintptr_t heap) {
  if (!kIsKnown) return false;
  if (const uintptr_t exported = FindExported(kFindCode); exported != 0) find_code.store(exported);
  else if (!HasSymbolTable(reinterpret_cast<const void*>(&v8::V8::GetVersion))) return false;
  is_wanted.store(true);
  known_.reset(new Known[kKnownSlots]());
  heap_ = heap;
  return true;
}

void InlinedFunctions::FindCodeFunction() {
  if (is_wanted.load() && find_code.load() == 0) find_code.store(FindInSymbolTable(kFindCode));
}

std::span<const uint32_t> InlinedFunctions::At(uintptr_t pc, uint32_t outermost, uint64_t epoch) {
  if (known_ == nullptr || find_code.load(std::memory_order_relaxed) == 0) return {};
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
  const OptionalCode found = reinterpret_cast<FindCode>(find_code.load(std::memory_order_relaxed))(heap_, pc);
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

// The source position of the call that returns to `pc`. Calls have an entry of their own, just before them, but for those that
// an inlined allocation makes where new space is full. They mostly stand behind the end of the code; there is an entry between
// the call and the jump back, or else where it jumps to: the new object's map is written there, and that store, or what
// stands near, has the position of the allocation. Without a jump the code that writes the map follows on the call.
bool InlinedFunctions::FindPosition(uintptr_t code, uintptr_t pc, uint64_t* position) const {
  const uint64_t table = Field(code, layout_->code_position_table);
  const uint64_t start = Field(code, layout_->code_instruction_start);
  if (!IsHeapObject(table) || !layout_->IsByteArray(table)) return false;
  const uint64_t bytes = SmiValue(Field(table, layout_->array_length));
  if (pc <= start || pc - start > kMaxCodeBytes || bytes > kMaxTableBytes) return false;
  const auto* at = reinterpret_cast<const uint8_t*>(table - 1 + static_cast<uintptr_t>(layout_->array_data));
  const Neighbours call = NeighboursOf(at, at + bytes, static_cast<int64_t>(pc - start));
  *position = call.before.position;
  if (call.before.offset >= 0 && IsCallBehind(start + static_cast<uintptr_t>(call.before.offset), pc)) return true;
  // Not beyond V8's page.
  const Jump jump = JumpBehindCall(pc, (pc | (kHeapPage - 1)) + 1);
  const bool is_behind_end = jump.target > start && jump.target < pc;
  if (is_behind_end && call.from.offset >= 0 && start + static_cast<uintptr_t>(call.from.offset) < jump.at) {
    *position = call.from.position;
    return true;
  }
  const uintptr_t goes_on = is_behind_end ? jump.target : pc;
  const auto target = static_cast<int64_t>(goes_on - start);
  if (const uintptr_t store = MapStoreFrom(goes_on, is_behind_end ? jump.at : (pc | (kHeapPage - 1)) + 1); store != 0) {
    const Entry entry = NeighboursOf(at, at + bytes, static_cast<int64_t>(store - start) + 1).before;
    if (entry.offset >= target) {
      *position = entry.position;
      return true;
    }
  }
  if (!is_behind_end) return call.before.offset >= 0;
  const Neighbours stores = NeighboursOf(at, at + bytes, target);
  const bool is_behind = stores.before.offset < 0 || (stores.from.offset >= 0 && stores.from.offset - target <=
                                                                                     target - stores.before.offset);
  *position = is_behind ? stores.from.position : stores.before.position;
  return stores.before.offset >= 0 || stores.from.offset >= 0;
}

}  // namespace gcspike
