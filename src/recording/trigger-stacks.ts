/** The stacks that triggered pauses: addresses to frames, each distinct stack once. */
import { at } from "./columns.ts";
import type { CodeMap, CodePiece } from "./decode-code.ts";
import type { RecordView } from "./log-reader.ts";
import type { Frame } from "./model.ts";
import { numbering } from "./numbering.ts";
import { applySourceMaps } from "./source-maps.ts";
import { GC, STACK_FRAMES, type Warning } from "./spec.ts";

/** Stacks whose answer is remembered; programs have far fewer places that allocate. */
const REMEMBERED = 50_000;

/** A stack of addresses, resolved, and when that answer holds: until other code took one of the addresses. */
interface Resolved {
  /** The addresses as they stand in the record, in halves. */
  readonly words: Uint32Array;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly stack: number;
}

export interface TriggerStacks {
  /** Number of the stack in the .gc record at `offset`, taken at `timeMs`; -1 where none of its frames is known. */
  add(record: RecordView, offset: number, timeMs: number): number;
  /** The stacks in the order of their numbers, leaf first, source maps applied. */
  finish(): { readonly stacks: readonly (readonly Frame[])[]; readonly warnings: readonly Warning[] };
}

export function triggerStacks(code: CodeMap): TriggerStacks {
  const frames = numbering<string, Frame>();
  const stacks = numbering<string, readonly number[]>();
  const byAddress = new Map<number, readonly CodePiece[]>();
  const remembered = new Map<number, Resolved>();

  const pieces = (address: number): readonly CodePiece[] => {
    const known = byAddress.get(address) ?? code.covering(address);
    if (byAddress.size >= REMEMBERED) byAddress.clear();
    byAddress.set(address, known);
    return known;
  };

  const resolve = (words: Uint32Array, timeMs: number): Resolved => {
    let fromMs = Number.NEGATIVE_INFINITY;
    let untilMs = Number.POSITIVE_INFINITY;
    const stack: number[] = [];
    for (let i = 0; i < words.length; i += 2) {
      const { current, next } = newestAt(pieces(at(words, i) + at(words, i + 1) * 2 ** 32), timeMs);
      fromMs = Math.max(fromMs, current?.timeMs ?? fromMs);
      untilMs = Math.min(untilMs, next?.timeMs ?? untilMs);
      if (current === undefined) continue;
      const frame = code.frame(current);
      stack.push(frames.number(frameKey(frame), () => frame));
    }
    return { words, fromMs, untilMs, stack: stack.length === 0 ? -1 : stacks.number(stack.join(), () => stack) };
  };

  return {
    add({ view }, offset, timeMs) {
      const count = 2 * Math.min(STACK_FRAMES, view.getUint32(offset + GC.frameCount, true));
      const start = offset + GC.stack;
      const hash = hashOf(view, start, count);
      const known = remembered.get(hash);
      const holds = known !== undefined && timeMs >= known.fromMs && timeMs < known.untilMs;
      if (holds && isSame(known.words, view, start, count)) return known.stack;
      const words = Uint32Array.from({ length: count }, (_, i) => view.getUint32(start + i * 4, true));
      const resolved = resolve(words, timeMs);
      if (remembered.size >= REMEMBERED) remembered.clear();
      remembered.set(hash, resolved);
      return resolved.stack;
    },
    finish() {
      const mapped = applySourceMaps(frames.values);
      const framesOf = (stack: readonly number[]) => stack.flatMap((frame) => mapped.frames[frame] ?? []);
      return { stacks: stacks.values.map(framesOf), warnings: mapped.warnings };
    },
  };
}

/** FNV-1a, a word at a time. Two stacks with one hash only take turns in being remembered. */
function hashOf(view: DataView, start: number, count: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < count; i++) hash = Math.imul(hash ^ view.getUint32(start + i * 4, true), 0x01000193);
  return hash;
}

function isSame(words: Uint32Array, view: DataView, start: number, count: number): boolean {
  if (words.length !== count) return false;
  for (let i = 0; i < count; i++) if (words[i] !== view.getUint32(start + i * 4, true)) return false;
  return true;
}

/** What stood there at `timeMs`, and what came after it. `pieces` are oldest first. */
function newestAt(
  pieces: readonly CodePiece[],
  timeMs: number,
): { readonly current: CodePiece | undefined; readonly next: CodePiece | undefined } {
  const after = pieces.findIndex((piece) => piece.timeMs > timeMs);
  const current = after === -1 ? pieces.length - 1 : after - 1;
  return { current: pieces[current], next: pieces[current + 1] };
}

function frameKey(frame: Frame): string {
  return `${frame.line}:${frame.column}:${frame.function}\0${frame.file}`;
}
