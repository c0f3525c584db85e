/** The raw .alloc log: allocation windows as the target wrote them. */
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
const MAX_WINDOW_MS = 3_600_000;

/** What all windows share. */
interface Tables {
  readonly strings: string[];
  readonly frames: Numbering<Frame>;
  readonly stacks: Numbering<readonly number[]>;
}

interface Nodes {
  readonly view: DataView;
  readonly start: number;
  readonly count: number;
}

/** Decodes `log`, source maps applied. Windows begin and end at whole ms, as they do in pprof. */
export function decodeAllocations(
  log: Log,
  clock: Clock,
): { readonly allocations: Allocations; readonly warnings: readonly Warning[] } {
  const tables: Tables = { strings: [], frames: numbering(), stacks: numbering() };
  const windows: AllocationWindow[] = [];
  let intervalBytes = 0;
  const warnings = eachSizedRecord(log, ALLOC.text, (record, offset, length) => {
    const type = record.view.getUint16(offset + ALLOC.type, true);
    if (type === ALLOC_STRING) tables.strings.push(decodeString(record, offset, length));
    if (type !== ALLOC_WINDOW || length < ALLOC.nodes) return;
    const window = decodeWindow(record, offset, length, clock, tables);
    if (window === null) return;
    windows.push(window);
    if (intervalBytes === 0) intervalBytes = numberAt(record.view, offset + ALLOC.interval) || 0;
  });
  const mapped = applySourceMaps(tables.frames.values);
  windows.sort((a, b) => a.startMs - b.startMs);
  return {
    allocations: { frames: mapped.frames, stacks: tables.stacks.values, windows, intervalBytes },
    warnings: [...warnings, ...mapped.warnings],
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
  const nodes = { view, start: offset + ALLOC.nodes, count: view.getUint32(offset + ALLOC.nodeCount, true) };
  const entryCount = view.getUint32(offset + ALLOC.entryCount, true);
  const entries = nodes.start + nodes.count * ALLOC_NODE_BYTES;
  if (!(endMs >= startMs && endMs - startMs <= MAX_WINDOW_MS)) return null;
  if (entries + entryCount * ALLOC_ENTRY_BYTES > offset + length) return null;
  const sums = new Map<number, { objects: number; bytes: number }>();
  for (let entry = entries; entry < entries + entryCount * ALLOC_ENTRY_BYTES; entry += ALLOC_ENTRY_BYTES) {
    const stack = stackOf(nodes, view.getUint32(entry, true), tables);
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
  const samples = Array.from(sums, ([stack, sum]) => ({ stack, ...sum }));
  return { startMs, endMs, samples, truncated: (view.getUint16(offset + ALLOC.flags, true) & TRUNCATED) !== 0 };
}

function wholeMsAt(view: DataView, offset: number, clock: Clock): number {
  return Math.max(0, Math.round(timeAt(view, offset, clock)));
}

/** Number of the stack that ends in `node`, leaf first. The root stands in it only where it is alone. */
function stackOf(nodes: Nodes, node: number, tables: Tables): number {
  const stack: number[] = [];
  for (let next = node; next >= 0 && next < nodes.count && stack.length < MAX_DEPTH; ) {
    const at = nodes.start + next * ALLOC_NODE_BYTES;
    const parent = nodes.view.getUint32(at, true) - 1;
    const frame = frameNumber(nodes.view, at, tables);
    if (parent !== -1 || tables.frames.values[frame]?.function !== "(root)") stack.push(frame);
    // A parent comes before its children: anything else is damage, and might go round in circles.
    next = parent < next ? parent : -1;
  }
  if (stack.length === 0) stack.push(tables.frames.number("root", () => frameOf("(root)", "", 0, 0)));
  return tables.stacks.number(stack.join(), () => stack);
}

function frameNumber(view: DataView, at: number, { strings, frames }: Tables): number {
  const name = view.getUint32(at + 4, true);
  const script = view.getUint32(at + 8, true);
  const line = view.getInt32(at + 12, true);
  const column = view.getInt32(at + 16, true);
  const make = () => frameOf(strings[name] ?? "", strings[script] ?? "", line, column);
  return frames.number(`${name},${script},${line},${column}`, make);
}
