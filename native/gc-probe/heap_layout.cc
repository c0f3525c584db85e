#include "heap_layout.h"

#include <dlfcn.h>
#include <v8.h>

#include <cstring>
#include <initializer_list>

namespace gcspike {
namespace {

#if V8_MAJOR_VERSION >= 13
constexpr const char* kDeoptimizationDataType = "v8dbg_type_ProtectedFixedArray__PROTECTED_FIXED_ARRAY_TYPE";
#elif V8_MAJOR_VERSION == 12
constexpr const char* kDeoptimizationDataType = "v8dbg_type_TrustedFixedArray__TRUSTED_FIXED_ARRAY_TYPE";
#else
constexpr const char* kDeoptimizationDataType = "v8dbg_type_FixedArray__FIXED_ARRAY_TYPE";
#endif

// The constants' names carry the field's C++ type, which differs between versions: the first that exists is it.
bool Read(int* target, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const void* constant = dlsym(RTLD_DEFAULT, name); constant != nullptr) {
      *target = *static_cast<const int*>(constant);
      return true;
    }
  }
  return false;
}

}  // namespace

bool HeapLayout::Load() {
  int tagged_size = 0;
  return Read(&tagged_size, {"v8dbg_TaggedSize"}) && tagged_size == 8 &&
         Read(&frame_context_or_type, {"v8dbg_off_fp_context_or_frame_type"}) &&
         Read(&frame_function, {"v8dbg_off_fp_function"}) &&
         Read(&function_shared, {"v8dbg_class_JSFunction__shared__SharedFunctionInfo"}) &&
         Read(&shared_name_or_scope_info, {"v8dbg_class_SharedFunctionInfo__name_or_scope_info__Tagged_NameOrScopeInfoT_",
                                           "v8dbg_class_SharedFunctionInfo__name_or_scope_info__Tagged_Object_",
                                           "v8dbg_class_SharedFunctionInfo__name_or_scope_info__Object"}) &&
         Read(&shared_script, {"v8dbg_class_SharedFunctionInfo__script__Tagged_HeapObject_",
                               "v8dbg_class_SharedFunctionInfo__script_or_debug_info__HeapObject"}) &&
         Read(&script_name, {"v8dbg_class_Script__name__Object"}) &&
         Read(&map_instance_type, {"v8dbg_class_Map__instance_type__uint16_t"}) &&
         Read(&string_length, {"v8dbg_class_String__length__int32_t"}) &&
         Read(&one_byte_chars, {"v8dbg_class_SeqOneByteString__chars__char"}) &&
         Read(&two_byte_chars, {"v8dbg_class_SeqTwoByteString__chars__char"}) &&
         Read(&cons_first, {"v8dbg_class_ConsString__first__String"}) &&
         Read(&cons_second, {"v8dbg_class_ConsString__second__String"}) &&
         Read(&thin_actual, {"v8dbg_class_ThinString__actual__String"}) &&
         Read(&scope_info_locals, {"v8dbg_scopeinfo_idx_ncontextlocals"}) &&
         Read(&scope_info_first_variable, {"v8dbg_scopeinfo_idx_first_vars"}) &&
         Read(&type_function, {"v8dbg_type_JSFunction__JS_FUNCTION_TYPE"}) &&
         Read(&type_shared, {"v8dbg_type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE"}) &&
         Read(&type_scope_info, {"v8dbg_type_ScopeInfo__SCOPE_INFO_TYPE"}) &&
         Read(&type_script, {"v8dbg_type_Script__SCRIPT_TYPE"}) &&
         Read(&first_nonstring_type, {"v8dbg_FirstNonstringType"}) &&
         Read(&string_representation_mask, {"v8dbg_StringRepresentationMask"}) &&
         Read(&cons_tag, {"v8dbg_ConsStringTag"}) && Read(&thin_tag, {"v8dbg_ThinStringTag"}) &&
         Read(&one_byte_tag, {"v8dbg_OneByteStringTag"});
}

bool HeapLayout::LoadCode() {
  type_shared_wrapper = type_trusted_byte_array = -1;
  Read(&type_trusted_byte_array, {"v8dbg_type_TrustedByteArray__TRUSTED_BYTE_ARRAY_TYPE"});
  Read(&type_shared_wrapper, {"v8dbg_type_SharedFunctionInfoWrapper__SHARED_FUNCTION_INFO_WRAPPER_TYPE"});
  // V8 12 moved code's metadata into "trusted space" and took those two fields out of its constants: they are the first
  // ones of Code. Readers check what they find by its type.
  if (!Read(&code_deoptimization_data, {"v8dbg_class_Code__deoptimization_data__FixedArray"})) {
    code_deoptimization_data = 8;
  }
  if (!Read(&code_position_table, {"v8dbg_class_Code__source_position_table__ByteArray"})) code_position_table = 16;
  // Not among the constants of V8 11: it is the same there.
  if (!Read(&code_instruction_start, {"v8dbg_class_Code__instruction_start__Address"})) code_instruction_start = 40;
  return Read(&type_code, {"v8dbg_type_Code__CODE_TYPE"}) &&
         Read(&type_byte_array, {"v8dbg_type_ByteArray__BYTE_ARRAY_TYPE"}) &&
         Read(&type_deoptimization_data, {kDeoptimizationDataType}) &&
         Read(&array_data, {"v8dbg_class_FixedArray__data__uintptr_t"}) &&
         Read(&array_length, {"v8dbg_class_FixedArrayBase__length__SMI"}) &&
         Read(&deoptimization_literals, {"v8dbg_DeoptimizationDataLiteralArrayIndex"}) &&
         Read(&deoptimization_shared, {"v8dbg_DeoptimizationDataWrappedSharedFunctionInfoIndex",
                                       "v8dbg_DeoptimizationDataSharedFunctionInfoIndex"}) &&
         Read(&deoptimization_inlining_positions, {"v8dbg_DeoptimizationDataInliningPositionsIndex"});
}

int HeapLayout::TypeOf(uintptr_t object) const {
  const uint64_t map = Word(object - 1);
  if (!IsHeapObject(map)) return -1;
  uint16_t type;
  std::memcpy(&type, reinterpret_cast<const void*>(map - 1 + static_cast<uintptr_t>(map_instance_type)), 2);
  return type;
}

bool HeapLayout::IsByteArray(uintptr_t object) const {
  const int type = TypeOf(object);
  return type == type_byte_array || (type != -1 && type == type_trusted_byte_array);
}

}  // namespace gcspike
