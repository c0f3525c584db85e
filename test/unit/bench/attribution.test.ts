import { describe, expect, it } from "vitest";
import {
  type AttributionRun,
  answerOf,
  isExpectedSite,
  judge,
  type SpikeVerdict,
  score,
} from "../../../bench/lib/attribution.mjs";

const SITE = { function: "append", file: "trail.cjs" };
const OLD_GROWTH = { cause: "old-growth", contributing: ["survivor-copy"], sites: [SITE] };
const QUIET = { cause: null, contributing: [], sites: [] };

function spike(cause: string, confidence = 0.9, durationMs = 10, site: SpikeVerdict["site"] = null): SpikeVerdict {
  return { cause, confidence, durationMs, site };
}

function run(program: string, answer: AttributionRun["answer"], ...spikes: readonly SpikeVerdict[]): AttributionRun {
  return { program, node: "20.20.2", answer, spikes };
}

describe("answerOf", () => {
  it("is the cause with the most time, not with the most spikes", () => {
    const spikes = [spike("survivor-copy", 0.5, 11), spike("survivor-copy", 0.5, 12), spike("old-growth", 0.5, 40)];
    expect(answerOf({ spikes })).toBe("old-growth");
    expect(answerOf({ spikes: [] })).toBe("none");
  });
});

describe("judge", () => {
  it("tells the cause, one beside it, no verdict and a wrong one apart", () => {
    const judged = ["old-growth", "survivor-copy", "unknown", "explicit", "descheduled"].map((cause) =>
      judge({ cause }, OLD_GROWTH),
    );
    expect(judged).toEqual(["right", "beside", "unknown", "wrong", "wrong"]);
  });

  it("blames a quiet program by any cause but the machine's", () => {
    expect(judge({ cause: "descheduled" }, QUIET)).toBe("right");
    expect(judge({ cause: "page-faults" }, QUIET)).toBe("right");
    expect(judge({ cause: "survivor-copy" }, QUIET)).toBe("wrong");
  });
});

describe("isExpectedSite", () => {
  it("compares the function's own name and the end of the path", () => {
    expect(isExpectedSite({ function: "Trail.append", file: "/app/trail.cjs" }, OLD_GROWTH)).toBe(true);
    expect(isExpectedSite({ function: "append", file: "file:///app/src/trail.cjs" }, OLD_GROWTH)).toBe(true);
    expect(isExpectedSite({ function: "append", file: "/app/audit-trail.cjs" }, OLD_GROWTH)).toBe(false);
    expect(isExpectedSite({ function: "prepend", file: "/app/trail.cjs" }, OLD_GROWTH)).toBe(false);
    expect(isExpectedSite(null, OLD_GROWTH)).toBe(false);
  });
});

describe("score", () => {
  const right = spike("old-growth", 0.95, 10, { function: "append", file: "/app/trail.cjs" });
  const elsewhere = spike("old-growth", 0.85, 10, { function: "parse", file: "/app/main.cjs" });

  it("lets every program count alike, however many runs and spikes it has", () => {
    const wrong = Array.from({ length: 9 }, () => spike("explicit", 0.75));
    const result = score([run("a", OLD_GROWTH, right), run("a", OLD_GROWTH, right), run("b", OLD_GROWTH, ...wrong)]);
    expect(result.primaryRight).toBe(0.5);
    expect(result.spikesRight).toBe(0.5);
    expect(result.confusion.get("old-growth")).toEqual(
      new Map([
        ["old-growth", 1],
        ["explicit", 1],
      ]),
    );
    expect(result.confidentlyWrong).toHaveLength(9);
  });

  it("gives each run its part of its program in the table", () => {
    const result = score([run("a", OLD_GROWTH, right), run("a", OLD_GROWTH), run("q", QUIET)]);
    expect(result.confusion.get("old-growth")).toEqual(
      new Map([
        ["old-growth", 0.5],
        ["none", 0.5],
      ]),
    );
    expect(result.confusion.get("none")).toEqual(new Map([["none", 1]]));
  });

  it("asks for the site only of spikes with the right cause that have one", () => {
    const none = { ...OLD_GROWTH, sites: [] };
    expect(score([run("a", OLD_GROWTH, right, elsewhere, spike("explicit"))]).sitesRight).toBe(0.5);
    expect(score([run("a", none, right)]).sitesRight).toBeNull();
  });

  it("counts no verdict neither as wrong nor in the calibration", () => {
    const result = score([run("a", OLD_GROWTH, spike("unknown", 0.9), spike("survivor-copy", 0.9))]);
    expect(result.confidentlyWrong).toEqual([]);
    expect(result.calibration).toHaveLength(1);
    expect(result.calibration[0]).toMatchObject({ from: 0.9, to: 1, spikes: 1, right: 0, beside: 1 });
  });

  it("weighs programs alike in a bin of the calibration, and keeps 1.0 in the last", () => {
    const spikes = [spike("explicit", 0.91), spike("explicit", 0.92), spike("explicit", 0.93)];
    const result = score([run("a", OLD_GROWTH, ...spikes), run("b", OLD_GROWTH, spike("old-growth", 1))]);
    expect(result.calibration).toHaveLength(1);
    expect(result.calibration[0]).toMatchObject({ from: 0.9, spikes: 4, right: 0.5, beside: 0 });
    expect(result.calibration[0]?.confidence).toBeCloseTo((0.92 + 1) / 2);
    expect(score([run("a", OLD_GROWTH, spike("old-growth", 0.3))]).calibration[0]?.from).toBe(0.3);
  });

  it("lists the spikes of quiet programs, and those that blame them", () => {
    const result = score([run("q", QUIET, spike("descheduled"), spike("survivor-copy", 0.4)), run("p", QUIET)]);
    expect(result.quiet).toHaveLength(2);
    expect(result.quietBlamed.map(({ cause, program }) => [cause, program])).toEqual([["survivor-copy", "q"]]);
    expect(result.primaryRight).toBeNull();
    expect(result.calibration).toEqual([]);
  });
});
