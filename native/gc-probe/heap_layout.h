// Where V8 keeps what the stack walk reads, by the constants that V8 exports for debuggers (v8dbg_*, "postmortem
// metadata"). Reading them moves nothing, allocates nothing and is allowed inside a collection, which V8's own
// CurrentStackTrace is not; and unlike a code event listener it costs collections nothing while nobody looks.
#pragma once

#include <cstdint>

namespace gcspike {

struct HeapLayout {
  // False where a constant is missing, or pointers are compressed: there are no trigger stacks then.
  bool Load();

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
};

}  // namespace gcspike
