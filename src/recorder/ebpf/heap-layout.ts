/**
 * Where V8 keeps what names the functions on a stack, by the constants that it exports for debuggers (v8dbg_*): the same as
 * native/gc-probe/heap_layout.cc, from outside.
 */
import type { ElfFile } from "./elf.ts";

const shared = "v8dbg_class_SharedFunctionInfo__";

/** The constants' names carry the field's C++ type, which differs between versions: the first that exists is it. */
const CONSTANTS = {
  taggedSize: ["v8dbg_TaggedSize"],
  frameContextOrType: ["v8dbg_off_fp_context_or_frame_type"],
  frameFunction: ["v8dbg_off_fp_function"],
  functionShared: ["v8dbg_class_JSFunction__shared__SharedFunctionInfo"],
  sharedNameOrScope: [
    `${shared}name_or_scope_info__Tagged_NameOrScopeInfoT_`,
    `${shared}name_or_scope_info__Tagged_Object_`,
    `${shared}name_or_scope_info__Object`,
  ],
  sharedScript: [`${shared}script__Tagged_HeapObject_`, `${shared}script_or_debug_info__HeapObject`],
  scriptName: ["v8dbg_class_Script__name__Object"],
  mapInstanceType: ["v8dbg_class_Map__instance_type__uint16_t"],
  stringLength: ["v8dbg_class_String__length__int32_t"],
  oneByteChars: ["v8dbg_class_SeqOneByteString__chars__char"],
  twoByteChars: ["v8dbg_class_SeqTwoByteString__chars__char"],
  consFirst: ["v8dbg_class_ConsString__first__String"],
  consSecond: ["v8dbg_class_ConsString__second__String"],
  thinActual: ["v8dbg_class_ThinString__actual__String"],
  scopeLocals: ["v8dbg_scopeinfo_idx_ncontextlocals"],
  scopeFirstVariable: ["v8dbg_scopeinfo_idx_first_vars"],
  typeShared: ["v8dbg_type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE"],
  typeScopeInfo: ["v8dbg_type_ScopeInfo__SCOPE_INFO_TYPE"],
  typeScript: ["v8dbg_type_Script__SCRIPT_TYPE"],
  firstNonstringType: ["v8dbg_FirstNonstringType"],
  stringRepresentationMask: ["v8dbg_StringRepresentationMask"],
  consTag: ["v8dbg_ConsStringTag"],
  thinTag: ["v8dbg_ThinStringTag"],
  oneByteTag: ["v8dbg_OneByteStringTag"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** V8's number for the scope of a function, by the major version of Node: the constants do not say it. */
const FUNCTION_SCOPE: Readonly<Record<number, number>> = { 20: 2, 22: 2, 24: 4, 26: 4 };

export type HeapLayout = Readonly<Record<keyof typeof CONSTANTS | "functionScope", number>>;

/** Null where it is not known how this version of Node, or one with compressed pointers, lays functions out. */
export function readHeapLayout(elf: ElfFile, nodeMajor: number): HeapLayout | null {
  const functionScope = FUNCTION_SCOPE[nodeMajor];
  if (functionScope === undefined) return null;
  const constants = constantsIn(elf, CONSTANTS);
  return constants?.taggedSize === 8 ? { ...constants, functionScope } : null;
}

/** The constants by field; null where one is missing. */
export function constantsIn<Field extends string>(
  elf: ElfFile,
  names: Readonly<Record<Field, readonly string[]>>,
): Readonly<Record<Field, number>> | null {
  const entries = Object.entries<readonly string[]>(names);
  const symbols = elf.symbols(entries.flatMap(([, alternatives]) => alternatives));
  const values = entries.map(([field, alternatives]) => {
    const address = alternatives.map((name) => symbols.get(name)).find((one) => one !== undefined);
    return [field, address === undefined ? undefined : elf.bytesAt(address, 4)?.readInt32LE()] as const;
  });
  if (values.some(([, value]) => value === undefined)) return null;
  return Object.fromEntries(values) as Record<Field, number>;
}
