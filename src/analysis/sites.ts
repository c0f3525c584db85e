/** Allocation sites: which line of user code allocated the bytes of some windows. */
import type { Allocations, AllocationWindow, Frame, IsolateData } from "../recording/model.ts";
import type { Site, SiteMeasure } from "./report-types.ts";

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
export function siteOfStack(allocations: Pick<Allocations, "frames" | "stacks">): readonly (Frame | undefined)[] {
  const known = new Map<string, Frame>();
  const canonical = allocations.frames.map((frame) => {
    const key = siteKey(frame);
    const first = known.get(key) ?? frame;
    known.set(key, first);
    return first;
  });
  return allocations.stacks.map((stack) => {
    const leaf = stack.find((frame) => canonical[frame]?.origin === "user");
    return leaf === undefined ? undefined : canonical[leaf];
  });
}

export function siteKey(frame: Pick<Frame, "file" | "line" | "column" | "function">): string {
  return `${frame.file}\0${frame.line}\0${frame.column}\0${frame.function}`;
}

export function tallySites(windows: readonly AllocationWindow[], sites: readonly (Frame | undefined)[]): SiteTally {
  const frames = new Map<Frame, number>();
  let totalBytes = 0;
  for (const window of windows) {
    for (const { stack, bytes } of window.samples) {
      totalBytes += bytes;
      const frame = sites[stack];
      if (frame !== undefined) frames.set(frame, (frames.get(frame) ?? 0) + bytes);
    }
  }
  return { frames, totalBytes };
}

/** Most bytes first; a site's share is that of all sampled bytes. `exact`: inlined functions are known. */
export function rankSites({ frames, totalBytes }: SiteTally, measure: SiteMeasure, exact: boolean): readonly Site[] {
  return [...frames]
    .sort(([a, bytesOfA], [b, bytesOfB]) => bytesOfB - bytesOfA || (siteKey(a) < siteKey(b) ? -1 : 1))
    .slice(0, MAX_SITES)
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

/** Sites of all isolates over the whole recording. */
export function overallSites(isolates: readonly Pick<IsolateData, "allocations" | "samples">[]): readonly Site[] {
  const known = new Map<string, Frame>();
  const frames = new Map<Frame, number>();
  let totalBytes = 0;
  for (const { allocations } of isolates) {
    if (allocations === null) continue;
    const tally = tallySites(allocations.windows, siteOfStack(allocations));
    totalBytes += tally.totalBytes;
    for (const [frame, bytes] of tally.frames) {
      const key = siteKey(frame);
      const first = known.get(key) ?? frame;
      known.set(key, first);
      frames.set(first, (frames.get(first) ?? 0) + bytes);
    }
  }
  const exact = isolates.every((isolate) => isolate.allocations === null || isExact(isolate));
  return rankSites({ frames, totalBytes }, "allocated", exact);
}

/** Functions that the optimiser inlined are known in this isolate's allocations. */
export function isExact({ samples }: Pick<IsolateData, "samples">): boolean {
  return samples?.isExact === true;
}
