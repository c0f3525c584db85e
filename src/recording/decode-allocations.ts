/** The raw .alloc log: allocation windows as the target wrote them. */
import { formatMs } from "../lib/units.ts";
import { type Clock, numberAt, timeAt } from "./columns.ts";
import { frameOf } from "./frames.ts";
import { eachSizedRecord, type Log, type RecordView } from "./log-reader.ts";
import type { Allocations, AllocationWindow, Frame } from "./model.ts";
import { type Numbering, numbering } from "./numbering.ts";
import { applySourceMaps } from "./source-maps.ts";
import { ALLOC, ALLOC_ENTRY_BYTES, ALLOC_NODE_BYTES, ALLOC_STRING, ALLOC_WINDOW, type Warning } from "./spec.ts";

/** V8 keeps fewer frames than this; a chain that is longer is damage. */
const MAX_DEPTH = 256;
const TRUNCATED = 1;
const YIELDED = 2;
const ROOT = "(root)";
const MAX_WINDOW_MS = 3_600_000;

/** The stack of the root's children's caller: no frame at all. */
const NO_STACK = -1;
/** Stacks are known by their caller's stack and their leaf: both numbers in one, which a double holds. */
const STACK_KEY = 2 ** 26;

/** What all windows share. */
interface Tables {
  readonly strings: string[];
  readonly frames: Numbering<string, Frame>;
  readonly stacks: Numbering<number, readonly number[]>;
}

/** Decodes `log`, source maps applied. Windows begin and end at whole ms, as they do in pprof. */
export function decodeAllocations(
  log: Log,
  clock: Clock,
): { readonly allocations: Allocations; readonly warnings: readonly Warning[] } {
  const tables: Tables = { strings: [], frames: numbering(), stacks: numbering() };
  const windows: AllocationWindow[] = [];
  let intervalBytes = 0;
  let yieldedMs: number | null = null;
  const warnings = eachSizedRecord(log, ALLOC.text, (record, offset, length) => {
    const type = record.view.getUint16(offset + ALLOC.type, true);
    if (type === ALLOC_STRING) tables.strings.push(decodeString(record, offset, length));
    if (type !== ALLOC_WINDOW || length < ALLOC.nodes) return;
    const window = decodeWindow(record, offset, length, clock, tables);
    if (window === null) return;
    windows.push(window);
    if ((record.view.getUint16(offset + ALLOC.flags, true) & YIELDED) !== 0) yieldedMs = window.endMs;
    if (intervalBytes === 0) intervalBytes = numberAt(record.view, offset + ALLOC.interval) || 0;
  });
  const mapped = applySourceMaps(tables.frames.values);
  windows.sort((a, b) => a.startMs - b.startMs);
  return {
    allocations: { frames: mapped.frames, stacks: tables.stacks.values, windows, intervalBytes },
    warnings: [...warnings, ...mapped.warnings, ...(yieldedMs === null ? [] : [samplerYielded(log.name, yieldedMs)])],
  };
}

export function samplerYielded(name: string, fromMs: number): Warning {
  return {
    code: "sampler-yielded",
    message: `The program uses V8's heap sampler itself from ${formatMs(fromMs)} on (${name}): allocation sites after that are unknown.`,
    hint: "V8 has one heap sampler an isolate. Record without the program's own heap profiler for all of them.",
  };
}

function decodeString({ buffer, view }: RecordView, offset: number, length: number): string {
  const end = Math.min(length, ALLOC.text + view.getUint16(offset + ALLOC.length, true));
  return buffer.toString("utf8", offset + ALLOC.text, offset + end);
}

/** Null where the window's times or its counts cannot be. */
function decodeWindow(
  { view }: RecordView,
  offset: number,
  length: number,
  clock: Clock,
  tables: Tables,
): AllocationWindow | null {
  const startMs = wholeMsAt(view, offset + ALLOC.startNs, clock);
  const endMs = wholeMsAt(view, offset + ALLOC.endNs, clock);
  const nodes = offset + ALLOC.nodes;
  const nodeCount = view.getUint32(offset + ALLOC.nodeCount, true);
  const entries = nodes + nodeCount * ALLOC_NODE_BYTES;
  const end = entries + view.getUint32(offset + ALLOC.entryCount, true) * ALLOC_ENTRY_BYTES;
  if (!(endMs >= startMs && endMs - startMs <= MAX_WINDOW_MS) || end > offset + length) return null;
  const stacks = stacksOfNodes(view, nodes, nodeCount, tables);
  const sums = new Map<number, { objects: number; bytes: number }>();
  for (let entry = entries; entry < end; entry += ALLOC_ENTRY_BYTES) {
    const stack = stacks[view.getUint32(entry, true)] ?? NO_STACK;
    const objects = view.getUint32(entry + 4, true);
    const bytes = objects * numberAt(view, entry + 8);
    if (!(bytes <= Number.MAX_SAFE_INTEGER)) continue;
    const sum = sums.get(stack);
    if (sum === undefined) sums.set(stack, { objects, bytes });
    else {
      sum.objects += objects;
      sum.bytes += bytes;
    }
  }
  const samples = Array.from(sums, ([stack, sum]) => ({
    stack: stack === NO_STACK ? rootStack(tables) : stack,
    ...sum,
  }));
  return { startMs, endMs, samples, truncated: (view.getUint16(offset + ALLOC.flags, true) & TRUNCATED) !== 0 };
}

function wholeMsAt(view: DataView, offset: number, clock: Clock): number {
  return Math.max(0, Math.round(timeAt(view, offset, clock)));
}

/** Number of the stack that ends in each node, leaf first; NO_STACK for the root, which is in no other stack. */
function stacksOfNodes(view: DataView, start: number, count: number, tables: Tables): Int32Array {
  const { frames, stacks } = tables;
  const numbers = new Int32Array(count);
  for (let node = 0; node < count; node++) {
    const at = start + node * ALLOC_NODE_BYTES;
    const parent = view.getUint32(at, true) - 1;
    const frame = frameNumber(view, at, tables);
    // A caller comes before what it calls: anything else is damage.
    const caller = parent < node ? (numbers[parent] ?? NO_STACK) : NO_STACK;
    const callers = stacks.values[caller] ?? [];
    const isRoot = parent === -1 && frames.values[frame]?.function === ROOT;
    const key = (caller + 1) * STACK_KEY + frame;
    numbers[node] = isRoot || callers.length >= MAX_DEPTH ? caller : stacks.number(key, () => [frame, ...callers]);
  }
  return numbers;
}

/** Allocated without JavaScript. */
function rootStack({ frames, stacks }: Tables): number {
  const frame = frames.number(ROOT, () => frameOf(ROOT, "", 0, 0));
  return stacks.number(frame, () => [frame]);
}

function frameNumber(view: DataView, at: number, { strings, frames }: Tables): number {
  const name = view.getUint32(at + 4, true);
  const script = view.getUint32(at + 8, true);
  const line = view.getInt32(at + 12, true);
  const column = view.getInt32(at + 16, true);
  const make = () => frameOf(strings[name] ?? "", strings[script] ?? "", line, column);
  return frames.number(`${name},${script},${line},${column}`, make);
}
