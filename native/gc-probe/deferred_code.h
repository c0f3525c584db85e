// Where a call comes back to: optimised code keeps what is rarely needed behind its end, and jumps back from there.
#pragma once

#include <cstdint>

namespace gcspike {

// The target of the jump that follows on a call's return address `pc` after nothing but moves; 0 where something else
// follows. Reads up to `end`, where the code ends. x64 only: 0 elsewhere.
uintptr_t JumpBehindCall(uintptr_t pc, uintptr_t end);

}  // namespace gcspike
