/** A log of `--trace-gc` or `--trace-gc-nvp` as isolates. */
import { formatMs } from "../../lib/units.ts";
import { at } from "../columns.ts";
import type { IsolateData } from "../model.ts";
import type { Warning } from "../spec.ts";
import { type ForeignPause, foreignIsolate } from "./foreign-isolate.ts";
import { parseTraceGc, type TraceGcLine } from "./trace-gc-lines.ts";

/** Isolates that are told apart. */
const MOST_ISOLATES = 256;
/** A clock that goes back further is that of another isolate, of a program that was started again. */
const BACK_MS = 5;
/** A log whose first line is later does not begin with its program. */
const LATE_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** So long a time is read, of a longer log. */
const MOST_DAYS = 31;

/** Of what its lines do not say. */
const SAYS_NOTHING = { name: "", node: "", v8: "", phases: null } as const;

export interface ForeignLog {
  readonly isolates: readonly IsolateData[];
  /** "" where it does not say. */
  readonly machine: { readonly arch: string; readonly platform: string };
  readonly durationMs: number;
  readonly warnings: readonly Warning[];
}

/** Null where no line of it is one of V8's. */
export function readTraceGc(bytes: Buffer): ForeignLog | null {
  const { lines: all, isCut } = parseTraceGc(bytes);
  if (all.length === 0) return null;
  const lines = busiestDays(fromBeginning(all));
  const { groups, groupOf } = groupLines(lines);
  const offsets = alignClocks(lines, groups.length, groupOf);
  const [first] = groups;
  const places = new Map<number, number>();
  const isolates = groups.map((group, index) => {
    const pid = group[0]?.pid ?? 0;
    const place = places.get(pid) ?? 0;
    places.set(pid, place + 1);
    const offset = at(offsets, index);
    const pauses = pausesOf(group, offset);
    const last = pauses.at(-1);
    const kind = index === 0 ? "main" : pid === first?.[0]?.pid ? "worker" : "child";
    const endMs = last === undefined ? offset : last.startMs + last.durationMs;
    return foreignIsolate({ ...SAYS_NOTHING, pid, place, kind, startMs: offset, endMs, pauses });
  });
  const left = all.length - groups.reduce((sum, group) => sum + group.length, 0);
  return {
    isolates,
    machine: { arch: "", platform: "" },
    durationMs: isolates.reduce((latest, { endMs }) => Math.max(latest, endMs), 0),
    warnings: warningsOf(lines, isolates, isCut || left > 0),
  };
}

/** A log that begins in the middle of its program's life begins at its first line: where a program logs for weeks, older lines are elsewhere. */
function fromBeginning(lines: readonly TraceGcLine[]): readonly TraceGcLine[] {
  const origins = new Map<string, number>();
  return lines.map((line) => {
    const key = keyOf(line);
    const known = origins.get(key) ?? (line.atMs > LATE_MS ? line.atMs - line.pauseMs : 0);
    const origin = line.atMs < known ? 0 : known;
    origins.set(key, origin);
    return origin === 0 ? line : { ...line, atMs: line.atMs - origin };
  });
}

const keyOf = ({ pid, isolate }: TraceGcLine): string => `${pid}:${isolate}`;

/** Those of the MOST_DAYS in a row that have the most: a time that is no time, in a line that others wrote into, is far away. */
function busiestDays(lines: readonly TraceGcLine[]): readonly TraceGcLine[] {
  const dayOf = ({ atMs }: TraceGcLine): number => Math.floor(atMs / DAY_MS);
  const counts = new Map<number, number>();
  for (const line of lines) counts.set(dayOf(line), (counts.get(dayOf(line)) ?? 0) + 1);
  const days = [...counts.keys()].sort((a, b) => a - b);
  let best = { most: 0, last: 0 };
  let inside = 0;
  let first = 0;
  for (const day of days) {
    inside += counts.get(day) ?? 0;
    for (; day - (days[first] ?? day) >= MOST_DAYS; first++) inside -= counts.get(days[first] ?? 0) ?? 0;
    if (inside > best.most) best = { most: inside, last: day };
  }
  return lines.filter((line) => dayOf(line) <= best.last && dayOf(line) > best.last - MOST_DAYS);
}

/** By isolate, in order of appearance; the same address in the same process begins anew where its clock goes back. */
function groupLines(lines: readonly TraceGcLine[]): {
  readonly groups: readonly (readonly TraceGcLine[])[];
  /** By line; -1: of an isolate too many. */
  readonly groupOf: Int16Array;
} {
  const groups: TraceGcLine[][] = [];
  const groupOf = new Int16Array(lines.length).fill(-1);
  const current = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    const key = keyOf(line);
    let group = current.get(key);
    const latest = group === undefined ? undefined : groups[group]?.at(-1)?.atMs;
    if (group === undefined || line.atMs < (latest ?? 0) - BACK_MS) {
      if (groups.length === MOST_ISOLATES) continue;
      group = groups.push([]) - 1;
      current.set(key, group);
    }
    groups[group]?.push(line);
    groupOf[index] = group;
  }
  return { groups, groupOf };
}

/**
 * When each isolate began, on the clock of the first: each counts from its own beginning, and only the order of the lines says more. A
 * line comes after all that stand before it, so that its isolate began no earlier than the time of those less its own.
 */
function alignClocks(lines: readonly TraceGcLine[], groups: number, groupOf: Int16Array): Float64Array {
  const offsets = new Float64Array(groups);
  const atMs = Float64Array.from(lines, (line) => line.atMs);
  // The latest time up to each line, of the isolates that have an offset already.
  const latest = new Float64Array(lines.length).fill(Number.NEGATIVE_INFINITY);
  for (let group = 0; group < groups; group++) {
    const first = groupOf.indexOf(group);
    let offset = 0;
    for (let i = first; i < atMs.length; i++) {
      if (groupOf[i] === group) offset = Math.max(offset, (latest[i - 1] ?? 0) - at(atMs, i));
    }
    offsets[group] = offset;
    let own = Number.NEGATIVE_INFINITY;
    for (let i = first; i < atMs.length; i++) {
      if (groupOf[i] === group) own = Math.max(own, offset + at(atMs, i));
      latest[i] = Math.max(at(latest, i), own);
    }
  }
  return offsets;
}

/** Times are whole milliseconds: what would overlap by one comes one after the other. */
function pausesOf(lines: readonly TraceGcLine[], offset: number): readonly ForeignPause[] {
  let endMs = 0;
  return lines.map(({ kind, atMs, pauseMs, usedBefore, usedAfter, committedAfter, promotedBytes, reason }) => {
    const startMs = Math.max(endMs, offset + atMs - pauseMs);
    endMs = startMs + pauseMs;
    return { kind, startMs, durationMs: pauseMs, usedBefore, usedAfter, committedAfter, promotedBytes, reason };
  });
}

function warningsOf(
  lines: readonly TraceGcLine[],
  isolates: readonly IsolateData[],
  isCut: boolean,
): readonly Warning[] {
  const stepsMs = lines.reduce((sum, line) => sum + line.stepsMs, 0);
  const isNamed = lines.some(({ promotedBytes }) => !Number.isNaN(promotedBytes));
  const sizes = isNamed ? "" : ", sizes to 0.1 MiB";
  const imported: Warning = {
    code: "imported-log",
    message: `This is a log of V8's, not a recording: pauses with their kind and length, at times known to the millisecond${sizes}. What it cannot know: who allocated, what survived, processor time, the starts of incremental marking, what the program was doing, and when it ended.`,
    hint: "Record the program for the rest: gcspike record -- <command>",
  };
  const steps: Warning = {
    code: "imported-steps",
    message: `V8 also marked for ${formatMs(stepsMs)} in steps between pauses. The log does not say when, and they are in no number here.`,
  };
  const clocks: Warning = {
    code: "imported-clocks",
    message:
      "Each isolate's times count from its own beginning; the order of the lines says how they lie beside each other, roughly.",
  };
  const cut: Warning = {
    code: "log-cut",
    message: "The log holds more collections or isolates than are read: the rest is missing.",
  };
  return [imported, ...(stepsMs > 0 ? [steps] : []), ...(isolates.length > 1 ? [clocks] : []), ...(isCut ? [cut] : [])];
}
