/** A long recording does not grow the target. bench/hour.mjs does the same for as many collections as an hour has. */
import { afterAll, expect, test } from "vitest";
import { NODES } from "../support/nodes.ts";
import { fixture, pausesOf, Workplace } from "../support/recorded.ts";

const MB = 1e6;
const workplace = new Workplace();
afterAll(() => workplace.remove());

test.each(NODES)("thousands of collections and a window every second on $version", async ({ path }) => {
  const words = [path, "--min-semi-space-size=1", "--max-semi-space-size=1", fixture("hour.cjs")];
  const agent = { allocationWindowMs: 100, allocationIntervalBytes: 64 * 1024 };
  const { stdout, recording } = await workplace
    .startWithAgent(words, { agent, env: { FIXTURE_WORK: "0.08" } })
    .recorded();
  const memory = stdout
    .trim()
    .split("\n")
    .map((line): number => JSON.parse(line)[1]);
  const [isolate] = recording.isolates;
  if (isolate === undefined) throw new Error("nothing was recorded");
  expect(isolate.warnings).toEqual([]);
  expect(pausesOf(isolate, recording).length).toBeGreaterThan(8000);
  // One a second: how many depends on how long the machine takes.
  const windows = isolate.allocations?.windows.length ?? 0;
  expect(windows).toBeGreaterThan((isolate.endMs - isolate.startMs) / 1000 - 1);
  // 8,640 records of pauses alone are 3.5 MB; V8's own memory goes up and down by 2.
  expect((memory.at(-1) ?? Number.NaN) - (memory[24] ?? Number.NaN)).toBeLessThan(3 * MB);
});
