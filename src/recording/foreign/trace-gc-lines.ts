/**
 * The lines that V8 prints with `--trace-gc` and `--trace-gc-nvp`, one a collection, wherever they stand: between a program's own lines,
 * behind a word of its own, behind a prefix that something put before every line, or as a text inside JSON.
 *
 *     [4121:0xba41ce0]      450 ms: Mark-Compact 41.3 (69.0) -> 33.3 (66.9) MB, pooled: 0 MB, 21.11 / 0.01 ms
 *         (+ 9.3 ms in 57 steps since start of marking, ...) ... finalize incremental marking via task; ...
 *     [4121:0x1c5f8ca0]      176 ms: pause=35.2 mutator=137.7 gc=s ... total_size_before=... promoted=16 ...
 *     [4121:0x1c1ff000:0]    191 ms: GC: {"pause":1.391,"gc":"s","reason":"allocation failure","promoted":0,...}
 *
 * The first is Node 20's to 26's --trace-gc ("pooled" from 22 on, "Incremental Mark-Compact" on 26), the second --trace-gc-nvp of 20 to
 * 24, the third that of 26. The time is that at which the collection was over, since the isolate began.
 */
import type { PauseKind } from "../model.ts";

/** So many bytes before " ms: " hold the process and the isolate, and so many behind it the rest. */
const HEAD_BYTES = 64;
const BODY_BYTES = 16 * 1024;
/** More collections are not read: two million are days of a busy program. */
const MOST_LINES = 2_000_000;
const LONGEST_PAUSE_MS = 3_600_000;
const MARK = " ms: ";
const NEWLINE = 10;
const MIB = 1024 ** 2;

export interface TraceGcLine {
  /** Process id and address of the isolate. */
  readonly pid: number;
  readonly isolate: string;
  /** When it was over, ms since the isolate began. */
  readonly atMs: number;
  readonly kind: PauseKind;
  readonly pauseMs: number;
  /** Bytes, as all sizes; NaN where the line does not say. */
  readonly usedBefore: number;
  readonly usedAfter: number;
  readonly committedAfter: number;
  readonly promotedBytes: number;
  /** Marking on the isolate's thread before the pause, in steps. */
  readonly stepsMs: number;
  /** "" where the line does not say. */
  readonly reason: string;
}

export interface TraceGcLines {
  readonly lines: readonly TraceGcLine[];
  /** There were more than are read. */
  readonly isCut: boolean;
}

/** Linear, whatever the bytes are. */
export function parseTraceGc(bytes: Buffer): TraceGcLines {
  const lines: TraceGcLine[] = [];
  for (let mark = bytes.indexOf(MARK); mark >= 0; mark = bytes.indexOf(MARK, mark + MARK.length)) {
    const head = HEAD.exec(bytes.toString("latin1", Math.max(0, mark - HEAD_BYTES), mark));
    if (head === null) continue;
    const from = mark + MARK.length;
    const newline = bytes.subarray(from, from + BODY_BYTES).indexOf(NEWLINE);
    const body = bytes.toString(
      "latin1",
      from,
      newline < 0 ? Math.min(bytes.length, from + BODY_BYTES) : from + newline,
    );
    const collection = plainLine(body) ?? namedLine(body);
    if (collection === null || !(collection.pauseMs <= LONGEST_PAUSE_MS)) continue;
    if (lines.length === MOST_LINES) return { lines, isCut: true };
    lines.push({ pid: Number(head[1]), isolate: head[2] ?? "", atMs: Number(head[3]), ...collection });
  }
  return { lines, isCut: false };
}

type Collection = Omit<TraceGcLine, "pid" | "isolate" | "atMs">;

const HEAD = /\[(\d{1,10}):(0x[0-9a-f]{1,16})(?::\d{1,6})?\] {1,12}(\d{1,12})$/;
const PLAIN =
  /^(?:Incremental )?(Scavenge|Minor Mark-Sweep|Minor Mark-Compact|Mark-Compact|Mark-sweep)(?: \([a-z -]{1,40}\)){0,4} ([\d.]{1,12}) \([\d.]{1,12}\) -> ([\d.]{1,12}) \(([\d.]{1,12})\) MB, (?:pooled: [\d.]{1,12} MB, )?([\d.]{1,12}) \/ [\d.]{1,12} ms/;
const STEPS = /\(\+ ([\d.]{1,12}) ms in \d{1,9} steps since start of marking/;
/** Behind the last bracket; what JSON may have put behind it is no letter. */
const REASON = /current mu = [\d.-]{1,12}\) ([A-Za-z][A-Za-z .,_-]{0,100})/;
const KINDS: Readonly<Record<string, PauseKind>> = {
  Scavenge: "scavenge",
  "Minor Mark-Sweep": "minor-mark-sweep",
  "Minor Mark-Compact": "minor-mark-sweep",
  "Mark-Compact": "mark-compact",
  "Mark-sweep": "mark-compact",
  s: "scavenge",
  mms: "minor-mark-sweep",
  mmc: "minor-mark-sweep",
  mc: "mark-compact",
  ms: "mark-compact",
};

function plainLine(body: string): Collection | null {
  const found = PLAIN.exec(body);
  const kind = KINDS[found?.[1] ?? ""];
  if (found === null || kind === undefined) return null;
  return {
    kind,
    usedBefore: Number(found[2]) * MIB,
    usedAfter: Number(found[3]) * MIB,
    committedAfter: Number(found[4]) * MIB,
    pauseMs: Number(found[5]),
    promotedBytes: Number.NaN,
    stepsMs: Number(STEPS.exec(body)?.[1] ?? 0),
    reason: REASON.exec(body)?.[1]?.trim() ?? "",
  };
}

/** `name=1`, `"name":1` and, inside of a JSON text, `\"name\":1`. */
const named = (name: string, value: string): RegExp =>
  new RegExp(`(?:^|[ {,])\\\\?"?${name}\\\\?"?[=:] ?\\\\?"?(${value})`);
const NUMBER = "\\d{1,16}(?:\\.\\d{1,6})?";
const PAUSE = named("pause", NUMBER);
const GC = named("gc", "[a-z]{1,3}");
// Node 22 and before call it the total size.
const SIZE_BEFORE = named("(?:total_size_before|start_object_size)", NUMBER);
const SIZE_AFTER = named("(?:total_size_after|end_object_size)", NUMBER);
const COMMITTED_AFTER = named("end_memory_size", NUMBER);
const STEPS_TOOK = named("incremental", NUMBER);
const PROMOTED = named("promoted", NUMBER);
const WHY = named("reason", "[A-Za-z][A-Za-z .,_-]{0,100}");

function namedLine(body: string): Collection | null {
  if (!/^(?:GC: )?\{|^pause=/.test(body)) return null;
  const numberOf = (expression: RegExp) => Number(expression.exec(body)?.[1] ?? Number.NaN);
  const pauseMs = numberOf(PAUSE);
  const kind = KINDS[GC.exec(body)?.[1] ?? ""];
  if (kind === undefined || Number.isNaN(pauseMs)) return null;
  return {
    kind,
    pauseMs,
    usedBefore: numberOf(SIZE_BEFORE),
    usedAfter: numberOf(SIZE_AFTER),
    committedAfter: numberOf(COMMITTED_AFTER),
    promotedBytes: kind === "scavenge" ? numberOf(PROMOTED) : Number.NaN,
    stepsMs: numberOf(STEPS_TOOK) || 0,
    reason: WHY.exec(body)?.[1]?.trim() ?? "",
  };
}
