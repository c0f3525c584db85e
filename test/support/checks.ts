/** Checks for tests: both sides from lines of text. */
import { type CheckedRun, type CheckRequest, check } from "../../src/analysis/check/check.ts";
import type { Check } from "../../src/analysis/check/check-types.ts";
import type { SiteBytes } from "../../src/analysis/check/site-bytes.ts";
import { runOf } from "../../src/analysis/run.ts";
import { recording } from "./timeline.ts";

const site = (name: string, file: string, bytes: number): SiteBytes => ({
  function: name,
  file,
  line: 12,
  allocated: bytes,
  survived: bytes / 4,
  kept: 0,
});

/** One run of a minute in which the worst pauses take `ms`; `names` are its functions'. */
export function checkedRun(ms: number, bytes: number, names: (text: string) => string = (text) => text): CheckedRun {
  const story = recording(".s.s.s-".repeat(20));
  const [isolate] = story.isolates;
  if (isolate === undefined) throw new Error("no isolate");
  const durationMs = isolate.pauses.durationMs.slice();
  durationMs[3] = ms;
  const one = { ...story, isolates: [{ ...isolate, pauses: { ...isolate.pauses, durationMs } }] };
  return {
    run: runOf(one),
    sites: [site(names("handler"), names("src/server.js"), bytes), site(names("parse"), names("src/parse.js"), 5e6)],
    work: 1,
  };
}

const REQUEST: Omit<CheckRequest, "baseline" | "candidate"> = {
  baselineName: "main",
  metrics: ["pause.max", "pause.total"],
  maxRegression: () => 0.1,
  budgets: [],
  design: { mostRuns: 5, paired: true, falseAlarm: 0.01, miss: 0.1 },
  workName: "",
  isOver: true,
};

/** Five pairs; the candidate's worst pauses are `factor` times as long. */
export function checkOf(factor: number, more: Partial<CheckRequest> = {}, names?: (text: string) => string): Check {
  const noise = [1, 1.02, 0.99, 1.01, 0.98];
  return check({
    ...REQUEST,
    baseline: noise.map((n) => checkedRun(40 * n, 4e6 * n, names)),
    candidate: noise.map((n) => checkedRun(40 * n * factor * (2 - n), 4e6 * factor * factor * n, names)),
    ...more,
  });
}
