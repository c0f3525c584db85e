/** The threads that verify signatures, as they are built: dist/workload/. */
import type { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { Batch } from "../../src/workload/txpool/batch.ts";
import { emptyDecodedTransaction, TransactionDecoder } from "../../src/workload/txpool/decode.ts";
import { SenderRecovery } from "../../src/workload/txpool/recover.ts";
import { javaScriptCurve, loadCurve } from "../../src/workload/txpool/secp256k1.ts";
import { type ArrivalKind, CHAIN_ID, Traffic, type TrafficOptions } from "../../src/workload/txpool/traffic.ts";
import { openVerifier, type Verifier } from "../../src/workload/txpool/verify.ts";

const TRAFFIC: TrafficOptions = {
  seed: 3,
  tps: 10_000,
  durationMs: 3000,
  batch: 32,
  accounts: 100,
  blockTimeMs: 1000,
};

interface Verified {
  readonly kind: ArrivalKind;
  readonly isWrong: boolean;
  readonly batch: number;
}

/** Batch by batch, what the verifier says of traffic that is written straight into shared memory. */
async function verifyTraffic(verify: "pool" | "full", size: 1 | 32 | 256): Promise<[readonly Verified[], Verifier]> {
  const traffic = new Traffic({ ...TRAFFIC, durationMs: 100, accounts: 20 });
  const batch = Batch.ofSize(size);
  const verifier = await openVerifier(batch, { verify, chainId: CHAIN_ID });
  if (verifier === null) throw new Error("There is no verifier.");
  const all: Verified[] = [];
  let kinds: ArrivalKind[] = [];
  let at = 0;
  const finish = (): void => {
    verifier.verify();
    const number = all.at(-1)?.batch ?? 0;
    for (const [i, kind] of kinds.entries()) all.push({ kind, isWrong: verifier.isWrong(i), batch: number + 1 });
    batch.count = 0;
    kinds = [];
    at = 0;
  };
  while (traffic.next()) {
    const { kind, bytes, start, end, sender } = traffic.arrival;
    batch.bytes.set(sender, at);
    batch.senders[batch.count] = at;
    batch.bytes.set(bytes.subarray(start, end), at + 20);
    batch.starts[batch.count] = at + 20;
    at += 20 + end - start;
    batch.ends[batch.count++] = at;
    kinds.push(kind);
    if (batch.count === size) finish();
  }
  if (batch.count > 0) finish();
  await verifier.close();
  return [all, verifier];
}

const BAD: readonly ArrivalKind[] = ["malformed", "wrong-signature", "too-large"];

test.each([1, 32, 256] as const)("full: every signature is recovered, in batches of %i", async (size) => {
  const [all, verifier] = await verifyTraffic("full", size);
  expect(all).toHaveLength(1000);
  expect(all.map(({ isWrong }) => isWrong)).toEqual(all.map(({ kind }) => BAD.includes(kind)));
  expect(new Set(all.map(({ kind }) => kind))).toContain("wrong-signature");
  expect(verifier.recovered).toBe(1000);
});

test("off: nothing is started", async () => {
  const batch = Batch.ofSize(1);
  expect(await openVerifier(batch, { verify: "off", chainId: CHAIN_ID })).toBeNull();
});

test("a thread that is gone is an error, not a wait without end", async () => {
  const threads: Worker[] = [];
  const keep = (worker: Worker): number => threads.push(worker);
  process.on("worker", keep);
  const batch = Batch.ofSize(1);
  const verifier = await openVerifier(batch, { verify: "full", chainId: CHAIN_ID });
  process.off("worker", keep);
  await Promise.all(threads.map((thread) => thread.terminate()));
  batch.count = 1;
  expect(() => verifier?.verify()).toThrow(/threads that verify signatures failed/);
  await verifier?.close();
});

test("pool: nothing right is called wrong, and known senders are sampled", async () => {
  const [all, verifier] = await verifyTraffic("pool", 32);
  for (const { kind, isWrong } of all) if (isWrong) expect(BAD).toContain(kind);
  expect(verifier.recovered).toBeGreaterThan(1000 / 8);
  expect(verifier.recovered).toBeLessThan(500);
});

test("this package's binary of the curve recovers what JavaScript recovers, and fails where it fails", () => {
  const native = loadCurve();
  expect(native.name).toBe(process.platform === "linux" && process.arch === "x64" ? "native" : native.name);
  const traffic = new Traffic({ ...TRAFFIC, durationMs: 5 });
  const decoder = new TransactionDecoder(CHAIN_ID);
  const [one, other] = [emptyDecodedTransaction(), emptyDecodedTransaction()];
  const [natively, inJavaScript] = [new SenderRecovery(native), new SenderRecovery(javaScriptCurve)];
  while (traffic.next()) {
    const { bytes, start, end } = traffic.arrival;
    if (decoder.decode(bytes, start, end, one) !== null) continue;
    decoder.decode(bytes, start, end, other);
    expect(natively.recover(one)).toBe(inJavaScript.recover(other));
    expect(one.sender).toEqual(other.sender);
    // No point of the curve has this x.
    for (const transaction of [one, other]) transaction.signature.fill(0, 0, 31).fill(5, 31, 32);
    expect([natively.recover(one), inJavaScript.recover(other)]).toEqual([false, false]);
  }
});
