/** The .functions log: which functions the numbers in the pauses' stacks mean. */
import { isAbsolute } from "node:path";
import { readBounded } from "./bounded-file.ts";
import { frameOf, pathOf } from "./frames.ts";
import { eachSizedRecord, type Log } from "./log-reader.ts";
import type { Frame } from "./model.ts";
import { firstAbove, groupBy } from "./searching.ts";
import { applySourceMaps } from "./source-maps.ts";
import { FUNCTION, NO_POSITION, type Warning } from "./spec.ts";

const MAX_SCRIPT_BYTES = 64 * 1024 * 1024;
/** What V8 takes for the end of a line. */
const LINE_END = /\r\n|[\n\r\u2028\u2029]/g;

export interface RecordedFunction {
  readonly name: string;
  readonly script: string;
  /** In UTF-16 code units from the script's start. */
  readonly position: number | null;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

const NOWHERE: Place = { line: 0, column: 0 };

/**
 * The frames of `log`, in its order, source maps applied. Lines come from the scripts themselves: a function whose script is
 * not on this machine has line 0.
 */
export function decodeFunctions(log: Log): {
  readonly frames: readonly Frame[];
  readonly warnings: readonly Warning[];
} {
  const { functions, warnings } = readFunctions(log);
  const located = locate(functions);
  return { frames: located.frames, warnings: [...warnings, ...located.warnings] };
}

/** The functions of `log` as they were recorded. `readBytes`: of whole records. */
export function readFunctions(log: Log): {
  readonly functions: readonly RecordedFunction[];
  readonly readBytes: number;
  readonly warnings: readonly Warning[];
} {
  const functions: RecordedFunction[] = [];
  let readBytes = 0;
  const warnings = eachSizedRecord(log, FUNCTION.text, ({ buffer, view }, offset, length) => {
    const end = offset + length;
    const nameEnd = Math.min(end, offset + FUNCTION.text + view.getUint16(offset + FUNCTION.nameBytes, true));
    const scriptEnd = Math.min(end, nameEnd + view.getUint16(offset + FUNCTION.scriptBytes, true));
    const position = view.getUint32(offset + FUNCTION.position, true);
    functions.push({
      name: buffer.toString("utf8", offset + FUNCTION.text, nameEnd),
      script: pathOf(buffer.toString("utf8", nameEnd, scriptEnd)),
      position: position === NO_POSITION ? null : position,
    });
    readBytes += length;
  });
  return { functions, readBytes, warnings };
}

/** The frames of functions, with the lines that their scripts and source maps say. */
export function locate(functions: readonly RecordedFunction[]): {
  readonly frames: readonly Frame[];
  readonly warnings: readonly Warning[];
} {
  const places = placesOf(functions);
  return applySourceMaps(
    functions.map((one) => {
      const { line, column } = places.get(one) ?? NOWHERE;
      return recordedFrame(one, line, column);
    }),
  );
}

export function recordedFrame({ name, script, position }: RecordedFunction, line: number, column: number): Frame {
  const frame = frameOf(name, script, line, column);
  // Only builtins have no position: what eval() and new Function() make is the program's.
  return script === "" && position !== null ? { ...frame, origin: "user" } : frame;
}

/** Where the functions stand whose scripts are here; each script is read once. */
function placesOf(functions: readonly RecordedFunction[]): ReadonlyMap<RecordedFunction, Place> {
  const places = new Map<RecordedFunction, Place>();
  for (const [script, inScript] of groupBy(functions, (one) => one.script)) {
    if (!isAbsolute(script)) continue;
    const source = readBounded(script, MAX_SCRIPT_BYTES);
    if (typeof source !== "string") locateIn(source.toString(), inScript, places);
  }
  return places;
}

function locateIn(source: string, functions: readonly RecordedFunction[], places: Map<RecordedFunction, Place>): void {
  // Node takes a byte order mark away before V8 counts.
  const text = source.startsWith("\ufeff") ? source.slice(1) : source;
  const lineStarts = [0, ...Array.from(text.matchAll(LINE_END), (end) => end.index + end[0].length)];
  for (const one of functions) {
    if (one.position === null || one.position >= text.length) continue;
    const line = firstAbove(lineStarts.length, (index) => lineStarts[index], one.position);
    places.set(one, { line, column: one.position - (lineStarts[line - 1] ?? 0) + 1 });
  }
}
