/** How a program ended, where nobody asked it to. Pure. */
import { formatShare } from "../../lib/units.ts";

export interface ProgramEnd {
  /** Null: not known, since the program is no child of gcspike's and did not come to say it. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  /** gcspike got a signal that ends programs, or the terminal sent it to both. */
  readonly wasAsked: boolean;
  /** Of its limit, after the last full collection of the fullest isolate; null: there was none. */
  readonly ofLimit: number | null;
}

/** What a shell calls an end by SIGINT, SIGTERM or SIGHUP, and those signals. */
const ASKED_CODES: readonly (number | null)[] = [129, 130, 143];
const ASKED_SIGNALS: readonly (string | null)[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
/** V8 ends a program that has no memory left by abort; where Node is built otherwise, by a trap. */
const ABORT_SIGNALS: readonly (string | null)[] = ["SIGABRT", "SIGTRAP", "SIGILL"];
const ABORT_CODES: readonly (number | null)[] = [133, 134, 132];
/** The rule of heap-limit calls that near. */
const NEAR_LIMIT = 0.7;

/** In words; null where it was no death. */
export function deathOf({ exit, wasAsked, ofLimit }: ProgramEnd): string | null {
  const { code, signal } = exit ?? { code: null, signal: null };
  if (code === 0) return null;
  if (wasAsked && (ASKED_CODES.includes(code) || ASKED_SIGNALS.includes(signal))) return null;
  const aborted = exit === null || ABORT_SIGNALS.includes(signal) || ABORT_CODES.includes(code);
  const full = ofLimit !== null && ofLimit >= NEAR_LIMIT && aborted;
  const why = full ? `, with ${formatShare(ofLimit)} of the heap's limit in use: out of memory` : "";
  if (exit === null) return `the program ended and did not say how: a signal or an abort${why}`;
  return `the program ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}${why}`;
}
