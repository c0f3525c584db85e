/** What the program was doing before a spike: its tags, those first that are there more often than they usually are. */
import type { IsolateData, TagColumns } from "../recording/model.ts";
import { lowerBound } from "./intervals.ts";
import type { SpikeTag } from "./report-types.ts";

/** Long enough for a request to leave behind what a collection then has to copy. */
const BEFORE_MS = 3000;
const MOST_TAGS = 10;
/** Fewer outside the window say nothing of a usual rate. */
const LEAST_ELSEWHERE = 3;
/** How far back to look for spans that began before the window and still go on; only a damaged recording has so many. */
const MAX_LOOK_BACK = 4096;

/** The tags of one name, by when they began. */
interface NamedTags {
  readonly name: string;
  readonly startMs: Float64Array;
  /** How many there are before the n-th; one longer than startMs. */
  readonly before: Float64Array;
  /** Those that last longer than the window: only they can have begun before it and still go on. */
  readonly long: LongSpans;
  /** By how much a tag outlasts the window, on average over all of them. */
  readonly beyondMs: number;
}

interface LongSpans {
  readonly startMs: Float64Array;
  readonly endMs: Float64Array;
  readonly weight: Float64Array;
  /** The latest end of the spans up to here. */
  readonly latestEndMs: Float64Array;
}

const indices = new WeakMap<TagColumns, readonly NamedTags[]>();

/**
 * The tags of the 3 s before `startMs`, and those that went on then: at most ten, the most over-represented first.
 *
 * `count` is how many of a name began in the window or still went on at its end. `lift` is their rate over the rate in the rest
 * of the isolate's time; null where there are fewer than three elsewhere, or less time than the window is long.
 *
 * They are ranked by how unlikely the count is where the name comes as often as elsewhere (`score`), not by the count.
 */
export function tagsBefore(isolate: IsolateData, startMs: number): readonly SpikeTag[] {
  if (isolate.tags === null || isolate.tags.count === 0) return [];
  const fromMs = Math.max(isolate.startMs, startMs - BEFORE_MS);
  const restMs = isolate.endMs - isolate.startMs - (startMs - fromMs);
  const best: Ranked[] = [];
  for (const tags of namedTags(isolate.tags)) {
    const { count, lastMs } = inWindow(tags, fromMs, startMs);
    if (count === 0) continue;
    const elsewhere = (tags.before.at(-1) ?? 0) - count;
    // A tag that goes on for long is met by more windows than that in which it began.
    const exposureMs = startMs - fromMs + tags.beyondMs;
    const rank = score(count, elsewhere, exposureMs / (exposureMs + Math.max(0, restMs)));
    const canSay = elsewhere >= LEAST_ELSEWHERE && restMs >= BEFORE_MS;
    const lift = canSay ? count / exposureMs / (elsewhere / restMs) : null;
    const ranked: Ranked = { score: rank, tag: { name: tags.name, count, lift, lastBeforeMs: startMs - lastMs } };
    const last = best[MOST_TAGS - 1];
    if (last !== undefined && byScore(ranked, last) > 0) continue;
    best.push(ranked);
    best.sort(byScore);
    best.length = Math.min(best.length, MOST_TAGS);
  }
  return best.map(({ tag }) => tag);
}

interface Ranked {
  readonly score: number;
  readonly tag: SpikeTag;
}

function byScore(a: Ranked, b: Ranked): number {
  return b.score - a.score || b.tag.count - a.tag.count || (a.tag.name < b.tag.name ? -1 : 1);
}

/** How often tags of this name began, per second, in each `bucketMs` from the isolate's start on. */
export function tagRate(isolate: IsolateData, name: string, bucketMs = 1000): Float64Array {
  const rate = new Float64Array(Math.ceil((isolate.endMs - isolate.startMs) / bucketMs));
  const tags = isolate.tags === null ? undefined : namedTags(isolate.tags).find((one) => one.name === name);
  if (tags === undefined) return rate;
  return rate.map((_, bucket) => {
    const fromMs = isolate.startMs + bucket * bucketMs;
    // What has the time of the end itself belongs to the last bucket.
    const toMs = bucket === rate.length - 1 ? Number.POSITIVE_INFINITY : fromMs + bucketMs;
    return (begunBefore(tags, toMs) - begunBefore(tags, fromMs)) / (bucketMs / 1000);
  });
}

/**
 * How far `count` tags in the window and `elsewhere` outside it are from chance, in nats: 0 is chance, a negative number says
 * that there are fewer than usual.
 *
 * Where a name comes at one rate throughout (Poisson), each of its tags is in the window with probability `share`, so that the
 * count is binomial; its tail is bounded by Chernoff's exp(-n KL(count/n || share)). A name is only looked at because it is in the
 * window at all: the tail is taken under that condition, P(at least count | at least one). A tag that was seen once is then no
 * evidence whatever its rate is.
 */
export function score(count: number, elsewhere: number, share: number): number {
  const all = count + elsewhere;
  if (!(share > 0 && share < 1)) return 0;
  const part = count / all;
  const distance = all * (part * Math.log(part / share) + term(1 - part, 1 - share));
  if (part <= share) return -distance;
  const atLeastOne = Math.log(-Math.expm1(all * Math.log1p(-share)));
  return Math.max(0, distance + atLeastOne);
}

function term(part: number, share: number): number {
  return part === 0 ? 0 : part * Math.log(part / share);
}

function inWindow(tags: NamedTags, fromMs: number, toMs: number): { readonly count: number; readonly lastMs: number } {
  const first = lowerBound(tags.startMs, fromMs);
  const end = lowerBound(tags.startMs, toMs);
  let count = (tags.before[end] ?? 0) - (tags.before[first] ?? 0);
  let lastMs = end > first ? (tags.startMs[end - 1] ?? 0) : Number.NEGATIVE_INFINITY;
  const { long } = tags;
  const furthest = lowerBound(long.startMs, fromMs);
  for (let i = furthest - 1; i >= Math.max(0, furthest - MAX_LOOK_BACK); i--) {
    if ((long.latestEndMs[i] ?? 0) <= toMs) break;
    if ((long.endMs[i] ?? 0) <= toMs) continue;
    count += long.weight[i] ?? 0;
    lastMs = Math.max(lastMs, long.startMs[i] ?? 0);
  }
  return { count, lastMs };
}

function begunBefore({ startMs, before }: NamedTags, timeMs: number): number {
  return before[lowerBound(startMs, timeMs)] ?? 0;
}

/** Made once for all spikes of an isolate. */
function namedTags(tags: TagColumns): readonly NamedTags[] {
  const known = indices.get(tags);
  if (known !== undefined) return known;
  const places = placesOfNames(tags);
  const named = places.flatMap((at, name) => (at.length === 0 ? [] : [ofName(tags, tags.names[name] ?? "", at)]));
  indices.set(tags, named);
  return named;
}

/** By name, which tags have it: a counting sort, which keeps their order. */
function placesOfNames({ count, name, names }: TagColumns): readonly Uint32Array[] {
  const sizes = new Uint32Array(names.length);
  for (let i = 0; i < count; i++) {
    const one = name[i] ?? 0;
    sizes[one] = (sizes[one] ?? 0) + 1;
  }
  const places = Array.from(sizes, (size) => new Uint32Array(size));
  const filled = new Uint32Array(names.length);
  for (let i = 0; i < count; i++) {
    const one = name[i] ?? 0;
    const place = filled[one] ?? 0;
    const of = places[one];
    if (of !== undefined) of[place] = i;
    filled[one] = place + 1;
  }
  return places;
}

function ofName(tags: TagColumns, name: string, places: Uint32Array): NamedTags {
  const startMs = new Float64Array(places.length);
  const before = new Float64Array(places.length + 1);
  const long: number[] = [];
  let beyondMs = 0;
  for (let n = 0; n < places.length; n++) {
    const i = places[n] ?? 0;
    const weight = tags.weight[i] ?? 1;
    const durationMs = tags.durationMs[i] ?? 0;
    startMs[n] = tags.timeMs[i] ?? 0;
    before[n + 1] = (before[n] ?? 0) + weight;
    // A span whose end is not known is not among them: a request that its client gave up on would go on for ever.
    if (!(durationMs > BEFORE_MS)) continue;
    beyondMs += weight * (durationMs - BEFORE_MS);
    long.push(i);
  }
  return { name, startMs, before, long: longSpans(tags, long), beyondMs: beyondMs / Math.max(1, before.at(-1) ?? 1) };
}

function longSpans({ timeMs, durationMs, weight }: TagColumns, places: readonly number[]): LongSpans {
  const endMs = Float64Array.from(places, (i) => (timeMs[i] ?? 0) + (durationMs[i] ?? 0));
  let latest = Number.NEGATIVE_INFINITY;
  return {
    startMs: Float64Array.from(places, (i) => timeMs[i] ?? 0),
    endMs,
    weight: Float64Array.from(places, (i) => weight[i] ?? 1),
    latestEndMs: endMs.map((end) => {
      latest = Math.max(latest, end);
      return latest;
    }),
  };
}
