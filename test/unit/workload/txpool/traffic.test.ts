import fc from "fast-check";
import { expect, test } from "vitest";
import { emptyDecodedTransaction, TransactionDecoder } from "../../../../src/workload/txpool/decode.ts";
import { SenderRecovery } from "../../../../src/workload/txpool/recover.ts";
import { loadCurve } from "../../../../src/workload/txpool/secp256k1.ts";
import {
  type Arrival,
  type ArrivalKind,
  CHAIN_ID,
  FIRST_NONCE,
  SHARES,
  Traffic,
  type TrafficOptions,
} from "../../../../src/workload/txpool/traffic.ts";
import { oracleView } from "../../../support/ethereum-oracle.ts";

const OPTIONS: TrafficOptions = {
  seed: 7,
  tps: 1000,
  durationMs: 2000,
  batch: 32,
  accounts: 300,
  blockTimeMs: 500,
};

interface Made extends Pick<Arrival, "atMs" | "kind"> {
  readonly sender: Buffer;
  readonly encoding: Buffer;
}

function make(options: Partial<TrafficOptions> = {}): readonly Made[] {
  const traffic = new Traffic({ ...OPTIONS, ...options });
  const all: Made[] = [];
  while (traffic.next()) {
    const { atMs, kind, bytes, start, end, sender } = traffic.arrival;
    all.push({ atMs, kind, sender: Buffer.from(sender), encoding: Buffer.from(bytes.subarray(start, end)) });
  }
  return all;
}

test("the same seed makes the same bytes at the same times, another one others", () => {
  const first = make({ durationMs: 500 });
  expect(make({ durationMs: 500 })).toEqual(first);
  const encodings = new Set(first.map(({ encoding }) => encoding.toString("hex")));
  expect(make({ seed: 8 }).some(({ encoding }) => encodings.has(encoding.toString("hex")))).toBe(false);
});

test("arrivals come in whole batches at an even rate, whatever the batch", () => {
  const batch = fc.constantFrom(1, 32, 256) as fc.Arbitrary<1 | 32 | 256>;
  fc.assert(
    fc.property(batch, fc.integer({ min: 1, max: 900 }), (batch, tps) => {
      const all = make({ batch, tps, durationMs: 1000, accounts: 5 });
      expect(all).toHaveLength(tps);
      for (const [i, { atMs }] of all.entries()) {
        expect(atMs).toBeCloseTo(((i - (i % batch)) / tps) * 1000, 6);
        expect(atMs).toBeLessThan(1000);
      }
    }),
    { numRuns: 10 },
  );
});

/** Kinds of which the oracle takes every one, and finds the sender that was told. */
const SOUND: readonly ArrivalKind[] = [
  "ordinary",
  "gap",
  "replacement",
  "cheap-replacement",
  "duplicate",
  "below-base-fee",
  "nonce-too-low",
];

test("the oracle takes the sound ones, finds the sender that was told, and all three types", () => {
  const all = make({ durationMs: 400 }).filter(({ kind }) => SOUND.includes(kind));
  const views = all.map(({ encoding }) => oracleView(encoding));
  expect(views.map((view) => Buffer.from(view?.sender ?? []))).toEqual(all.map(({ sender }) => sender));
  expect(new Set(views.map((view) => view?.type))).toEqual(new Set([0, 1, 2]));
  expect(all.some(({ encoding }) => isForEveryChain(encoding))).toBe(true);
});

function isForEveryChain(encoding: Uint8Array): boolean {
  const transaction = decoded(encoding);
  return transaction.chainId === 0;
}

const decoder = new TransactionDecoder(CHAIN_ID);

function decoded(encoding: Uint8Array): ReturnType<typeof emptyDecodedTransaction> {
  const transaction = emptyDecodedTransaction();
  expect(decoder.decode(encoding, 0, encoding.length, transaction)).toBeNull();
  return transaction;
}

test("every kind comes about as often as its share says", () => {
  const all = make({ durationMs: 30_000, accounts: 2000 });
  for (const [kind, share] of Object.entries(SHARES)) {
    const count = all.filter((arrival) => arrival.kind === kind).length;
    const expected = all.length * share;
    // Five standard deviations; a replacement, gap or fee that its account is not ready for becomes an ordinary one.
    const tolerance = 5 * Math.sqrt(expected) + 0.15 * expected;
    expect(count, kind).toBeGreaterThan(expected - tolerance);
    expect(count, kind).toBeLessThan(expected + 5 * Math.sqrt(expected));
  }
});

test("what is malformed, too large or wrongly signed is refused for it", () => {
  const all = make({ durationMs: 20_000 });
  const recovery = new SenderRecovery(loadCurve());
  const refusal = ({ encoding }: Made): string | null =>
    decoder.decode(encoding, 0, encoding.length, emptyDecodedTransaction());
  const of = (kind: ArrivalKind): readonly Made[] => all.filter((arrival) => arrival.kind === kind);
  expect(of("malformed").length).toBeGreaterThan(20);
  for (const arrival of of("malformed")) {
    expect(refusal(arrival)).not.toBeNull();
    expect(oracleView(arrival.encoding)).toBeNull();
  }
  expect(of("too-large").map(refusal)).toEqual(of("too-large").map(() => "too-large"));
  const wrong = of("wrong-signature");
  expect(new Set(wrong.map(refusal))).toEqual(new Set([null, "bad-signature"]));
  for (const { encoding, sender } of wrong.filter((arrival) => refusal(arrival) === null)) {
    const transaction = decoded(encoding);
    expect(recovery.recover(transaction)).toBe(true);
    expect(Buffer.from(transaction.sender)).not.toEqual(sender);
  }
});

test("with one account, a wrong signature is another's all the same", () => {
  const recovery = new SenderRecovery(loadCurve());
  const wrong = make({ accounts: 1 }).filter(({ kind }) => kind === "wrong-signature");
  expect(wrong.length).toBeGreaterThan(0);
  for (const { encoding, sender } of wrong) {
    const transaction = emptyDecodedTransaction();
    if (decoder.decode(encoding, 0, encoding.length, transaction) !== null) continue;
    expect(recovery.recover(transaction)).toBe(true);
    expect(Buffer.from(transaction.sender)).not.toEqual(sender);
  }
});

test("kinds are what their names say, account by account", () => {
  const nonces = new Map<string, { next: number; readonly sent: Map<number, { feeCap: number; tip: number }> }>();
  const seen = new Set<string>();
  let filled = 0;
  for (const { kind, encoding, sender } of make({ durationMs: 10_000 })) {
    if (kind === "malformed" || kind === "too-large" || kind === "wrong-signature") continue;
    const { nonce, feeCap, tip } = decoded(encoding);
    const account = nonces.get(sender.toString("hex")) ?? { next: FIRST_NONCE, sent: new Map() };
    nonces.set(sender.toString("hex"), account);
    const old = account.sent.get(nonce);
    const text = encoding.toString("hex");
    if (kind === "duplicate") {
      expect(seen.has(text)).toBe(true);
      continue;
    }
    seen.add(text);
    if (kind === "nonce-too-low") expect(nonce).toBeLessThan(FIRST_NONCE);
    if (kind === "gap") expect(nonce).toBe(account.next + 1);
    if (kind === "replacement" || kind === "cheap-replacement") {
      const bump = Math.min(feeCap / (old?.feeCap ?? 0), tip / (old?.tip ?? 0));
      if (kind === "replacement") expect(bump).toBeGreaterThanOrEqual(1.1);
      else expect(bump).toBeLessThan(1.1);
    }
    if (kind === "ordinary" && nonce < account.next) filled++;
    if (kind === "ordinary" && nonce >= account.next) expect(nonce).toBe(account.next);
    if (kind !== "nonce-too-low") account.next = Math.max(account.next, nonce + 1);
    if (kind !== "cheap-replacement") account.sent.set(nonce, { feeCap, tip });
  }
  expect(filled).toBeGreaterThan(50);
});

test("a few accounts send much of it", () => {
  const counts = new Map<string, number>();
  const all = make({ durationMs: 10_000, accounts: 1000 });
  for (const { sender } of all) counts.set(sender.toString("hex"), (counts.get(sender.toString("hex")) ?? 0) + 1);
  const sorted = [...counts.values()].sort((a, b) => b - a);
  const top = sorted.slice(0, 10).reduce((sum, count) => sum + count, 0) / all.length;
  expect(top).toBeGreaterThan(0.15);
  expect(top).toBeLessThan(0.4);
  expect(counts.size).toBeGreaterThan(800);
});
