/** Which tags come before spikes, second by second. Pure. */
import type { IsolateData, TagColumns } from "../recording/model.ts";
import { IntervalBuilder, type Intervals, totalMs } from "./intervals.ts";
import { score, tagRate } from "./tags.ts";

/** What happened this long before a spike may have to do with it: as for a spike's own tags. */
export const BEFORE_MS = 3000;
const MOST_LANES = 5;
/** In nats: what chance alone gives a third of the names that are looked at is not shown. */
const LEAST_SCORE = 1;
/** A rate is that of so many seconds, the last of them its own. */
export const RATE_SECONDS = 5;

export interface TagLane {
  readonly name: string;
  /** Tags a second over the last 5 s, for the same seconds as in seconds.ts. */
  readonly rate: Float64Array;
  /** Over all of the isolate's time. */
  readonly usual: number;
}

/** The five tags that are most over-represented in the time before spikes; fewer where fewer come more often there than elsewhere. */
export function tagLanes(isolate: IsolateData, spikeStartsMs: readonly number[]): readonly TagLane[] {
  const { tags } = isolate;
  if (tags === null || tags.count === 0) return [];
  const before = timeBefore(isolate, spikeStartsMs);
  const share = totalMs(before) / (isolate.endMs - isolate.startMs);
  const { inside, all } = countTags(tags, before);
  return tags.names
    .map((name, i) => ({ name, score: score(inside[i] ?? 0, (all[i] ?? 0) - (inside[i] ?? 0), share) }))
    .filter((tag, i) => (inside[i] ?? 0) > 0 && tag.score >= LEAST_SCORE)
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
    .slice(0, MOST_LANES)
    .map(({ name }) => {
      const rate = tagRate(isolate, name);
      const seconds = (isolate.endMs - isolate.startMs) / 1000;
      return { name, rate: meanOfLast(rate), usual: rate.reduce((sum, perSecond) => sum + perSecond, 0) / seconds };
    });
}

/** The 3 s before each spike; where they overlap, once. */
function timeBefore({ startMs }: IsolateData, spikeStartsMs: readonly number[]): Intervals {
  const builder = new IntervalBuilder();
  for (const spikeMs of spikeStartsMs.toSorted((a, b) => a - b)) {
    builder.add(Math.max(startMs, spikeMs - BEFORE_MS), spikeMs);
  }
  return builder.finish();
}

/** By name, how many began in the intervals, and how many at all; tags are in order of time. */
function countTags(tags: TagColumns, { count, startMs, endMs }: Intervals) {
  const inside = new Float64Array(tags.names.length);
  const all = new Float64Array(tags.names.length);
  let next = 0;
  for (let i = 0; i < tags.count; i++) {
    const timeMs = tags.timeMs[i] ?? 0;
    const name = tags.name[i] ?? 0;
    const weight = tags.weight[i] ?? 1;
    while (next < count && (endMs[next] ?? 0) <= timeMs) next++;
    all[name] = (all[name] ?? 0) + weight;
    if (next < count && (startMs[next] ?? 0) <= timeMs) inside[name] = (inside[name] ?? 0) + weight;
  }
  return { inside, all };
}

/** Each value with the four before it, as far as there are any. */
function meanOfLast(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (values[i - RATE_SECONDS] ?? 0);
    return sum / Math.min(RATE_SECONDS, i + 1);
  });
}
