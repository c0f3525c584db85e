/** Allocation sites: which line of user code allocated some bytes. */
import type { Allocations, Frame, IsolateData } from "../recording/model.ts";
import type { Site, SiteMeasure } from "./report-types.ts";
import { runBytes } from "./run-bytes.ts";
import { bytesOfWindows, type StackBytes } from "./stack-bytes.ts";

/** At most this many sites are listed: behind the tenth there is nothing to act on. */
export const MAX_SITES = 10;

/** Sampled bytes by frame, and of everything, frames without a site included. */
export interface SiteTally {
  readonly frames: ReadonlyMap<Frame, number>;
  readonly totalBytes: number;
}

/**
 * For every stack the frame that gets its bytes: the leaf-most of user code. Frames of Node, of V8 and of gcspike are passed
 * over, because nobody can change those; a stack without user code has none. Equal frames are one.
 */
export function siteOfStack({
  frames,
  stacks,
}: Pick<Allocations, "frames" | "stacks">): readonly (Frame | undefined)[] {
  const first = firstEqual(frames);
  return stacks.map((stack) => {
    const leaf = stack.find((frame) => frames[frame]?.origin === "user");
    return leaf === undefined ? undefined : frames[first[leaf] ?? leaf];
  });
}

/** For every frame the index of the first one of the same function: V8 compiles some more than once, and inlines them. */
export function firstEqual(frames: readonly Frame[]): Int32Array {
  const known = new Map<string, number>();
  return Int32Array.from(frames, (frame, index) => {
    const key = siteKey(frame);
    const first = known.get(key) ?? index;
    known.set(key, first);
    return first;
  });
}

export function siteKey(frame: Pick<Frame, "file" | "line" | "column" | "function">): string {
  return `${frame.file}\0${frame.line}\0${frame.column}\0${frame.function}`;
}

export function tallySites(bytes: StackBytes, sites: readonly (Frame | undefined)[]): SiteTally {
  const frames = new Map<Frame, number>();
  let totalBytes = 0;
  for (const [stack, ofStack] of bytes) {
    totalBytes += ofStack;
    const frame = sites[stack];
    if (frame !== undefined) frames.set(frame, (frames.get(frame) ?? 0) + ofStack);
  }
  return { frames, totalBytes };
}

/** Most bytes first; a site's share is that of all sampled bytes. `exact`: inlined functions are known. */
export function rankSites(
  { frames, totalBytes }: SiteTally,
  measure: SiteMeasure,
  exact: boolean,
  most = MAX_SITES,
): readonly Site[] {
  return [...frames]
    .sort(([a, bytesOfA], [b, bytesOfB]) => bytesOfB - bytesOfA || (siteKey(a) < siteKey(b) ? -1 : 1))
    .slice(0, most)
    .map(([frame, bytes]) => ({
      function: frame.function,
      file: frame.file,
      line: frame.line,
      column: frame.column > 0 ? frame.column : null,
      share: totalBytes > 0 ? bytes / totalBytes : 0,
      measure,
      exact,
      bytes: Math.round(bytes),
      survivedBytes: measure === "survived" || measure === "retained" ? Math.round(bytes) : null,
    }));
}

/** Of several isolates together; frames of equal functions are one. */
export function sumTallies(tallies: readonly SiteTally[]): SiteTally {
  const known = new Map<string, Frame>();
  const frames = new Map<Frame, number>();
  let totalBytes = 0;
  for (const tally of tallies) {
    totalBytes += tally.totalBytes;
    for (const [frame, bytes] of tally.frames) {
      const key = siteKey(frame);
      const first = known.get(key) ?? frame;
      known.set(key, first);
      frames.set(first, (frames.get(first) ?? 0) + bytes);
    }
  }
  return { frames, totalBytes };
}

type Allocated = Pick<IsolateData, "allocations" | "samples" | "pauses">;

/** Sites of all isolates over the whole recording, by what they allocated; of that, what a collection found alive. */
export function overallSites(isolates: readonly Allocated[], most = MAX_SITES): readonly Site[] {
  const tallies = isolates.flatMap((isolate) =>
    isolate.allocations === null ? [] : tallyRun(isolate, isolate.allocations),
  );
  const exact = isolates.every((isolate) => isolate.allocations === null || isExact(isolate));
  const survived = bySite(tallies.flatMap((tally) => tally.survived ?? []));
  const isKnown = tallies.some((tally) => tally.survived !== null);
  return rankSites(sumTallies(tallies.map(({ allocated }) => allocated)), "allocated", exact, most).map((site) => ({
    ...site,
    survivedBytes: isKnown ? Math.round(survived.get(siteKey({ ...site, column: site.column ?? 0 })) ?? 0) : null,
  }));
}

/** `survived`: null where no deaths were recorded. */
function tallyRun(isolate: Allocated, allocations: Allocations) {
  const sites = siteOfStack(allocations);
  // Windows have what lies in the heap.
  const samples = isolate.samples === null ? null : { ...isolate.samples, buffers: null };
  const { survived } = runBytes({ ...isolate, samples });
  return {
    allocated: tallySites(bytesOfWindows(allocations.windows), sites),
    survived: survived === null ? null : tallySites(survived, sites),
  };
}

function bySite(tallies: readonly SiteTally[]): ReadonlyMap<string, number> {
  return new Map([...sumTallies(tallies).frames].map(([frame, bytes]) => [siteKey(frame), bytes]));
}

/** Functions that the optimiser inlined are known in this isolate's allocations. */
export function isExact({ samples }: Pick<IsolateData, "samples">): boolean {
  return samples?.isExact === true;
}
