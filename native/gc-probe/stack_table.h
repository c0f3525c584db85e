// Stacks of JavaScript functions by numbers: 1 + the index of a record in the stacks log.
#pragma once

#include <cstdint>
#include <memory>

#include "format.h"
#include "mapped_log.h"

namespace gcspike {

class StackTable {
 public:
  static constexpr uint32_t kMaxFrames = 64;

  void Open(MappedLog* log);
  // 0 for an empty stack, and where there is no room for a new one.
  uint32_t NumberOf(const uint32_t* functions, uint32_t count);

 private:
  struct Known {
    uint64_t hash;
    uint32_t number;
  };

  uint32_t Append(const uint32_t* functions, uint32_t count);

  MappedLog* log_ = nullptr;
  std::unique_ptr<Known[]> known_;
  uint32_t known_count_ = 0;
  uint32_t written_ = 0;
};

}  // namespace gcspike
