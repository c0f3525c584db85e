// What does the transaction pool's workload pay for its traffic? Decoding, hashing, recovering senders and making signed
// transactions, each beside the library that one would use otherwise, on the same bytes in the same process, in alternating
// order. Prints the median of a transaction in each, the ratio, and what one transaction leaves on the heap. Then signatures as
// the workload verifies them, in threads.
//
//   node --max-semi-space-size=64 bench/codec.mjs [--rounds 15]
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { getHeapStatistics } from "node:v8";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createTx, createTxFromRLP } from "@ethereumjs/tx";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { load } from "./lib/load.mjs";
import { median } from "./lib/statistics.mjs";

const SAMPLE = 500;
const TRAFFIC = { seed: 1, tps: 10_000, durationMs: 60_000, batch: 32, accounts: 10_000, blockTimeMs: 2000 };

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" } } });
const rounds = Number(values.rounds);
const ours = await load(
  "src/workload/txpool",
  "traffic",
  "decode",
  "keccak",
  "recover",
  "secp256k1",
  "batch",
  "verify",
);
const common = new Common({ chain: Mainnet, hardfork: Hardfork.London });

/** Well-formed, with right signatures. */
function sample() {
  const traffic = new ours.Traffic(TRAFFIC);
  const all = [];
  while (all.length < SAMPLE && traffic.next()) {
    const { kind, bytes, start, end } = traffic.arrival;
    if (kind === "ordinary") all.push(bytes.slice(start, end));
  }
  return all;
}

const encodings = sample();
const decoder = new ours.TransactionDecoder(ours.CHAIN_ID);
const scratch = ours.emptyDecodedTransaction();
const keccak = new ours.Keccak256();
const hash = new Uint8Array(32);
const traffic = new ours.Traffic({ ...TRAFFIC, durationMs: 3_600_000 });
const native = new ours.SenderRecovery(ours.loadCurve());
const inJavaScript = new ours.SenderRecovery(ours.javaScriptCurve);
const privateKey = new Uint8Array(32).fill(7);
/** Recovers the sender of encoding i, which is decoded first. */
const recoverWith = (recovery) => (i) => {
  decoder.decode(encodings[i], 0, encodings[i].length, scratch);
  recovery.recover(scratch);
};
const { name: curve } = ours.loadCurve();

const repeat = (times, work) => {
  for (let i = 0; i < times; i++) work(i % SAMPLE);
  return times;
};

/** Each does some transactions and returns how many. */
const COMPARISONS = {
  "decode, with hash": {
    gcspike: () => repeat(20 * SAMPLE, (i) => decoder.decode(encodings[i], 0, encodings[i].length, scratch)),
    "@ethereumjs/tx": () => repeat(SAMPLE, (i) => createTxFromRLP(encodings[i], { common }).hash()),
  },
  keccak256: {
    gcspike: () =>
      repeat(20 * SAMPLE, (i) => {
        keccak.update(encodings[i], 0, encodings[i].length);
        keccak.digest(hash);
      }),
    "@noble/hashes": () => repeat(2 * SAMPLE, (i) => keccak_256(encodings[i])),
  },
  [`decode and recover the sender (${curve})`]: {
    gcspike: () => repeat(SAMPLE, recoverWith(native)),
    "@noble/curves": () => repeat(20, recoverWith(inJavaScript)),
    "@ethereumjs/tx": () => repeat(20, (i) => createTxFromRLP(encodings[i], { common }).getSenderAddress()),
  },
  "make and sign": {
    gcspike: () => repeat(2 * SAMPLE, () => traffic.next()),
    "@ethereumjs/tx": () =>
      repeat(20, (i) =>
        createTx({ type: 2, nonce: i, gasLimit: 21_000, to: `0x${"12".repeat(20)}`, maxFeePerGas: 1e9 }, { common })
          .sign(privateKey)
          .serialize(),
      ),
  },
};

function usOf(work) {
  const begin = process.hrtime.bigint();
  const count = work();
  return Number(process.hrtime.bigint() - begin) / 1e3 / count;
}

/** Bytes that one transaction leaves on the heap; NaN where a collection ran meanwhile. */
function garbageOf(work) {
  const begin = getHeapStatistics().used_heap_size;
  const count = work();
  const bytes = getHeapStatistics().used_heap_size - begin;
  return bytes < 0 ? Number.NaN : bytes / count;
}

const digits = (value, unit) => `${value.toPrecision(3)} ${unit}`.padStart(12);
console.log(
  `${SAMPLE} transactions, ${Math.round(encodings.reduce((sum, { length }) => sum + length, 0) / SAMPLE)} bytes each\n`,
);
for (const [name, sides] of Object.entries(COMPARISONS)) {
  const times = Object.keys(sides).map(() => []);
  const garbage = Object.keys(sides).map(() => []);
  for (let round = -2; round < rounds; round++) {
    const order = [...Object.values(sides).entries()];
    for (const [side, work] of round % 2 === 0 ? order : order.reverse()) {
      const us = usOf(work);
      const bytes = garbageOf(work);
      if (round < 0) continue;
      times[side].push(us);
      if (!Number.isNaN(bytes)) garbage[side].push(bytes);
    }
  }
  const ratios = times.slice(1).map((other) => (median(other) / median(times[0])).toPrecision(3));
  console.log(`${name}: ${ratios.join(" and ")} times as fast`);
  for (const [side, label] of Object.keys(sides).entries()) {
    console.log(
      `  ${label.padEnd(16)}${digits(median(times[side]), "us")}   ${digits(median(garbage[side]), "bytes on the heap")}`,
    );
  }
}

/** Us of waiting a transaction while batches of this size are verified, and the share that was recovered. */
async function verification(verify, size) {
  const batch = ours.Batch.ofSize(size);
  const verifier = await ours.openVerifier(batch, { verify, chainId: ours.CHAIN_ID });
  const source = new ours.Traffic({ ...TRAFFIC, batch: size });
  const TOTAL = verify === "pool" ? 50_000 : 5000;
  const waits = [];
  for (let taken = 0; taken < TOTAL; taken += size) {
    let to = 0;
    for (batch.count = 0; batch.count < size; batch.count++) {
      source.next();
      const { bytes, start, end, sender } = source.arrival;
      batch.bytes.set(sender, to);
      batch.bytes.set(bytes.subarray(start, end), to + 20);
      batch.senders[batch.count] = to;
      batch.starts[batch.count] = to + 20;
      to += 20 + end - start;
      batch.ends[batch.count] = to;
    }
    const before = verifier.recovered;
    const us = usOf(() => {
      verifier.verify();
      return size;
    });
    waits.push({ us, share: (verifier.recovered - before) / size });
  }
  await verifier.close();
  // The first senders are all new.
  const settled = waits.slice(waits.length >> 1);
  const share = settled.reduce((sum, one) => sum + one.share, 0) / settled.length;
  return { us: median(settled.map((one) => one.us)), share };
}

console.log(`\nverify in ${Math.min(8, availableParallelism())} threads (${curve}), waiting a transaction`);
for (const verify of ["full", "pool"]) {
  for (const size of [1, 32, 256]) {
    const { us, share } = await verification(verify, size);
    const rate = Math.round(1e6 / us / 100) * 100;
    console.log(
      `  ${verify.padEnd(6)}batches of ${String(size).padEnd(5)}${digits(us, "us")}   ${Math.round(share * 100)} % recovered, at most ${rate.toLocaleString("en")} a second`,
    );
  }
}
