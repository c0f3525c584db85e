// The JavaScript functions on the stack of the isolate's thread, found where V8 may not be asked: frame pointers lead to
// the frames, and each frame holds its function. Functions that the optimiser inlined have no frame of their own.
#pragma once

#include <v8.h>

#include <cstdint>
#include <string_view>

#include "code_ranges.h"
#include "function_table.h"
#include "heap_layout.h"
#include "inlined_functions.h"
#include "mapped_log.h"

namespace gcspike {

struct StackRange {
  uintptr_t start = 0, end = 0;
};

class JavaScriptStacks {
 public:
  // On the isolate's thread, called by the JavaScript function `caller`. False, and the walk stays off, where that
  // function is not found on the stack right now: this V8 lays things out differently.
  bool Start(v8::Isolate* isolate, MappedLog* functions, std::string_view caller);
  // From now on CaptureInlined knows inlined functions. False where this V8 lays out code in an unknown way; see
  // InlinedFunctions::Start.
  bool StartInlined(uintptr_t heap);
  bool is_on() const { return functions_.is_open(); }

  // Writes the numbers of the functions on the stack, innermost first; how many there were. No heap access but
  // reading, no allocation, no lock: also inside a collection.
  uint32_t Capture(uint64_t* numbers, uint32_t capacity);
  // The same with inlined functions, whose numbers have kInlined, outside collections: V8 may take a lock. `code_epoch`: another value where code may
  // have moved or gone since the last call.
  uint32_t CaptureInlined(uint32_t* numbers, uint32_t capacity, uint64_t code_epoch);

 private:
  template <typename Visit>
  void Walk(Visit visit);
  uintptr_t SharedOf(uintptr_t frame) const;

  HeapLayout layout_;
  StackRange stack_;
  CodeRanges code_;
  FunctionTable functions_{&layout_};
  InlinedFunctions inlined_{&layout_, &functions_};
};

}  // namespace gcspike
