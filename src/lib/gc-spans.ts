/**
 * Which of V8's trace spans are work of the collector on an isolate's thread.
 *
 * Counted are spans whose name begins with `V8.GC_`, and MajorGC and MinorGC. `V8.GCIncrementalMarking` and its relatives
 * without the underscore only wrap one of those, and what they hold beyond it is mostly the cost of tracing (seen on Node 24:
 * 151 ms around 54 ms of V8.GC_MC_INCREMENTAL), so they are left out.
 */

/** `bracket`: what overlaps a pause is that pause's as a whole. */
export const SpanRole = { none: 0, step: 1, bracket: 2 } as const;

/** A step and what is nested in it; not the start of marking, which is a pause, nor the calls of the callbacks around it. */
const STEP = /^V8\.GC_MC_INCREMENTAL(?!_START|_EXTERNAL)/;

export function spanRole(name: string): number {
  if (name === "MajorGC" || name === "MinorGC") return SpanRole.bracket;
  if (!name.startsWith("V8.GC_")) return SpanRole.none;
  return STEP.test(name) ? SpanRole.step : SpanRole.bracket;
}
