import { expect, test } from "vitest";
import { FlameRuns } from "../../../../src/analysis/check/flame-difference.ts";
import { siteBytesOf } from "../../../../src/analysis/check/site-bytes.ts";
import type { FlameTree } from "../../../../src/analysis/flame-tree.ts";
import { isolate, recording, samples } from "../../../support/timeline.ts";

const MIB = 1024 ** 2;

/** A run with a collection at 100 ms: `dies` names who is dead by then, and `dead` after it. */
function run(root: string, line: number, bytes: Readonly<Record<string, readonly [mib: number, diedMs?: number]>>) {
  const heap = Object.entries(bytes).map(([name, [mib, diedMs]]) => ({
    stack: `main@${root}/main.js:1 > ${name}@${root}/lib/${name}.js:${line}`,
    bornMs: 50,
    bytes: mib * MIB,
    ...(diedMs === undefined ? {} : { diedMs }),
  }));
  return { ...recording("-s-s-"), isolates: [isolate("-s-s-", { samples: samples(heap), phases: false })] };
}

const baseline = (mib: number) => run("/tmp/tree", 7, { keep: [mib], pass: [8, 60], drop: [4, 150] });
const candidate = (mib: number) => run("/home/me/app", 9, { keep: [mib], pass: [8, 60], hoard: [3] });

test("both sides have the same functions, wherever they lie, and the mean of their runs", () => {
  const runs = new FlameRuns("allocated");
  for (const mib of [10, 12]) runs.add("baseline", baseline(mib), "/tmp/tree");
  runs.add("candidate", candidate(20), "/home/me/app");
  const { frames, baseline: before, candidate: now } = runs.finish();
  const calls = ({ children: [main] }: FlameTree) =>
    Object.fromEntries((main?.children ?? []).map(({ frame, total }) => [frames[frame]?.file, total / MIB]));
  expect(calls(before)).toEqual({ "lib/keep.js": 11, "lib/pass.js": 8, "lib/drop.js": 4 });
  expect(calls(now)).toEqual({ "lib/keep.js": 20, "lib/pass.js": 8, "lib/hoard.js": 3 });
  expect(frames.find(({ function: name }) => name === "keep")?.line).toBe(9);
});

test("survived is what a collection found alive, kept what is alive at the end", () => {
  const first = isolate("-s-s-", {}).pauses.startMs[0] ?? Number.NaN;
  expect(first).toBeGreaterThan(60);
  expect(first).toBeLessThan(150);
  const sites = Object.fromEntries(siteBytesOf(baseline(10), "/tmp/tree").map((site) => [site.function, site]));
  expect(sites.keep).toMatchObject({ allocated: 10 * MIB, survived: 10 * MIB, kept: 10 * MIB, file: "lib/keep.js" });
  expect(sites.pass).toMatchObject({ allocated: 8 * MIB, survived: 0, kept: 0 });
  expect(sites.drop).toMatchObject({ allocated: 4 * MIB, survived: 4 * MIB, kept: 0 });
});
