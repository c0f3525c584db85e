/** The transaction pool's workload as a program: `node txpool.js --mode mmap ... --arrivals FOLDER`. */
import { createHistogram } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { textOptions } from "../flags.ts";
import { runWorkload } from "../program.ts";
import { roomHere } from "../room.ts";
import { workloadJson, writeWorkloadFile } from "../workload-file.ts";
import { AccountNonces } from "./account-nonces.ts";
import { ArrivalReader } from "./arrivals.ts";
import { Batch } from "./batch.ts";
import { BlockBuilder } from "./block-builder.ts";
import { TransactionDecoder } from "./decode.ts";
import { HeadSchedule } from "./head-schedule.ts";
import { HeadSnapshot } from "./head-snapshot.ts";
import { capacityOf } from "./limits.ts";
import { parseTxpool, poolLimits, TXPOOL_FLAGS, type TxpoolOptions } from "./options.ts";
import { announce, describe, metricsOf, type Outcome, shortfall } from "./outcome.ts";
import { Pool } from "./pool.ts";
import { TxpoolRun } from "./run.ts";
import type { Store } from "./store.ts";
import { describeStore } from "./store-phrases.ts";
import { createStore } from "./stores.ts";
import { CHAIN_ID, FIRST_NONCE } from "./traffic.ts";
import { HASH_BYTES } from "./transaction.ts";
import { openVerifier } from "./verify.ts";

const {
  values: { arrivals, "keep-arrivals": keepArrivals, quiet, json, ...words },
} = parseArgs({
  options: {
    ...textOptions(TXPOOL_FLAGS),
    /** The folder of arrivals.ts. */
    arrivals: { type: "string" },
    "keep-arrivals": { type: "boolean", default: false },
    /** Print nothing: who compares reads workload.json. */
    quiet: { type: "boolean", default: false },
    /** Print workload.json in the place of words. */
    json: { type: "boolean", default: false },
  },
});

async function runTxpool<T, A>(
  options: TxpoolOptions,
  memoryLimitBytes: number,
  store: Store<T, A>,
): Promise<Omit<Outcome, "store">> {
  const limits = poolLimits(options);
  const chain = new AccountNonces(options.accounts, FIRST_NONCE);
  const heads = new HeadSchedule(options);
  const genesis = { ...heads.next(), gasLimit: limits.blockGas, stateRoot: new Uint8Array(HASH_BYTES) };
  const pool = new Pool(store, limits, chain, genesis);
  const batch = Batch.ofSize(options.batch);
  const verifier = await openVerifier(batch, { verify: options.verify, chainId: CHAIN_ID });
  const latency = createHistogram();
  const run = new TxpoolRun(
    {
      pool,
      builder: new BlockBuilder(pool),
      chain,
      heads,
      snapshot: new HeadSnapshot(),
      reader: new ArrivalReader(String(arrivals), keepArrivals === true),
      batch,
      decoder: new TransactionDecoder(CHAIN_ID),
      verifier,
      latency,
      memoryLimitBytes,
    },
    options,
  );
  const stop = (): void => run.stop();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  if (quiet !== true) process.stderr.write(announce(options));
  globalThis.gc?.();
  const fromNs = process.hrtime.bigint();
  const figures = await run.run();
  const load = { fromNs, toNs: process.hrtime.bigint() };
  await verifier?.close();
  return {
    options,
    load,
    run: figures,
    counters: pool.counters,
    memory: pool.memory(),
    latencyMs: (percentile) => latency.percentile(percentile) / 1000,
  };
}

await runWorkload(async () => {
  const options = parseTxpool(words);
  const capacity = capacityOf(poolLimits(options));
  // Before there is a store: mmap's takes its memory at once, which is then no longer free, and counts as the process's own.
  const { availableBytes } = roomHere();
  const opened = createStore(options.mode, { ...options, capacity });
  const ran = await (opened.mode === "mmap"
    ? runTxpool(options, availableBytes, opened.store)
    : runTxpool(options, availableBytes, opened.store));
  // To count slots and ask the system takes memory: not where nobody reads it.
  const outcome: Outcome = { ...ran, store: quiet === true || json === true ? [] : describeStore(opened) };
  const measured = workloadJson("txpool", { ...options }, metricsOf(outcome), ran.load);
  writeWorkloadFile(measured);
  if (quiet === true) return shortfall(outcome) === undefined ? undefined : "";
  process.stdout.write(json === true ? measured : describe(outcome));
  return shortfall(outcome);
});
