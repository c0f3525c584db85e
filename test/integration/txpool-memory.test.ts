/** What the stores of the transaction pool cost the collector: measured in processes of their own. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Footprint } from "../../src/workload/txpool/store.ts";
import { ROOT } from "../support/cli.ts";

interface Measured {
  readonly size: number;
  /** Bytes a resident, on the heap and outside. */
  readonly heap: number;
  readonly outside: number;
  readonly stated: Footprint;
  /** While the content was replaced. */
  readonly collections: number;
  readonly included: number;
  readonly accepted: number;
}

// In the package's folder, where the slab's binary is found.
const folder = mkdtempSync(join(ROOT, "dist", "txpool-load-"));
const bundle = join(folder, "txpool-load.mjs");

beforeAll(async () => {
  const build = await rolldown({
    input: join(ROOT, "test/programs/txpool-load.ts"),
    platform: "node",
    logLevel: "warn",
  });
  await build.write({ file: bundle, format: "esm" });
  await build.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** V8's young generation as the workload has it. By itself V8 begins with a small one, and how soon that grows is chance. */
const YOUNG = ["--min-semi-space-size=16", "--max-semi-space-size=16"];

async function measure(store: string, residents: number, turnovers: number): Promise<Measured> {
  const words = ["--expose-gc", ...YOUNG, bundle, store, String(residents), String(turnovers)];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return JSON.parse(stdout) as Measured;
}

test("mmap: two million operations, no garbage of theirs, nothing of a transaction on the heap", async () => {
  const { size, heap, collections, included, accepted } = await measure("mmap", 20_000, 50);
  expect(included + accepted).toBeGreaterThan(2_000_000);
  expect(size).toBe(20_000);
  // What is compiled meanwhile: some 300 KB in all, whatever the pool's size.
  expect(heap).toBeLessThan(40);
  // 16 MiB a collection: less than a boxed number an operation.
  expect(collections).toBeLessThan(2);
});

test.each(["naive", "pooled"])(
  "%s: what it says of a transaction's memory is what the heap grows by",
  async (store) => {
    const { heap, outside, stated, collections } = await measure(store, 20_000, 5);
    expect(collections).toBeGreaterThan(4);
    expect(heap / stated.heapBytes).toBeGreaterThan(0.75);
    expect(heap / stated.heapBytes).toBeLessThan(1.35);
    expect(outside / stated.externalBytes).toBeGreaterThan(0.75);
    expect(outside / stated.externalBytes).toBeLessThan(1.35);
  },
);
