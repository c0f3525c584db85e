/** The head that worker threads read, from one thread and raced by several. */
import { Worker } from "node:worker_threads";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";
import { HeadSnapshot } from "../../../../src/workload/txpool/head-snapshot.ts";

const SOURCE = new URL("../../../../src/workload/txpool/head-snapshot.ts", import.meta.url).pathname;
const HEADS = 200_000;

/** What belongs to a number: every byte of a head follows from it. */
function headOf(number: number) {
  return { number, baseFee: number * 3 + 1, stateRoot: new Uint8Array(32).fill(number % 251) };
}

test("what was published is read", () => {
  const snapshot = new HeadSnapshot();
  const reader = new HeadSnapshot(snapshot.buffer);
  const view = { number: -1, baseFee: -1, stateRoot: new Uint8Array(32) };
  for (const number of [0, 7, 2 ** 40 + 1]) {
    snapshot.publish(headOf(number));
    reader.read(view);
    expect(view).toEqual(headOf(number));
  }
});

/** Reads until the last head is there; answers with how many were whole, torn, or older than one before. */
const READER = `
const { parentPort, workerData } = require("node:worker_threads");
const snapshot = new HeadSnapshot(workerData.buffer);
const unlocked = new Int32Array(workerData.buffer);
const numbers = new Float64Array(workerData.buffer);
const bytes = new Uint8Array(workerData.buffer);
const view = { number: 0, baseFee: 0, stateRoot: new Uint8Array(32) };
function readUnlocked() {
  view.number = numbers[1];
  view.baseFee = numbers[2];
  view.stateRoot.set(bytes.subarray(24, 56));
}
let reads = 0, torn = 0, backwards = 0, last = 0;
parentPort.postMessage("ready");
while (last < workerData.heads) {
  if (workerData.locked) snapshot.read(view); else readUnlocked();
  reads++;
  if (view.baseFee !== view.number * 3 + 1 || view.stateRoot.some((byte) => byte !== view.number % 251)) torn++;
  else if (view.number < last) backwards++;
  else last = view.number;
}
parentPort.postMessage({ reads, torn, backwards });
`;

interface Seen {
  readonly reads: number;
  readonly torn: number;
  readonly backwards: number;
}

/** Races readers against a writer; `locked`: whether they heed the sequence. */
async function race(locked: boolean): Promise<Seen[]> {
  const build = await rolldown({ input: SOURCE, platform: "node", logLevel: "warn" });
  const { output } = await build.generate({ format: "cjs" });
  await build.close();
  const snapshot = new HeadSnapshot();
  snapshot.publish(headOf(0));
  const readers = Array.from({ length: 2 }, () => {
    const workerData = { buffer: snapshot.buffer, heads: HEADS, locked };
    return new Worker(`${output[0].code}\n${READER}`, { eval: true, workerData });
  });
  const next = (reader: Worker): Promise<unknown> =>
    new Promise((resolve, reject) => reader.once("message", resolve).once("error", reject));
  await Promise.all(readers.map(next));
  const seen = Promise.all(readers.map(next));
  for (let number = 1; number <= HEADS; number++) snapshot.publish(headOf(number));
  return (await seen) as Seen[];
}

test("readers that race a writer never see parts of two heads, nor an older one than before", async () => {
  for (const { reads, torn, backwards } of await race(true)) {
    expect(reads).toBeGreaterThan(0);
    expect({ torn, backwards }).toEqual({ torn: 0, backwards: 0 });
  }
});

test("without the lock they do: the race above can fail", async () => {
  let torn = 0;
  // Two threads on one busy processor may miss each other for a while.
  for (let attempt = 0; attempt < 20 && torn === 0; attempt++) {
    for (const seen of await race(false)) torn += seen.torn;
  }
  expect(torn).toBeGreaterThan(0);
});
