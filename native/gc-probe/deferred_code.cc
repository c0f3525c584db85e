#include "deferred_code.h"

#include <cstring>

namespace gcspike {

#ifdef __x86_64__
namespace {

constexpr int kMaxInstructions = 64;
// The longest instruction.
constexpr uintptr_t kMaxLength = 15;

int32_t ReadInt32(const uint8_t* at) {
  int32_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

// Bytes of a ModR/M byte and what it says follows: a SIB byte, a displacement.
int OperandLength(const uint8_t* at) {
  const int mode = at[0] >> 6;
  const int memory = at[0] & 7;
  if (mode == 3) return 1;
  const bool has_sib = memory == 4;
  const bool has_base = mode != 0 || (has_sib ? (at[1] & 7) : memory) != 5;
  return 1 + (has_sib ? 1 : 0) + (mode == 1 ? 1 : mode == 2 || !has_base ? 4 : 0);
}

// Opcodes behind 0x0f that have one byte more than their operand, and those that have no operand.
bool HasConstant(uint8_t second) {
  return (second >= 0x70 && second <= 0x73) || second == 0xa4 || second == 0xac || second == 0xba || second == 0xc2 ||
         (second >= 0xc4 && second <= 0xc6);
}
bool HasOperand(uint8_t second) {
  return (second >= 0x10 && second <= 0x17) || second == 0x1f || (second >= 0x28 && second <= 0x2f) ||
         (second >= 0x40 && second <= 0x76) || (second >= 0x7c && second <= 0x7f) || (second >= 0x90 && second <= 0x9f) ||
         (second >= 0xa3 && second <= 0xa5) || (second >= 0xab && second <= 0xad) || second >= 0xaf;
}

// Of an instruction behind 0x0f, from its opcode on; 0 where it may go on elsewhere.
int TwoByteLength(const uint8_t* at) {
  const uint8_t second = *at;
  if (second == 0x38) return 2 + OperandLength(at + 2);
  if (second == 0x3a) return 2 + OperandLength(at + 2) + 1;
  if (second >= 0xc8 && second <= 0xcf) return 1;  // bswap
  if (second == 0xff || !(HasOperand(second) || HasConstant(second))) return 0;
  return 1 + OperandLength(at + 1) + (HasConstant(second) ? 1 : 0);
}

// The same behind a VEX prefix of two or three bytes, from the prefix on.
int VexLength(const uint8_t* at) {
  const int prefix = *at == 0xc4 ? 3 : 2;
  const int map = prefix == 3 ? at[1] & 0x1f : 1;
  const uint8_t opcode = at[prefix];
  if (map < 1 || map > 3) return 0;
  if (map == 1 && opcode == 0x77) return prefix + 1;  // vzeroupper
  const bool has_constant = map == 3 || (map == 1 && HasConstant(opcode));
  return prefix + 1 + OperandLength(at + prefix + 1) + (has_constant ? 1 : 0);
}

// Of an instruction behind which the code goes on with the next: none that jumps, calls, returns or traps. 0 for those, and
// for what V8 does not use.
int StraightLength(const uint8_t* start) {
  const uint8_t* at = start;
  int constant = 4;
  for (; *at == 0x66 || *at == 0xf2 || *at == 0xf3; at++) {
    if (*at == 0x66) constant = 2;
  }
  if (*at == 0xc4 || *at == 0xc5) {
    const int length = VexLength(at);
    return length == 0 ? 0 : static_cast<int>(at - start) + length;
  }
  bool is_wide = false;
  if ((*at & 0xf0) == 0x40) is_wide = (*at++ & 8) != 0;  // REX
  const uint8_t opcode = *at++;
  const auto length = [&](int more) { return static_cast<int>(at - start) + more; };
  const auto with_operand = [&](int more) { return length(OperandLength(at) + more); };
  if (opcode == 0x0f) {
    const int more = TwoByteLength(at);
    return more == 0 ? 0 : length(more);
  }
  if (opcode < 0x40) {  // add, or, adc, sbb, and, sub, xor, cmp
    const int form = opcode & 7;
    return form < 4 ? with_operand(0) : form == 4 ? length(1) : form == 5 ? length(constant) : 0;
  }
  if (opcode >= 0x50 && opcode <= 0x5f) return length(0);                        // push, pop
  if (opcode >= 0xb0 && opcode <= 0xb7) return length(1);                        // mov with a constant
  if (opcode >= 0xb8 && opcode <= 0xbf) return length(is_wide ? 8 : constant);
  if (opcode >= 0xd8 && opcode <= 0xdf) return with_operand(0);                  // x87
  const int kind = (at[0] >> 3) & 7;
  switch (opcode) {
    case 0x63: case 0x84: case 0x85: case 0x86: case 0x87: case 0x88: case 0x89: case 0x8a: case 0x8b: case 0x8d:
    case 0xd0: case 0xd1: case 0xd2: case 0xd3:  // movsx, test, xchg, mov, lea, shifts
      return with_operand(0);
    case 0x6b: case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6: return with_operand(1);
    case 0x69: case 0x81: case 0xc7: return with_operand(constant);
    case 0x68: return length(constant);
    case 0x6a: case 0xa8: return length(1);
    case 0xa9: return length(constant);
    case 0x90: case 0x98: case 0x99: case 0x9b: case 0x9e: return length(0);
    case 0xf6: return with_operand(kind < 2 ? 1 : 0);
    case 0xf7: return with_operand(kind < 2 ? constant : 0);
    case 0xfe: return with_operand(0);
    case 0xff: return kind < 2 || kind == 6 ? with_operand(0) : 0;  // inc, dec, push; not call, jmp
    default: return 0;
  }
}

}  // namespace

Jump JumpBehindCall(uintptr_t pc, uintptr_t end) {
  for (int i = 0; i < kMaxInstructions && pc + kMaxLength <= end; i++) {
    const auto* const at = reinterpret_cast<const uint8_t*>(pc);
    if (*at == 0xe9) return {pc, pc + 5 + static_cast<uintptr_t>(static_cast<intptr_t>(ReadInt32(at + 1)))};
    if (*at == 0xeb) return {pc, pc + 2 + static_cast<uintptr_t>(static_cast<intptr_t>(static_cast<int8_t>(at[1])))};
    const int length = StraightLength(at);
    if (length == 0) return {};
    pc += static_cast<uintptr_t>(length);
  }
  return {};
}

uintptr_t MapStoreFrom(uintptr_t start, uintptr_t end) {
  for (int i = 0; i < kMaxInstructions && start + kMaxLength <= end; i++) {
    const auto* const at = reinterpret_cast<const uint8_t*>(start);
    // mov [register - 1], register, all 64 bits: the tag of a pointer is 1.
    const bool is_store = (*at & 0xf8) == 0x48 && at[1] == 0x89 && (at[2] >> 6) == 1;
    if (is_store && at[OperandLength(at + 2) + 1] == 0xff) return start;
    const int length = StraightLength(at);
    if (length == 0) return 0;
    start += static_cast<uintptr_t>(length);
  }
  return 0;
}

bool IsCallBehind(uintptr_t start, uintptr_t pc) {
  for (int i = 0; i < kMaxInstructions && start < pc; i++) {
    const auto* const at = reinterpret_cast<const uint8_t*>(start);
    if (*at == 0xe8) return start + 5 == pc;
    const int prefix = (*at & 0xf0) == 0x40 ? 1 : 0;
    if (at[prefix] == 0xff) return start + static_cast<uintptr_t>(prefix + 1 + OperandLength(at + prefix + 1)) == pc;
    const int length = StraightLength(at);
    if (length == 0) return false;
    start += static_cast<uintptr_t>(length);
  }
  return false;
}
#else
Jump JumpBehindCall(uintptr_t, uintptr_t) { return {}; }
uintptr_t MapStoreFrom(uintptr_t, uintptr_t) { return 0; }
bool IsCallBehind(uintptr_t, uintptr_t) { return false; }
#endif

}  // namespace gcspike
