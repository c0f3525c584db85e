import type { ProcessColumns } from "../recording/model.ts";

const HOUR_MS = 3_600_000;
/** Over less than this a slope says more about single steps of the allocator than about growth. */
const SHORTEST_MS = 5000;

/**
 * How fast resident memory grows, bytes an hour: the slope of the least-squares line through the samples of a process in the
 * second half of the recording, because in the first half a program fills its caches and its heap; summed over the processes
 * that were sampled for at least 5 s of that half. null where there is none.
 */
export function rssGrowth(processes: readonly ProcessColumns[], durationMs: number): number | null {
  const slopes = processes.flatMap((process) => slopeAfter(process, durationMs / 2) ?? []);
  return slopes.length === 0 ? null : Math.round(slopes.reduce((sum, slope) => sum + slope, 0) * HOUR_MS);
}

/** Bytes a millisecond; null where the samples after `fromMs` cover too little time. */
function slopeAfter({ count, timeMs, rss }: ProcessColumns, fromMs: number): number | null {
  const first = timeMs.findIndex((time) => time >= fromMs);
  const last = timeMs[count - 1] ?? 0;
  if (first < 0 || last - (timeMs[first] ?? 0) < SHORTEST_MS) return null;
  const samples = count - first;
  let meanTime = 0;
  let meanRss = 0;
  for (let i = first; i < count; i++) {
    meanTime += (timeMs[i] ?? 0) / samples;
    meanRss += (rss[i] ?? 0) / samples;
  }
  let covariance = 0;
  let variance = 0;
  for (let i = first; i < count; i++) {
    const time = (timeMs[i] ?? 0) - meanTime;
    covariance += time * ((rss[i] ?? 0) - meanRss);
    variance += time * time;
  }
  const slope = covariance / variance;
  return Number.isFinite(slope) ? slope : null;
}
