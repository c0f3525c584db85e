// Where V8 keeps what the stack walk reads, by the constants that V8 exports for debuggers (v8dbg_*, "postmortem
// metadata"). Reading them moves nothing, allocates nothing and is allowed inside a collection, which V8's own
// CurrentStackTrace is not; and unlike a code event listener it costs collections nothing while nobody looks.
#pragma once

#include <cstdint>

namespace gcspike {

// V8's tagging without pointer compression: heap objects end in 01, weak references to them in 11, small integers are in
// the upper half.
inline bool IsHeapObject(uint64_t value) { return (value & 3) == 1 && value > 0x10000; }
inline bool IsSmi(uint64_t value) { return (value & 0xffffffff) == 0; }
inline uint64_t SmiValue(uint64_t value) { return value >> 32; }

inline uint64_t Word(uintptr_t address) { return *reinterpret_cast<const uint64_t*>(address); }
// A field of a tagged object.
inline uint64_t Field(uintptr_t object, int offset) { return Word(object - 1 + static_cast<uintptr_t>(offset)); }

// V8's pages of the heap are of this size in every version; larger objects have pages of their own.
inline constexpr uintptr_t kHeapPage = 256 << 10;

struct HeapLayout {
  // False where a constant is missing, or pointers are compressed: there are no stacks then.
  bool Load();
  // The same for what optimised code says about itself; after Load.
  bool LoadCode();
  // The instance type of a heap object, -1 for what is none.
  int TypeOf(uintptr_t object) const;
  bool IsByteArray(uintptr_t object) const;

  int frame_context_or_type;
  int frame_function;
  int function_shared;
  int shared_name_or_scope_info;
  int shared_script;
  int script_name;
  int map_instance_type;
  int string_length;
  int one_byte_chars;
  int two_byte_chars;
  int cons_first;
  int cons_second;
  int thin_actual;
  int scope_info_locals;
  int scope_info_first_variable;
  int type_function;
  int type_shared;
  int type_scope_info;
  int type_script;
  int first_nonstring_type;
  int string_representation_mask;
  int cons_tag;
  int thin_tag;
  int one_byte_tag;

  int type_code;
  int type_byte_array;
  int type_trusted_byte_array;  // -1 before V8 12
  int type_deoptimization_data;
  int type_shared_wrapper;  // -1: deoptimisation data hold the SharedFunctionInfo itself
  int code_deoptimization_data;
  int code_position_table;
  int code_instruction_start;
  int array_data;
  int array_length;
  int deoptimization_literals;
  int deoptimization_shared;
  int deoptimization_inlining_positions;
};

}  // namespace gcspike
