// Addresses of what Node's binary holds but does not declare in its headers. Nothing is found on macOS.
#pragma once

#include <cstdint>

namespace gcspike {

// By the mangled name, which fixes a function's parameters too; 0 where it is not exported.
uintptr_t FindExported(const char* name);

// Whether `address` is the program's own, not a library's, and the program's file has a symbol table, which names what is not
// exported.
bool HasSymbolTable(const void* address);
// In that table; 0 where it is not there. Takes some 10 ms.
uintptr_t FindInSymbolTable(const char* name);

}  // namespace gcspike
