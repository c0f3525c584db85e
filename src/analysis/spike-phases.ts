/** What V8 did inside a spike: its phases with the time that each spent itself, nested phases left out. */
import type { PhaseColumns } from "../recording/model.ts";
import { type Intervals, lowerBound } from "./intervals.ts";

const MAX_PHASES = 12;
/**
 * How far back to look for spans that began before an interval and reach into it. They are nested, so that the search ends at
 * the nearest outermost span; a collection has some hundred spans, and the bound only matters for a damaged recording.
 */
const MAX_LOOK_BACK = 4096;

/** Self time by phase inside `intervals`, ms. Spans are cut at the interval's ends. */
export function selfTimes(phases: PhaseColumns, intervals: Intervals): ReadonlyMap<string, number> {
  const selfMs = new Map<number, number>();
  for (let i = 0; i < intervals.count; i++) {
    addSelfTimes(selfMs, phases, intervals.startMs[i] ?? 0, intervals.endMs[i] ?? 0);
  }
  return new Map([...selfMs].filter(([, ms]) => ms > 0).map(([name, ms]) => [phases.names[name] ?? "", ms]));
}

/** Most first, at most twelve. */
export function longestPhases(
  selfMs: ReadonlyMap<string, number>,
): readonly { readonly name: string; readonly ms: number }[] {
  return [...selfMs]
    .map(([name, ms]) => ({ name, ms }))
    .sort((a, b) => b.ms - a.ms || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_PHASES);
}

function addSelfTimes(selfMs: Map<number, number>, phases: PhaseColumns, fromMs: number, toMs: number): void {
  const open: { readonly name: number; readonly endMs: number }[] = [];
  const add = (name: number, ms: number) => selfMs.set(name, (selfMs.get(name) ?? 0) + ms);
  for (let i = firstSpan(phases, fromMs); i < phases.count; i++) {
    const spanStart = phases.startMs[i] ?? 0;
    if (spanStart >= toMs) break;
    const start = Math.max(spanStart, fromMs);
    while (open.length > 0 && (open.at(-1)?.endMs ?? 0) <= start) open.pop();
    const parent = open.at(-1);
    const end = Math.min(spanStart + (phases.durationMs[i] ?? 0), toMs, parent?.endMs ?? toMs);
    if (end <= start) continue;
    if (parent !== undefined) add(parent.name, start - end);
    const name = phases.name[i] ?? 0;
    add(name, end - start);
    open.push({ name, endMs: end });
  }
}

/** The first span that may reach into what begins at `fromMs`. */
function firstSpan(phases: PhaseColumns, fromMs: number): number {
  let first = lowerBound(phases.startMs, fromMs, phases.count);
  const furthest = Math.max(0, first - MAX_LOOK_BACK);
  while (first > furthest) {
    first--;
    if (phases.depth[first] === 0) break;
  }
  return first;
}
