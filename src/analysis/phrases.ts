/** The words of a report that the analysis and the renderers share. */

import { cutStart, plainText } from "../lib/text.ts";
import type { Frame } from "../recording/model.ts";
import type { ReportPauseKind } from "./report-types.ts";

/** A moment of the recording: "12.3 s", from two minutes on "3:07.4", so that it can be found on the time line. */
export function formatMoment(ms: number): string {
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const tenths = Math.floor(ms / 100);
  const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  const minutes = Math.floor(tenths / 600);
  if (minutes < 60) return `${minutes}:${seconds}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${seconds}`;
}

/** The subject of a sentence about a stop of this kind. */
export const KIND_SUBJECT: Readonly<Record<ReportPauseKind, string>> = {
  scavenge: "A scavenge",
  "minor-mark-sweep": "A minor mark-sweep",
  "mark-compact": "A mark-compact",
  "incremental-start": "The start of incremental marking",
  "weak-callbacks": "Running weak callbacks",
};

/** Estimates are no better than this. */
const ABOUT = 0.05;

/** How much of something is accounted for, as sure as an estimate can be: "about 62 %". */
export function accountedText(share: number): string {
  if (share >= 1 - ABOUT) return "about all";
  return share < ABOUT ? "hardly anything" : `about ${Math.round(share * 100)} %`;
}

/** "parse (src/cart.ts:112) < hydrate (:48)", innermost first: a frame in its callee's file has its line alone. */
export function stackText(frames: readonly Pick<Frame, "function" | "file" | "line">[]): string {
  return frames.map((frame, index) => frameText(frame, frames[index - 1]?.file ?? "")).join(" < ");
}

function frameText(frame: Pick<Frame, "function" | "file" | "line">, fileBefore: string): string {
  const name = plainText(frame.function, 80) || "(anonymous)";
  if (frame.file === fileBefore && frame.line > 0) return frame.file === "" ? name : `${name} (:${frame.line})`;
  const where = locationText(frame.file, frame.line);
  return where === "" ? name : `${name} (${where})`;
}

/** "src/cart.ts:112", "" without a file; of a long path the end. */
export function locationText(file: string, line: number): string {
  if (file === "") return "";
  const path = cutStart(plainText(file, 4096), 120);
  return line > 0 ? `${path}:${line}` : path;
}
