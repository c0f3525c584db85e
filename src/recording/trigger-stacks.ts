/** The stacks that triggered pauses, each distinct one once. */
import { at } from "./columns.ts";
import type { RecordView } from "./log-reader.ts";
import type { Frame } from "./model.ts";
import { numbering } from "./numbering.ts";
import { GC, STACK_FRAMES } from "./spec.ts";

/** Stacks that are remembered by their bytes; programs have far fewer places that allocate. */
const REMEMBERED = 50_000;

export interface TriggerStacks {
  /** Number of the stack in the .gc record at `offset`; -1 where none of its functions is known. */
  add(record: RecordView, offset: number): number;
  /** The stacks in the order of their numbers, leaf first. */
  readonly stacks: readonly (readonly Frame[])[];
}

/** `functions`: the frames that the numbers in the stacks mean, from 1 on. */
export function triggerStacks(functions: readonly Frame[]): TriggerStacks {
  const stacks = numbering<string, readonly Frame[]>();
  const remembered = new Map<number, { readonly numbers: Uint32Array; readonly stack: number }>();
  return {
    stacks: stacks.values,
    add({ view }, offset) {
      const count = Math.min(STACK_FRAMES, view.getUint32(offset + GC.frameCount, true));
      const hash = hashOf(view, offset, count);
      const known = remembered.get(hash);
      if (known !== undefined && isSame(known.numbers, view, offset, count)) return known.stack;
      const numbers = Uint32Array.from({ length: count }, (_, frame) => functionAt(view, offset, frame));
      const found = numbers.filter((number) => number > 0 && number <= functions.length);
      const frames = () => Array.from(found).flatMap((number) => functions[number - 1] ?? []);
      const stack = found.length === 0 ? -1 : stacks.number(found.join(), frames);
      if (remembered.size >= REMEMBERED) remembered.clear();
      remembered.set(hash, { numbers, stack });
      return stack;
    },
  };
}

/** Numbers of functions stay far below 32 bits: a log of them is smaller than that. */
function functionAt(view: DataView, offset: number, frame: number): number {
  return view.getUint32(offset + GC.stack + frame * 8, true);
}

/** FNV-1a, a frame at a time. Two stacks with one hash only take turns in being remembered. */
function hashOf(view: DataView, offset: number, count: number): number {
  let hash = 0x811c9dc5;
  for (let frame = 0; frame < count; frame++) hash = Math.imul(hash ^ functionAt(view, offset, frame), 0x01000193);
  return hash;
}

function isSame(numbers: Uint32Array, view: DataView, offset: number, count: number): boolean {
  if (numbers.length !== count) return false;
  for (let frame = 0; frame < count; frame++) {
    if (at(numbers, frame) !== functionAt(view, offset, frame)) return false;
  }
  return true;
}
