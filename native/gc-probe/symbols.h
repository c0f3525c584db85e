// Addresses of what Node's binary holds but does not declare in its headers.
#pragma once

#include <cstdint>
#include <span>

namespace gcspike {

struct Symbol {
  const char* name;  // mangled, which fixes a function's parameters too; 23 characters or more
  uintptr_t address = 0;  // 0: not found
};

// Looks into the dynamic symbols, then into the symbol table of the program's file, which takes some milliseconds. Finds
// nothing on macOS, in a binary without symbols, and what another V8 does not have.
void FindSymbols(std::span<Symbol> wanted);

}  // namespace gcspike
