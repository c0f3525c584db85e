/**
 * Which functions the frames of an event are. Their SharedFunctionInfos are read as soon as the event arrives, some ms after it was:
 * full collections move them, and another may come to stand where one was. So a name counts only where no full collection of that thread
 * began between the event and a moment at which the function was seen there, before it or after it.
 */
import type { FrameLine } from "./events.ts";
import type { FunctionDescription, HeapReader, SharedWords } from "./heap-reader.ts";
import type { InlinedFunctions } from "./inlined-functions.ts";
import type { CodeMap } from "./memory-map.ts";

export interface SeenFrame {
  readonly function: FunctionDescription;
  /** The optimiser had put it into its caller. */
  readonly isInlined: boolean;
  /** When the same function was last seen at the same address before the event; ns, null: never. */
  readonly beforeNs: number | null;
  /** When it was looked at for this event, ns. */
  readonly afterNs: number;
}

interface Known extends SharedWords {
  readonly function: FunctionDescription;
  /** Moments, in order. */
  readonly seenNs: number[];
}

/** Moments nearer to each other than this count as the first of them. */
const MOMENT_NS = 5e6;
/** More than fit into the time that events are on their way. */
const MAX_MOMENTS = 100;

/** A program has some ten thousand functions; those that stand on stacks of large allocations are far fewer. */
const MAX_KNOWN = 20_000;
const MAX_DESCRIPTIONS = 50_000;

export class StackReader {
  readonly #heap: HeapReader;
  readonly #code: CodeMap;
  readonly #inlined: InlinedFunctions | null;
  readonly #nowNs: () => number;
  readonly #known = new Map<number, Known>();
  /** What was inlined around a return address, and when that was read. */
  readonly #chains = new Map<string, { readonly chain: readonly number[]; readonly readNs: number }>();
  /** Each distinct function once, so that it can be told by identity. */
  readonly #descriptions = new Map<string, FunctionDescription>();

  /** `inlined`: null where this version's are not known; `nowNs`: the clock of the events. */
  constructor(heap: HeapReader, code: CodeMap, inlined: InlinedFunctions | null, nowNs: () => number) {
    this.#heap = heap;
    this.#code = code;
    this.#inlined = inlined;
    this.#nowNs = nowNs;
  }

  /**
   * What runs in the frame, functions that were inlined first, innermost first; nothing for a frame of C++. Null: one of JavaScript whose
   * function is not where it was.
   */
  read({ pc, shared, atNs }: FrameLine): readonly SeenFrame[] | null {
    if (!this.#code.isJavaScript(pc, this.#nowNs() / 1e6)) return [];
    const outer = this.#see(shared, atNs, false);
    const inlined = this.#code.isGenerated(pc) ? this.#inlinedAt(pc, shared) : [];
    const frames = [...inlined.map((one) => this.#see(one, atNs, true)), outer];
    return frames.every((frame) => frame !== null) ? frames : null;
  }

  #inlinedAt(pc: number, shared: number): readonly number[] {
    const key = `${pc} ${shared}`;
    const known = this.#chains.get(key);
    const nowNs = this.#nowNs();
    if (known !== undefined && nowNs - known.readNs < MOMENT_NS) return known.chain;
    const chain = this.#inlined?.at(pc, shared) ?? [];
    if (this.#chains.size >= MAX_KNOWN) this.#chains.clear();
    this.#chains.set(key, { chain, readNs: nowNs });
    return chain;
  }

  /** The function at an address; null where there is none now. */
  #see(shared: number, atNs: number, isInlined: boolean): SeenFrame | null {
    const words = this.#heap.sharedAt(shared);
    if (words === null) return null;
    const known = this.#known.get(shared);
    if (known !== undefined && isSame(known, words)) {
      const beforeNs = known.seenNs.findLast((seenNs) => seenNs <= atNs) ?? null;
      const afterNs = this.#nowNs();
      noteMoment(known.seenNs, afterNs);
      return { function: known.function, isInlined, beforeNs, afterNs };
    }
    const described = this.#distinct(this.#heap.describe(words));
    // What was described is what is still there.
    const again = this.#heap.sharedAt(shared);
    if (again === null || !isSame(again, words)) return null;
    const afterNs = this.#nowNs();
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(shared, { ...words, function: described, seenNs: [afterNs] });
    return { function: described, isInlined, beforeNs: null, afterNs };
  }

  #distinct(description: FunctionDescription): FunctionDescription {
    const key = `${description.script}\0${description.position}\0${description.name}`;
    const known = this.#descriptions.get(key);
    if (known !== undefined) return known;
    if (this.#descriptions.size >= MAX_DESCRIPTIONS) this.#descriptions.clear();
    this.#descriptions.set(key, description);
    return description;
  }
}

function noteMoment(moments: number[], nowNs: number): void {
  if (nowNs - (moments.at(-1) ?? 0) < MOMENT_NS) return;
  moments.push(nowNs);
  if (moments.length > MAX_MOMENTS) moments.shift();
}

function isSame(a: SharedWords, b: SharedWords): boolean {
  return a.map === b.map && a.nameOrScope === b.nameOrScope && a.script === b.script;
}
