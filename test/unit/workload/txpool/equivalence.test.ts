/** The three stores give one pool, and it is the one of the reference. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { REFUSALS } from "../../../../src/workload/txpool/lifecycle.ts";
import { expectEmpty, History, limits, steps } from "../../../support/pool-history.ts";
import { withPools } from "../../../support/txpools.ts";

test("answers, counters, blocks and contents are the same in all stores and the reference, step by step", () => {
  fc.assert(
    fc.property(limits, steps, (poolLimits, history) => {
      withPools(poolLimits, (subjects) => {
        const played = new History(subjects, poolLimits);
        for (const step of history) played.play(step);
      });
    }),
    { numRuns: 60 },
  );
});

test("a drained pool holds nothing: no record, index entry, account, slot or heap node", () => {
  fc.assert(
    fc.property(limits, steps, (poolLimits, history) => {
      withPools(poolLimits, (subjects) => {
        const played = new History(subjects, poolLimits);
        for (const step of history) played.play(step);
        played.drain();
        for (const { pool } of subjects) expectEmpty(pool);
      });
    }),
    { numRuns: 20 },
  );
});

test("histories like these meet every rule", () => {
  const met = new Set<string>();
  for (const [poolLimits, history] of fc.sample(fc.tuple(limits, steps), { numRuns: 60, seed: 1 })) {
    withPools(poolLimits, (subjects) => {
      const played = new History(subjects.slice(0, 1), poolLimits);
      for (const step of history) played.play(step);
      const counters = subjects[0]?.pool.counters;
      if (counters === undefined) throw new Error("there is a pool");
      for (const [what, counts] of Object.entries({ refused: counters.refused, evicted: counters.evicted })) {
        for (const [reason, times] of Object.entries(counts))
          if (times > 0) reason !== "no-room" && met.add(`${what} ${reason}`);
      }
      if (counters.demoted > 0) met.add("demoted");
      if (counters.included > 0) met.add("included");
    });
  }
  const evictions = [
    "replaced",
    "underpriced",
    "stale",
    "account-queue",
    "global-slots",
    "global-queue",
    "lifetime",
    "light",
  ];
  // `invalid` takes a hook, and `no-room` is rare: pool.test.ts.
  const refusals = REFUSALS.filter((reason) => reason !== "invalid" && reason !== "no-room");
  expect([...met].sort()).toEqual(
    [
      "demoted",
      "included",
      ...evictions.map((one) => `evicted ${one}`),
      ...refusals.map((one) => `refused ${one}`),
    ].sort(),
  );
});
