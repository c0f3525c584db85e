// The functions that the optimiser inlined around a return address: optimised code carries a table of source positions,
// each with the chain of calls that were inlined there (V8 fills it while somebody wants detailed source positions). The
// tables are read as they lie in memory; only the code that holds an address is asked from V8.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "function_table.h"
#include "heap_layout.h"

namespace gcspike {

class InlinedFunctions {
 public:
  InlinedFunctions(const HeapLayout* layout, FunctionTable* functions) : layout_(layout), functions_(functions) {}
  // `heap`: V8's Heap. False where this V8 is none of those whose tables are known, or does not say which code holds an
  // address.
  bool Start(uintptr_t heap);
  // Background thread, once: finds V8's function for that where it is not exported, which takes some 10 ms. Nothing is known
  // of inlined functions before; code that is hot from the start is optimised later than that.
  static void FindCodeFunction();

  // Numbers of the inlined functions, innermost first, without the function of the frame itself, whose number is
  // `outermost`. Empty for other than optimised code. Valid until the next call. `epoch`: see
  // JavaScriptStacks::CaptureInlined.
  std::span<const uint32_t> At(uintptr_t pc, uint32_t outermost, uint64_t epoch);

 private:
  static constexpr size_t kMaxDepth = 22;
  // What was found at a return address lately.
  struct Known {
    uintptr_t pc;
    uint64_t epoch;
    uint32_t outermost;
    uint32_t count;
    uint32_t numbers[kMaxDepth];
  };

  void Find(Known* known) const;
  bool FindPosition(uintptr_t code, uintptr_t pc, uint64_t* position) const;
  uintptr_t CodeAt(uintptr_t pc) const;

  const HeapLayout* const layout_;
  FunctionTable* const functions_;
  uintptr_t heap_ = 0;
  std::unique_ptr<Known[]> known_;
};

}  // namespace gcspike
