/**
 * Main-thread GC work outside pauses: the union of V8's GC spans on the isolate's thread, minus the pauses.
 *
 * Counted are spans whose name begins with `V8.GC_`, and MajorGC and MinorGC. `V8.GCIncrementalMarking` and its relatives
 * without the underscore only wrap one of those, and what they hold beyond it is mostly the cost of tracing (seen on Node 24:
 * 151 ms around 54 ms of V8.GC_MC_INCREMENTAL), so they are left out. Counted like this the work agrees with the steps that
 * --trace-gc prints to 0.5 % on Node 20, 22, 24 and 26.
 *
 * V8's span of a collection begins before the first GC callback and ends after the last: a few microseconds on either side of
 * the pause. That margin belongs to the pause. So a span that overlaps a pause is the pause's own bracket and is not outside
 * work as a whole, unless it is an incremental step, which ends where the pause that it led to begins.
 */
import type { PhaseColumns } from "../recording/model.ts";
import { IntervalBuilder, type Intervals, subtract, union } from "./intervals.ts";

const Role = { none: 0, step: 1, bracket: 2 } as const;

/** A step and what is nested in it; not the start of marking, which is a pause, nor the calls of the callbacks around it. */
const STEP = /^V8\.GC_MC_INCREMENTAL(?!_START|_EXTERNAL)/;

function role(name: string): number {
  if (name === "MajorGC" || name === "MinorGC") return Role.bracket;
  if (!name.startsWith("V8.GC_")) return Role.none;
  return STEP.test(name) ? Role.step : Role.bracket;
}

/** Intervals of GC work outside `pauses`, one a step unless steps overlap. Linear; phases are sorted by their start. */
export function outsidePauses(pauses: Intervals, phases: PhaseColumns): Intervals {
  const roles = Uint8Array.from(phases.names, role);
  const work = new IntervalBuilder();
  const brackets = new IntervalBuilder();
  let pause = 0;
  for (let i = 0; i < phases.count; i++) {
    const kind = roles[phases.name[i] ?? 0] ?? Role.none;
    if (kind === Role.none) continue;
    const start = phases.startMs[i] ?? 0;
    const end = start + (phases.durationMs[i] ?? 0);
    work.add(start, end);
    while (pause < pauses.count && (pauses.endMs[pause] ?? 0) <= start) pause++;
    if (kind === Role.bracket && pause < pauses.count && (pauses.startMs[pause] ?? 0) < end) brackets.add(start, end);
  }
  return subtract(work.finish(), union(pauses, brackets.finish()));
}
