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

// Of an instruction that V8 uses to move values where it goes on after a call; 0 for others.
int MoveLength(const uint8_t* start) {
  const uint8_t* at = start;
  const auto length = [&](int more) { return static_cast<int>(at - start) + more; };
  while (*at == 0x66 || *at == 0xf2 || *at == 0xf3) at++;
  bool is_wide = false;
  if ((*at & 0xf0) == 0x40) is_wide = (*at++ & 8) != 0;  // REX
  const uint8_t opcode = *at++;
  switch (opcode) {
    case 0x01: case 0x03: case 0x09: case 0x0b: case 0x21: case 0x23:             // add, or, and
    case 0x29: case 0x2b: case 0x31: case 0x33:                                   // sub, xor
    case 0x63: case 0x88: case 0x89: case 0x8a: case 0x8b: case 0x8d:             // movsx, mov, lea
    case 0xd1:                                                                    // shift by one
      return length(OperandLength(at));
    case 0x83: case 0xc1: case 0xc6:  // arithmetic, shift, mov; one byte
      return length(OperandLength(at) + 1);
    case 0x81: case 0xc7:  // the same, four bytes
      return length(OperandLength(at) + 4);
    case 0x87: return length(OperandLength(at));  // xchg
    case 0x90: return length(0);
    case 0x0f: {
      const uint8_t second = *at++;
      switch (second) {
        case 0x70: case 0x71: case 0x72: case 0x73: case 0xc6:  // shuffles and shifts
          return length(OperandLength(at) + 1);
        case 0x10: case 0x11: case 0x16: case 0x17: case 0x28: case 0x29: case 0x57: case 0x5a: case 0x6e: case 0x6f:
        case 0x7e: case 0x7f: case 0xb6: case 0xb7: case 0xbe: case 0xbf: case 0xd6: case 0xef: case 0x1f:
          return length(OperandLength(at));
        default: return 0;
      }
    }
    case 0xc4: case 0xc5: {  // VEX: two bytes or one, opcode
      at += opcode == 0xc4 ? 2 : 1;
      const uint8_t second = *at++;
      const bool has_constant = (second >= 0x70 && second <= 0x73) || second == 0xc6;
      return length(OperandLength(at) + (has_constant ? 1 : 0));
    }
    default: break;
  }
  if (opcode >= 0x50 && opcode <= 0x5f) return length(0);                    // push, pop
  if (opcode >= 0xb8 && opcode <= 0xbf) return length(is_wide ? 8 : 4);      // mov with a constant
  return 0;
}

}  // namespace

Jump JumpBehindCall(uintptr_t pc, uintptr_t end) {
  for (int i = 0; i < kMaxInstructions && pc + kMaxLength <= end; i++) {
    const auto* const at = reinterpret_cast<const uint8_t*>(pc);
    if (*at == 0xe9) return {pc, pc + 5 + static_cast<uintptr_t>(static_cast<intptr_t>(ReadInt32(at + 1)))};
    if (*at == 0xeb) return {pc, pc + 2 + static_cast<uintptr_t>(static_cast<intptr_t>(static_cast<int8_t>(at[1])))};
    const int length = MoveLength(at);
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
    const int length = MoveLength(at);
    if (length == 0) return 0;
    start += static_cast<uintptr_t>(length);
  }
  return 0;
}

bool IsCallBehindMoves(uintptr_t start, uintptr_t pc) {
  for (int i = 0; i < kMaxInstructions && start < pc; i++) {
    const auto* const at = reinterpret_cast<const uint8_t*>(start);
    if (*at == 0xe8) return start + 5 == pc;
    const int prefix = (*at & 0xf0) == 0x40 ? 1 : 0;
    if (at[prefix] == 0xff) return start + static_cast<uintptr_t>(prefix + 1 + OperandLength(at + prefix + 1)) == pc;
    const int length = MoveLength(at);
    if (length == 0) return false;
    start += static_cast<uintptr_t>(length);
  }
  return false;
}
#else
Jump JumpBehindCall(uintptr_t, uintptr_t) { return {}; }
uintptr_t MapStoreFrom(uintptr_t, uintptr_t) { return 0; }
bool IsCallBehindMoves(uintptr_t, uintptr_t) { return false; }
#endif

}  // namespace gcspike
