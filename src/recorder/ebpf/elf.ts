/**
 * Reads of an ELF program what finding its functions takes: both symbol tables, where segments lie, and what stands at an address.
 * The file is another user's: every place and length in it is checked against the file's size.
 *
 *     header    0x20 program headers' offset, 0x28 section headers' offset (8 bytes each); 0x36 bytes a program header,
 *               0x38 how many; 0x3a bytes a section header, 0x3c how many (2 bytes each)
 *     program   0 type, 4 flags (4 bytes each); 8 offset, 16 address, 32 bytes in the file, 40 bytes in memory (8 bytes each)
 *     section   4 type (4 bytes); 24 offset, 32 size (8 bytes each); 40 number of the section with its names (4 bytes)
 *     symbol    0 name (4 bytes); 4 type, in the low half; 6 section, 0: defined elsewhere (2 bytes); 8 address (8 bytes)
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const HEADER_BYTES = 64;
const PROGRAM_BYTES = 56;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const X64 = 62;
const MAX_HEADERS = 1000;
/** Names of a debug build of Node take 100 MB. */
const MAX_TABLE_BYTES = 512 * 1024 ** 2;
const SEGMENT_LOAD = 1;
const EXECUTABLE = 1;
/** .symtab and .dynsym. */
const SYMBOL_TABLES: readonly number[] = [2, 11];

export interface ElfSegment {
  readonly address: number;
  /** In memory, of which the file may have fewer: the rest is zero. */
  readonly bytes: number;
  readonly offset: number;
  readonly fileBytes: number;
  readonly isExecutable: boolean;
}

interface SymbolTable {
  readonly offset: number;
  readonly bytes: number;
  readonly namesOffset: number;
  readonly namesBytes: number;
}

/** Numbers from 2^53 on are damage; no place in a file is one. */
function numberAt(bytes: Buffer, offset: number): number {
  const value = bytes.readBigUInt64LE(offset);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Number.NaN;
}

export class ElfFile {
  readonly #file: number;
  readonly #size: number;
  readonly #tables: readonly SymbolTable[];
  readonly segments: readonly ElfSegment[];

  private constructor(file: number, header: Buffer) {
    this.#file = file;
    this.#size = fstatSync(file).size;
    this.segments = this.#headers(header, 0x20, 0x36, 0x38, PROGRAM_BYTES).flatMap(segmentOf);
    this.#tables = this.#readTables(header);
  }

  /** Null where it is no program for x64 of 64 bits. Throws what the file system throws. */
  static open(path: string): ElfFile | null {
    const file = openSync(path, "r");
    try {
      const header = Buffer.alloc(HEADER_BYTES);
      const isWhole = readSync(file, header, 0, HEADER_BYTES, 0) === HEADER_BYTES;
      if (isWhole && header.subarray(0, MAGIC.length).equals(MAGIC) && header.readUInt16LE(18) === X64) {
        return new ElfFile(file, header);
      }
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
    return null;
  }

  close(): void {
    closeSync(this.#file);
  }

  /**
   * Addresses of those of the named symbols that the file defines, as the file counts: a position-independent program's move together
   * when it is loaded.
   */
  symbols(names: readonly string[]): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    // What is exported comes first: its table is small, and often all that is needed.
    const tables = [...this.#tables].sort((a, b) => a.bytes - b.bytes);
    for (const table of tables) {
      const missing = names.filter((name) => !found.has(name));
      if (missing.length > 0) this.#findIn(table, missing, found);
    }
    return found;
  }

  /** The bytes at an address; zeros where the file has none for it; null where no segment has it. */
  bytesAt(address: number, length: number): Buffer | null {
    const segment = this.segments.find((one) => address >= one.address && address + length <= one.address + one.bytes);
    if (segment === undefined) return null;
    const from = address - segment.address;
    const bytes = Buffer.alloc(length);
    const inFile = Math.min(length, Math.max(0, segment.fileBytes - from));
    if (inFile > 0) readSync(this.#file, bytes, 0, inFile, segment.offset + from);
    return bytes;
  }

  /** `length` bytes of the file; null where it has not so many. */
  #read(offset: number, length: number): Buffer | null {
    if (!(offset >= 0 && length >= 0 && length <= MAX_TABLE_BYTES && offset + length <= this.#size)) return null;
    const bytes = Buffer.allocUnsafe(length);
    for (let read = 0; read < length; ) {
      const got = readSync(this.#file, bytes, read, length - read, offset + read);
      if (got === 0) return null;
      read += got;
    }
    return bytes;
  }

  /** Headers of one sort, where the file's header says that they are: at `place`, so many of such a size. */
  #headers(header: Buffer, place: number, size: number, count: number, expected: number): readonly Buffer[] {
    const number = header.readUInt16LE(count);
    if (header.readUInt16LE(size) !== expected || number > MAX_HEADERS) return [];
    const all = this.#read(numberAt(header, place), number * expected);
    if (all === null) return [];
    return Array.from({ length: number }, (_, index) => all.subarray(index * expected, (index + 1) * expected));
  }

  #readTables(header: Buffer): readonly SymbolTable[] {
    const sections = this.#headers(header, 0x28, 0x3a, 0x3c, SECTION_BYTES);
    return sections.flatMap((section) => {
      const names = sections[section.readUInt32LE(40)];
      if (!SYMBOL_TABLES.includes(section.readUInt32LE(4)) || names === undefined) return [];
      return [
        {
          offset: numberAt(section, 24),
          bytes: numberAt(section, 32),
          namesOffset: numberAt(names, 24),
          namesBytes: numberAt(names, 32),
        },
      ];
    });
  }

  #findIn(table: SymbolTable, names: readonly string[], found: Map<string, number>): void {
    const texts = this.#read(table.namesOffset, table.namesBytes);
    if (texts === null) return;
    const wanted = new Map<number, string>();
    for (const name of names) {
      const place = texts.indexOf(`\0${name}\0`, 0, "latin1");
      if (place >= 0) wanted.set(place + 1, name);
    }
    const symbols = wanted.size === 0 ? null : this.#read(table.offset, table.bytes);
    if (symbols === null) return;
    for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
      const name = wanted.get(symbols.readUInt32LE(at));
      if (name === undefined || symbols.readUInt16LE(at + 6) === 0) continue;
      found.set(name, numberAt(symbols, at + 8));
    }
  }
}

function segmentOf(header: Buffer): readonly ElfSegment[] {
  if (header.readUInt32LE(0) !== SEGMENT_LOAD) return [];
  return [
    {
      address: numberAt(header, 16),
      bytes: numberAt(header, 40),
      offset: numberAt(header, 8),
      fileBytes: numberAt(header, 32),
      isExecutable: (header.readUInt32LE(4) & EXECUTABLE) !== 0,
    },
  ];
}
