// Machine code around a call: optimised code keeps what is rarely needed behind its end, and jumps back from there.
#pragma once

#include <cstdint>

namespace gcspike {

struct Jump {
  uintptr_t at = 0;  // 0: there is none
  uintptr_t target = 0;
};

// The jump that follows on a call's return address `pc` after nothing but straight code. Reads up to `end`. x64 only, as the next.
Jump JumpBehindCall(uintptr_t pc, uintptr_t end);
// The instruction from `start` on that writes a new object's first word, its map, with nothing but straight code before it; 0
// where there is none. Reads up to `end`.
uintptr_t MapStoreFrom(uintptr_t start, uintptr_t end);
// Whether from `start` on there is nothing but straight code and then the call that returns to `pc`.
bool IsCallBehind(uintptr_t start, uintptr_t pc);

}  // namespace gcspike
