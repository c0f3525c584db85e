/**
 * Names of functions, read from V8's heap as it lies in memory: what native/gc-probe/function_table.cc does inside the process. Every
 * type is checked before a field is read, and every length bounded: a collection may have put something else there meanwhile.
 */
import type { HeapLayout } from "./heap-layout.ts";
import type { Memory } from "./process-memory.ts";

/** ScopeInfo: above this many context locals, their names are in a table of their own (scope-info.tq). */
const MAX_INLINED_LOCALS = 75;
const MAX_LOCALS = 4096;
const MAX_STRING_DEPTH = 3;
const MAX_NAME_CHARS = 96;
const MAX_SCRIPT_CHARS = 400;
const HIGH = 2 ** 32;
/** Nothing is mapped below it. */
const LOWEST = 0x10000;

export interface FunctionDescription {
  readonly name: string;
  /** As V8 has it: a path, a file: URL, "node:..." or "". */
  readonly script: string;
  /** Where the function starts in its script, in UTF-16 code units; null: unknown. */
  readonly position: number | null;
}

/** A SharedFunctionInfo as it stood at a moment: as long as these three words are the same, so is the function. */
export interface SharedWords {
  readonly map: number;
  readonly nameOrScope: number;
  readonly script: number;
}

/** An address of a program has 47 bits. */
export function wordAt(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4) * HIGH + bytes.readUInt32LE(offset);
}

/** V8's tagging without pointer compression: heap objects end in 01, weak references to them in 11, small integers are above 32 bits. */
export function isHeapObject(word: number): boolean {
  return word % 4 === 1 && word > LOWEST && word < 2 ** 47;
}

export function isSmi(word: number): boolean {
  return word % HIGH === 0;
}

export function smiValue(word: number): number {
  return Math.floor(word / HIGH);
}

export class HeapReader {
  readonly #memory: Memory;
  readonly #layout: HeapLayout;

  constructor(memory: Memory, layout: HeapLayout) {
    this.#memory = memory;
    this.#layout = layout;
  }

  /** Null where no SharedFunctionInfo stands at this tagged address. */
  sharedAt(shared: number): SharedWords | null {
    const { sharedNameOrScope, sharedScript, typeShared } = this.#layout;
    const length = Math.max(sharedNameOrScope, sharedScript) + 8;
    const bytes = isHeapObject(shared) ? this.#memory.read(shared - 1, length) : null;
    if (bytes === null) return null;
    const words = {
      map: wordAt(bytes, 0),
      nameOrScope: wordAt(bytes, sharedNameOrScope),
      script: wordAt(bytes, sharedScript),
    };
    return this.typeOfMap(words.map) === typeShared ? words : null;
  }

  describe({ nameOrScope, script }: SharedWords): FunctionDescription {
    const { typeScript, scriptName, typeScopeInfo } = this.#layout;
    const named = isHeapObject(script) && this.typeOf(script) === typeScript ? this.#field(script, scriptName) : null;
    const scriptText = named === null ? "" : this.#string(named, MAX_SCRIPT_CHARS);
    if (!isHeapObject(nameOrScope)) return { name: "", script: scriptText, position: null };
    if (this.typeOf(nameOrScope) !== typeScopeInfo) {
      return { name: this.#string(nameOrScope, MAX_NAME_CHARS), script: scriptText, position: null };
    }
    return { ...this.#describeScope(nameOrScope), script: scriptText };
  }

  /**
   * A ScopeInfo, in words behind its map (scope-info.tq; the same flag bits in V8 11 to 14):
   *
   *     flags | parameters | context locals: n | [start, end: V8 13 and later]
   *     | n names (one table above 75) | n infos | [class variable] | [function name, slot] | [inferred name]
   *     | [start, end: before V8 13] | [outer scope] ...
   */
  #describeScope(scope: number): Pick<FunctionDescription, "name" | "position"> {
    const { functionScope, scopeLocals, scopeFirstVariable } = this.#layout;
    const word = (index: number): number => this.#field(scope, 8 * (1 + index)) ?? 0;
    // A small integer at first, a plain 32-bit field since V8 13.
    const first = word(0);
    const flags = isSmi(first) ? smiValue(first) : first % HIGH;
    const locals = smiValue(word(scopeLocals));
    // Modules, classes and evaluated code have further fields in between, and no name of their own.
    if (flags % 16 !== functionScope || locals > MAX_LOCALS) return { name: "", position: null };
    let at = scopeFirstVariable + (locals < MAX_INLINED_LOCALS ? locals : 1) + locals;
    let name = "";
    if (((flags >> 10) & 1) !== 0) at++;
    if (((flags >> 12) & 3) !== 0) {
      name = this.#string(word(at), MAX_NAME_CHARS);
      at += 2;
    }
    if (((flags >> 14) & 1) !== 0) {
      if (name === "") name = this.#string(word(at), MAX_NAME_CHARS);
      at++;
    }
    const start = word(scopeFirstVariable === scopeLocals + 3 ? scopeLocals + 1 : at);
    return { name, position: isSmi(start) ? smiValue(start) : null };
  }

  /** "" where it is no string, or one of a sort that V8 makes no names and paths of: external or sliced. */
  #string(object: number, limit: number, depth = 0): string {
    const layout = this.#layout;
    const type = this.typeOf(object);
    if (type < 0 || type >= layout.firstNonstringType || depth > MAX_STRING_DEPTH) return "";
    const representation = type & layout.stringRepresentationMask;
    const part = (offset: number, most: number): string => {
      const word = this.#field(object, offset);
      return word === null ? "" : this.#string(word, most, depth + 1);
    };
    if (representation === layout.thinTag) return part(layout.thinActual, limit);
    if (representation === layout.consTag) {
      const head = part(layout.consFirst, limit);
      return head.length >= limit ? head : head + part(layout.consSecond, limit - head.length);
    }
    return representation === 0 ? this.#sequence(object, (type & layout.oneByteTag) !== 0, limit) : "";
  }

  #sequence(object: number, isOneByte: boolean, limit: number): string {
    const { stringLength, oneByteChars, twoByteChars } = this.#layout;
    const length = this.#memory.read(object - 1 + stringLength, 4)?.readInt32LE() ?? 0;
    const chars = Math.min(Math.max(0, length), limit);
    if (chars === 0) return "";
    const bytes = isOneByte
      ? this.#memory.read(object - 1 + oneByteChars, chars)
      : this.#memory.read(object - 1 + twoByteChars, chars * 2);
    return bytes?.toString(isOneByte ? "latin1" : "utf16le") ?? "";
  }

  /** The instance type of a heap object, -1 for what is none. */
  typeOf(object: number): number {
    const map = isHeapObject(object) ? this.#field(object, 0) : null;
    return map === null ? -1 : this.typeOfMap(map);
  }

  typeOfMap(map: number): number {
    if (!isHeapObject(map)) return -1;
    return this.#memory.read(map - 1 + this.#layout.mapInstanceType, 2)?.readUInt16LE() ?? -1;
  }

  #field(object: number, offset: number): number | null {
    const bytes = isHeapObject(object) ? this.#memory.read(object - 1 + offset, 8) : null;
    return bytes === null ? null : wordAt(bytes, 0);
  }
}
