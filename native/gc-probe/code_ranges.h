// Where machine code lies that keeps frame pointers: V8's own, Node's and ours. Addons may not keep them, and what their
// frames lead to is anything.
#pragma once

#include <v8.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace gcspike {

class CodeRanges {
 public:
  void Load(v8::Isolate* isolate);

  // Code that V8 made, or its builtins: a frame of these may be one of JavaScript.
  bool IsV8(uintptr_t pc) const { return code_.Has(pc) || builtins_.Has(pc); }
  // Code that was generated while the program runs, or a copy of the builtins.
  bool IsGenerated(uintptr_t pc) const { return code_.Has(pc); }
  // Node's own program code; false where it is not known.
  bool IsNode(uintptr_t pc) const { return texts_known_ && texts_[0].Has(pc); }
  // A frame of this code leads to the frame that called it.
  bool IsWalkable(uintptr_t pc) const;

 private:
  struct Range {
    uintptr_t start = 0, end = 0;
    bool Has(uintptr_t pc) const { return pc >= start && pc < end; }
  };

  Range code_, builtins_;
  // The program segments that hold Node and this library; on macOS they are not known, and every frame is walked.
  std::array<Range, 2> texts_;
  bool texts_known_ = false;
};

}  // namespace gcspike
