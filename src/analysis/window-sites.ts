/** Sites by windows of a second: what was allocated, dead or alive. */
import type { AllocationWindow, Frame, IsolateData } from "../recording/model.ts";
import type { Site } from "./report-types.ts";
import { isExact, rankSites, siteOfStack, tallySites } from "./sites.ts";

/** Sites of the windows that end at or after a moment and begin before another. Spikes of one second share their answer. */
export function windowSites(isolate: IsolateData): (fromMs: number, toMs: number) => readonly Site[] {
  const { allocations } = isolate;
  if (allocations === null) return () => [];
  const sites: readonly (Frame | undefined)[] = siteOfStack(allocations);
  const known = new Map<string, readonly Site[]>();
  return (fromMs, toMs) => {
    const from = firstWindow(allocations.windows, (window) => window.endMs >= fromMs);
    const to = firstWindow(allocations.windows, (window) => window.startMs >= toMs);
    const key = `${from}-${to}`;
    const ranked =
      known.get(key) ??
      rankSites(tallySites(allocations.windows.slice(from, to), sites), "allocated", isExact(isolate));
    known.set(key, ranked);
    return ranked;
  };
}

/** Index of the first window for which `holds` is true; windows are in order of time, so that it holds for all behind it. */
function firstWindow(windows: readonly AllocationWindow[], holds: (window: AllocationWindow) => boolean): number {
  let low = 0;
  let high = windows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const window = windows[middle];
    if (window !== undefined && holds(window)) high = middle;
    else low = middle + 1;
  }
  return low;
}
