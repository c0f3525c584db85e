/** /proc/PID/maps: which files a process has mapped, and where machine code lies that V8 may have made. */

export interface Mapping {
  readonly from: number;
  readonly to: number;
  readonly isExecutable: boolean;
  /** In the file, bytes. */
  readonly offset: number;
  /** "" for memory of no file. */
  readonly path: string;
}

const LINE = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([rwxsp-]{4}) ([0-9a-f]{1,16}) \S+ \d+ *(.*)$/gm;

/** A line that is none is left out; names such as "[stack]" and "[anon: ...]" are no paths. */
export function parseMaps(text: string): readonly Mapping[] {
  return Array.from(text.matchAll(LINE), ([, from, to, rights, offset, path]) => ({
    from: Number.parseInt(from ?? "", 16),
    to: Number.parseInt(to ?? "", 16),
    isExecutable: rights?.[2] === "x",
    offset: Number.parseInt(offset ?? "", 16),
    path: path?.startsWith("/") === true ? path : "",
  }));
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function isIn({ from, to }: Range, address: number): boolean {
  return address >= from && address < to;
}

/** Mappings are read again for an address that is in none, not oftener than this. */
const READ_AGAIN_MS = 500;

/** Tells code of JavaScript from that of C++, whose frames hold other things where a frame of JavaScript holds its function. */
export class CodeMap {
  readonly #builtins: Range;
  readonly #read: () => readonly Mapping[];
  #mappings: readonly Mapping[] = [];
  #readMs = Number.NEGATIVE_INFINITY;

  /** `builtins`: where they lie in the process; `read`: its mappings now. */
  constructor(builtins: Range, read: () => readonly Mapping[]) {
    this.#builtins = builtins;
    this.#read = read;
  }

  /** `nowMs`: any clock that only goes on. */
  isJavaScript(pc: number, nowMs: number): boolean {
    if (isIn(this.#builtins, pc)) return true;
    const mapping = this.#find(pc) ?? this.#findAnew(pc, nowMs);
    return mapping !== undefined && mapping.path === "";
  }

  /** Not a builtin that was compiled into the program. */
  isGenerated(pc: number): boolean {
    return !isIn(this.#builtins, pc);
  }

  #find(pc: number): Mapping | undefined {
    return this.#mappings.find((mapping) => isIn(mapping, pc));
  }

  #findAnew(pc: number, nowMs: number): Mapping | undefined {
    if (nowMs - this.#readMs < READ_AGAIN_MS) return undefined;
    this.#readMs = nowMs;
    this.#mappings = this.#read().filter(({ isExecutable }) => isExecutable);
    return this.#find(pc);
  }
}
