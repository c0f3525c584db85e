/**
 * Which functions the optimiser had put into the code to which a frame returns, read from the tables of source positions that optimised
 * code carries: what native/gc-probe/inlined_functions.cc does inside the process. The code is found by its own head, which lies before it
 * and says where it begins; every type is checked before a field is read.
 */
import type { ElfFile } from "./elf.ts";
import { constantsIn } from "./heap-layout.ts";
import { type HeapReader, isHeapObject, isSmi, smiValue, wordAt } from "./heap-reader.ts";
import type { Memory } from "./process-memory.ts";

const CONSTANTS = {
  streamStart: ["v8dbg_class_InstructionStream__instruction_start__uintptr_t"],
  typeStream: ["v8dbg_type_InstructionStream__INSTRUCTION_STREAM_TYPE"],
  typeCode: ["v8dbg_type_Code__CODE_TYPE"],
  typeByteArray: ["v8dbg_type_ByteArray__BYTE_ARRAY_TYPE"],
  typeFixedArray: ["v8dbg_type_FixedArray__FIXED_ARRAY_TYPE"],
  arrayData: ["v8dbg_class_FixedArray__data__uintptr_t"],
  arrayLength: ["v8dbg_class_FixedArrayBase__length__SMI"],
  literals: ["v8dbg_DeoptimizationDataLiteralArrayIndex"],
  shared: ["v8dbg_DeoptimizationDataWrappedSharedFunctionInfoIndex", "v8dbg_DeoptimizationDataSharedFunctionInfoIndex"],
  inliningPositions: ["v8dbg_DeoptimizationDataInliningPositionsIndex"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Not in every version. */
const OPTIONAL = {
  typeTrustedByteArray: ["v8dbg_type_TrustedByteArray__TRUSTED_BYTE_ARRAY_TYPE"],
  typeTrustedFixedArray: ["v8dbg_type_TrustedFixedArray__TRUSTED_FIXED_ARRAY_TYPE"],
  typeProtectedFixedArray: ["v8dbg_type_ProtectedFixedArray__PROTECTED_FIXED_ARRAY_TYPE"],
  typeSharedWrapper: ["v8dbg_type_SharedFunctionInfoWrapper__SHARED_FUNCTION_INFO_WRAPPER_TYPE"],
  deoptimizationData: ["v8dbg_class_Code__deoptimization_data__FixedArray"],
  positionTable: ["v8dbg_class_Code__source_position_table__ByteArray"],
  instructionStart: ["v8dbg_class_Code__instruction_start__Address"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/**
 * What stands for a constant that is not there: no type, or where the field is. V8 12 took the first two out of its constants, which are
 * the first ones of Code since; V8 11 does not say the third.
 */
const OTHERWISE: Readonly<Record<keyof typeof OPTIONAL, number>> = {
  typeTrustedByteArray: -1,
  typeTrustedFixedArray: -1,
  typeProtectedFixedArray: -1,
  typeSharedWrapper: -1,
  deoptimizationData: 8,
  positionTable: 16,
  instructionStart: 40,
};
/** Where in an InstructionStream its Code may be named. */
const STREAM_CODE = [8, 16];
const WRAPPED_SHARED = 8;

/** V8's pages of code are of this size in every version, and code begins at multiples of the other. */
const PAGE = 256 * 1024;
const CODE_ALIGNMENT = 32;
const STEP = 16 * 1024;
const MAX_TABLE_BYTES = 4 * 1024 ** 2;
const MAX_INLINED = 65_536;
const MAX_LITERALS = 1024 ** 2;
const MAX_DEPTH = 32;
/** V8's InliningPosition: a source position (8 bytes), the index of a literal (4), nothing (4). */
const INLINING_BYTES = 16;
/**
 * From the entry of a call in the table to its end: what loads arguments and target lies in between. Each call has an entry, but for those
 * that make room for a small object: these lead to collections, and not to large allocations.
 */
const CALL_BYTES = 128;

export type CodeLayout = Readonly<Record<keyof typeof CONSTANTS | keyof typeof OPTIONAL, number>> & {
  /** V8 14 writes the steps in a table with two bits for what kind of place it is, those before with a sign. */
  readonly hasKindBits: boolean;
};

/** Null where it is not known how this version of Node does it. */
export function readCodeLayout(elf: ElfFile, nodeMajor: number): CodeLayout | null {
  const constants = constantsIn(elf, CONSTANTS);
  if (constants === null || ![20, 22, 24, 26].includes(nodeMajor)) return null;
  const optional = Object.fromEntries(
    Object.entries(OPTIONAL).map(([field, names]) => [field, constantsIn(elf, { value: names })?.value]),
  );
  const known = Object.entries(optional).filter(([, value]) => value !== undefined);
  return { ...constants, ...OTHERWISE, ...Object.fromEntries(known), hasKindBits: nodeMajor >= 26 };
}

export class InlinedFunctions {
  readonly #memory: Memory;
  readonly #heap: HeapReader;
  readonly #layout: CodeLayout;

  constructor(memory: Memory, heap: HeapReader, layout: CodeLayout) {
    this.#memory = memory;
    this.#heap = heap;
    this.#layout = layout;
  }

  /**
   * SharedFunctionInfos of the functions inlined around `pc`, innermost first; none where the code there is not optimised, is not that of
   * the function `shared`, or does not say.
   */
  at(pc: number, shared: number): readonly number[] {
    const code = this.#codeAt(pc);
    if (code === null) return [];
    const data = this.#field(code.object, this.#layout.deoptimizationData);
    const { arrayData, literals, inliningPositions } = this.#layout;
    const entry = (index: number): number => this.#field(data, arrayData + 8 * index);
    if (!this.#isArray(data) || this.#length(data) <= inliningPositions) return [];
    if (this.#unwrapped(entry(this.#layout.shared)) !== shared) return [];
    const position = this.#positionOf(code, pc);
    if (position === null) return [];
    return this.#chain(position, shared, entry(inliningPositions), entry(literals));
  }

  #chain(innermost: bigint, shared: number, positions: number, literals: number): readonly number[] {
    const { arrayData } = this.#layout;
    const calls = this.#bytes(positions);
    const literalCount = this.#length(literals);
    if (calls === null || calls.length / INLINING_BYTES > MAX_INLINED || literalCount > MAX_LITERALS) return [];
    const chain: number[] = [];
    for (let position = innermost; inliningId(position) !== 0; ) {
      const at = (inliningId(position) - 1) * INLINING_BYTES;
      if (at + INLINING_BYTES > calls.length || chain.length === MAX_DEPTH) return [];
      position = calls.readBigUInt64LE(at);
      const literal = calls.readInt32LE(at + 8);
      // -1: the function inlined itself. A literal may be a weak reference.
      if (literal < -1 || literal >= literalCount) return [];
      const found = literal === -1 ? shared : this.#field(literals, arrayData + 8 * literal);
      chain.push(found % 4 === 3 ? found - 2 : found);
    }
    return chain;
  }

  /** The Code whose instructions hold `pc`: the nearest before it, on its page, that says where they begin. */
  #codeAt(pc: number): { readonly object: number; readonly start: number } | null {
    const { streamStart, typeStream } = this.#layout;
    const page = pc - (pc % PAGE);
    let candidate = pc - (pc % CODE_ALIGNMENT);
    for (let end = pc; end > page; end -= STEP) {
      const from = Math.max(page, end - STEP);
      const bytes = this.#memory.read(from, end - from);
      if (bytes === null) return null;
      for (; candidate - streamStart >= from; candidate -= CODE_ALIGNMENT) {
        const stream = candidate - streamStart;
        if (stream + 8 > end) continue;
        const map = wordAt(bytes, stream - from);
        if (this.#heap.typeOfMap(map) === typeStream) return this.#codeOf(stream + 1, candidate);
      }
    }
    return null;
  }

  #codeOf(stream: number, start: number): { readonly object: number; readonly start: number } | null {
    const { typeCode, instructionStart } = this.#layout;
    for (const offset of STREAM_CODE) {
      const object = this.#field(stream, offset);
      if (this.#heap.typeOf(object) !== typeCode) continue;
      return this.#field(object, instructionStart) === start ? { object, start } : null;
    }
    return null;
  }

  /** The source position of the call that returns to `pc`; null where the table has none for it. */
  #positionOf({ object, start }: { readonly object: number; readonly start: number }, pc: number): bigint | null {
    const table = this.#bytes(this.#field(object, this.#layout.positionTable));
    if (table === null || !this.#isCall(pc)) return null;
    const before = entryBefore(table, pc - start, this.#layout.hasKindBits);
    return before === null || pc - start - before.offset > CALL_BYTES ? null : before.position;
  }

  /** Is there a call right before `pc`: of an address (e8), or of one in a register or in memory (ff, with 2 as the middle bits)? */
  #isCall(pc: number): boolean {
    const bytes = this.#memory.read(pc - 7, 7);
    if (bytes === null) return false;
    const isIndirect = (length: number): boolean =>
      bytes[7 - length] === 0xff && (((bytes[8 - length] ?? 0) >> 3) & 7) === 2;
    return bytes[2] === 0xe8 || [2, 3, 4, 6, 7].some(isIndirect);
  }

  #unwrapped(object: number): number {
    const { typeSharedWrapper } = this.#layout;
    const isWrapper = typeSharedWrapper !== -1 && this.#heap.typeOf(object) === typeSharedWrapper;
    return isWrapper ? this.#field(object, WRAPPED_SHARED) : object;
  }

  #isArray(object: number): boolean {
    const { typeFixedArray, typeTrustedFixedArray, typeProtectedFixedArray } = this.#layout;
    const type = this.#heap.typeOf(object);
    return type !== -1 && [typeFixedArray, typeTrustedFixedArray, typeProtectedFixedArray].includes(type);
  }

  #bytes(object: number): Buffer | null {
    const { typeByteArray, typeTrustedByteArray, arrayData } = this.#layout;
    const type = this.#heap.typeOf(object);
    if (type === -1 || (type !== typeByteArray && type !== typeTrustedByteArray)) return null;
    const length = this.#length(object);
    return length <= MAX_TABLE_BYTES ? this.#memory.read(object - 1 + arrayData, length) : null;
  }

  #length(array: number): number {
    const word = this.#field(array, this.#layout.arrayLength);
    return isSmi(word) ? smiValue(word) : 0;
  }

  /** 0 where there is none. */
  #field(object: number, offset: number): number {
    const bytes = isHeapObject(object) ? this.#memory.read(object - 1 + offset, 8) : null;
    return bytes === null ? 0 : wordAt(bytes, 0);
  }
}

/** V8's SourcePosition: bit 0, it is no place in JavaScript; bits 31 to 46, 1 + the inlined call, 0 for none. */
function inliningId(position: bigint): number {
  return (position & 1n) === 1n ? 0 : Number((position >> 31n) & 0xffffn);
}

interface Entry {
  readonly offset: number;
  readonly position: bigint;
}

/**
 * The last entry in JavaScript before `offset`. Entries are written as differences to the one before, the first to -1 and 0, in
 * variable-length integers: seven bits a byte, the lowest first. Negative ones have the sign in the lowest bit.
 */
export function entryBefore(table: Uint8Array, offset: number, hasKindBits: boolean): Entry | null {
  let at = 0;
  const bits = (): bigint | null => {
    let value = 0n;
    for (let shift = 0n; at < table.length && shift < 64n; shift += 7n) {
      const byte = table[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    return null;
  };
  let last: Entry | null = null;
  let [place, position] = [-1, 0n];
  for (;;) {
    const [offsetBits, positionBits] = [bits(), bits()];
    if (offsetBits === null || positionBits === null) return last;
    place += offsetStep(offsetBits, hasKindBits);
    position = BigInt.asUintN(64, position + signed(positionBits));
    if (place >= offset) return last;
    if ((position & 1n) === 0n) last = { offset: place, position };
  }
}

function signed(bits: bigint): bigint {
  return (bits >> 1n) ^ -(bits & 1n);
}

function offsetStep(bits: bigint, hasKindBits: boolean): number {
  if (hasKindBits) return Number(bits >> 2n);
  const step = Number(signed(bits));
  return step >= 0 ? step : -(step + 1);
}
