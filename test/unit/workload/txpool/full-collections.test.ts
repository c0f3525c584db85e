/** Full collections are noticed, and scavenges are not taken for them. */
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { FullCollections } from "../../../../src/workload/txpool/full-collections.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options?: { type: "minor" | "major" }) => void;

/** Reports come when the loop turns. */
async function reportsAfter(collections: () => Promise<void>): Promise<number> {
  let reports = 0;
  const watch = new FullCollections(() => reports++);
  await collections();
  await setTimeout(50);
  watch.stop();
  return reports;
}

test("each full collection is told once", async () => {
  const reports = await reportsAfter(async () => {
    for (let i = 0; i < 3; i++) {
      collect();
      await setTimeout(50);
    }
  });
  // V8 may have had one of its own.
  expect(reports).toBeGreaterThanOrEqual(3);
  expect(reports).toBeLessThan(6);
});

test("scavenges are not told", async () => {
  const reports = await reportsAfter(async () => {
    for (let i = 0; i < 20; i++) {
      collect({ type: "minor" });
      await setTimeout(1);
    }
  });
  expect(reports).toBeLessThan(3);
});
