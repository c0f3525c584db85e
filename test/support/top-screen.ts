/** States of `gcspike top` from a few words, and what its screen shows. */
import { HISTORY_SECONDS, type LiveFigures } from "../../src/analysis/live-figures.ts";
import { listRoom, paint, type Size, screen } from "../../src/cli/top/screen.ts";
import { keyOf, type News, START, scrolled, type TopState, update } from "../../src/cli/top/state.ts";
import type { NodeProcess } from "../../src/recorder/processes/node-process.ts";
import { frame } from "./timeline.ts";

const MIB = 1024 ** 2;

export function nodeProcess(pid: number, script: string, changes: Partial<NodeProcess> = {}): NodeProcess {
  return {
    pid,
    parentPid: 1,
    began: String(pid * 10),
    command: ["/usr/bin/node", "--max-old-space-size=2048", script, "--port", "80"],
    ageMs: 8_040_000,
    rssBytes: 212 * MIB,
    cpuMs: 0,
    threads: 11,
    ...changes,
  };
}

export function figures(changes: Partial<LiveFigures> = {}): LiveFigures {
  const worstBySecond = Float64Array.from({ length: HISTORY_SECONDS }, (_, second) =>
    second < 12 ? -1 : second % 7 === 0 ? 0.4 : second % 19 === 0 ? 41.8 : 3,
  );
  return {
    pauses: 318,
    p99Ms: 36.2,
    worst: { kind: "mark-compact", durationMs: 41.8, endMs: 16_000 },
    open: null,
    gcShare: 0.061,
    heapBytes: 141 * MIB,
    limitShare: 0.069,
    allocationRate: 48.2 * MIB,
    sites: [
      { frame: frame("hydrateSession@src/session.ts:48"), share: 0.712 },
      { frame: frame("parseCart@src/cart.ts:112"), share: 0.164 },
    ],
    loopDelayMs: 44.6,
    worstBySecond,
    ...changes,
  };
}

/** What follows on each other. */
export function played(news: readonly News[], state: TopState = START): TopState {
  return news.reduce((before, one) => update(before, one).state, state);
}

export function clock(nowMs: number): News {
  return { is: "clock", nowMs, clock: "03:12:07" };
}

export function key(name: Extract<News, { is: "key" }>["key"]): News {
  return { is: "key", key: name };
}

export { keyOf };

/** Draws it, without colours unless they are asked for. */
export function drawn(state: TopState, size: Size, color = false): readonly string[] {
  const shown = scrolled(state, listRoom(state, size));
  return screen(shown, size).map((line) => paint(line, size.width, color));
}
