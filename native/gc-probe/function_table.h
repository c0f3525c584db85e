// JavaScript functions by numbers: 1 + the index of a record in the functions log. Describing one only reads the heap.
#pragma once

#include <cstdint>
#include <memory>

#include "format.h"
#include "heap_layout.h"
#include "mapped_log.h"

namespace gcspike {

struct FunctionDescription {
  char name[96];
  size_t name_bytes = 0;
  char script[400];
  size_t script_bytes = 0;
  uint32_t position = kNoPosition;
  int scope_type = -1;
};

class FunctionTable {
 public:
  explicit FunctionTable(const HeapLayout* layout) : layout_(layout) {}
  // `scope_type`: V8's number for a function's scope.
  void Open(MappedLog* log, int scope_type);
  bool is_open() const { return log_ != nullptr; }

  // `shared`: a SharedFunctionInfo.
  void Describe(uintptr_t shared, FunctionDescription* function) const;
  // 0 where there is no room for a new one. No allocation, no lock.
  uint32_t NumberAt(uintptr_t shared);

 private:
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

  void DescribeScope(uintptr_t scope_info, FunctionDescription* function) const;
  size_t ReadString(uintptr_t object, char* buffer, size_t capacity, int depth) const;
  uint32_t NumberOf(const FunctionDescription& function);

  const HeapLayout* const layout_;
  int scope_type_ = -1;
  MappedLog* log_ = nullptr;
  std::unique_ptr<KnownFunction[]> known_;
  uint32_t known_count_ = 0;
  std::unique_ptr<SeenFunction[]> seen_;
};

}  // namespace gcspike
