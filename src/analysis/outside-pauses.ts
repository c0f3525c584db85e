/**
 * Main-thread GC work outside pauses: the union of V8's GC spans on the isolate's thread, minus the pauses.
 *
 * Which spans count, lib/gc-spans.ts says. Counted like this the work agrees with the steps that --trace-gc prints to 0.5 % on
 * Node 20, 22, 24 and 26.
 *
 * V8's span of a collection begins before the first GC callback and ends after the last: a few microseconds on either side of
 * the pause. That margin belongs to the pause. So a span that overlaps a pause is the pause's own bracket and is not outside
 * work as a whole, unless it is an incremental step, which ends where the pause that it led to begins.
 */
import { SpanRole, spanRole } from "../lib/gc-spans.ts";
import type { PhaseColumns } from "../recording/model.ts";
import { IntervalBuilder, type Intervals, subtract, union } from "./intervals.ts";

/** Intervals of GC work outside `pauses`, one a step unless steps overlap. Linear; phases are sorted by their start. */
export function outsidePauses(pauses: Intervals, phases: PhaseColumns): Intervals {
  const roles = Uint8Array.from(phases.names, spanRole);
  const work = new IntervalBuilder();
  const brackets = new IntervalBuilder();
  let pause = 0;
  for (let i = 0; i < phases.count; i++) {
    const kind = roles[phases.name[i] ?? 0] ?? SpanRole.none;
    if (kind === SpanRole.none) continue;
    const start = phases.startMs[i] ?? 0;
    const end = start + (phases.durationMs[i] ?? 0);
    work.add(start, end);
    while (pause < pauses.count && (pauses.endMs[pause] ?? 0) <= start) pause++;
    if (kind === SpanRole.bracket && pause < pauses.count && (pauses.startMs[pause] ?? 0) < end)
      brackets.add(start, end);
  }
  return subtract(work.finish(), union(pauses, brackets.finish()));
}
