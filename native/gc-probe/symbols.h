// Addresses of what Node's binary holds but does not declare in its headers.
#pragma once

#include <cstdint>
#include <span>

namespace gcspike {

struct Symbol {
  const char* name;  // mangled: on Linux that fixes a function's parameters too
  uintptr_t address = 0;
};

// False where one of them is missing: a binary without symbols, or another V8; and always on macOS. Looks into the dynamic symbols, then into
// the symbol table of the program's file, which takes some milliseconds.
bool FindSymbols(std::span<Symbol> wanted);

}  // namespace gcspike
