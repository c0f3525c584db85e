// The JavaScript functions on the stack of the isolate's thread, found from inside a GC callback: frame pointers lead
// to the frames, and each frame holds its function. Functions that the optimiser inlined have no frame of their own.
#pragma once

#include <v8.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "code_ranges.h"
#include "heap_layout.h"
#include "mapped_log.h"

namespace gcspike {

struct StackRange {
  uintptr_t start = 0, end = 0;
};

class TriggerStacks {
 public:
  // On the isolate's thread, called by the JavaScript function `caller`. False, and the walk stays off, where that
  // function is not found on the stack right now: this V8 lays things out differently.
  bool Start(v8::Isolate* isolate, MappedLog* functions, std::string_view caller);

  // Writes the numbers of the functions on the stack, innermost first; how many there were. No heap access but
  // reading, no allocation, no lock. A number is 1 + the index of a record in the functions log.
  uint32_t Capture(uint64_t* numbers, uint32_t capacity);

 private:
  struct Function;
  struct KnownFunction {
    uint64_t hash;
    uint32_t number;
  };
  // What was found at an address lately, so that a function that is always on the stack is not described each time.
  struct SeenFunction {
    uintptr_t shared;
    uint64_t scope;
    uint32_t number;
  };

  template <typename Visit>
  void Walk(Visit visit);
  uintptr_t SharedOf(uintptr_t frame) const;
  void Describe(uintptr_t shared, Function* function) const;
  void DescribeScope(uintptr_t scope_info, Function* function) const;
  int TypeOf(uintptr_t object) const;
  size_t ReadString(uintptr_t object, char* buffer, size_t capacity, int depth) const;
  uint32_t NumberAt(uintptr_t shared);
  uint32_t NumberOf(const Function& function);

  HeapLayout layout_;
  // V8's number for a function's scope: that of the caller in Start. -1 before.
  int scope_type_ = -1;
  MappedLog* log_ = nullptr;
  StackRange stack_;
  CodeRanges code_;
  std::unique_ptr<KnownFunction[]> known_;
  uint32_t known_count_ = 0;
  std::unique_ptr<SeenFunction[]> seen_;
};

}  // namespace gcspike
