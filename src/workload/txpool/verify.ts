/**
 * Verifies the signatures of a batch in worker threads, while the thread that changes the pool waits:
 *
 * - `off`: nothing; who is said to have sent a transaction has.
 * - `full`: the sender of every transaction is recovered. With the native curve that takes about 70 us of a core, where none is
 *   shared: 10,000 a second are 0.7 cores, for which the state change waits. In JavaScript it takes 1.7 ms and more.
 * - `pool`: every sender's first transaction and, while its signatures are right, each eighth one after it. That is no way to
 *   run a chain: a wrong signature in the name of a known sender passes seven times in eight. It is a middle to measure at:
 *   threads and waiting as in `full`, but towards an eighth of the work.
 */
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { GcspikeError } from "../../lib/errors.ts";
import type { Batch } from "./batch.ts";
import { KnownSenders } from "./known-senders.ts";
import { VerificationJob } from "./verification-job.ts";
import type { VerifierData } from "./verify-signatures.ts";
import { startWorker } from "./worker-program.ts";

export type Verify = "off" | "pool" | "full";

export interface VerifierOptions {
  readonly verify: Verify;
  readonly chainId: number;
}

export interface Verifier {
  /** "javascript" takes 20 to 50 times as long as "native". */
  readonly curve: "native" | "javascript";
  /** Signatures that were recovered so far. */
  readonly recovered: number;
  /**
   * Verifies what is in the batch, and returns when that is done. Bytes that are no transaction count as wrong.
   * @throws GcspikeError where a thread has failed
   */
  verify(): void;
  /** Of the batch that was verified last: transaction i was not signed by whom it names. */
  isWrong(i: number): boolean;
  close(): Promise<void>;
}

/** Threads wait for the thread that waits for them: all cores are theirs. More than these only wait for one another. */
const MAX_THREADS = 8;
/** 256 signatures take half a second in JavaScript. A thread that died under a waiting one can only be told by its silence. */
const TIMEOUT_MS = 30_000;

/**
 * Starts the threads for a batch, which is filled again and again, and waits until they can begin. null: `off`.
 * @throws GcspikeError where one fails
 */
export async function openVerifier(batch: Batch, { verify, chainId }: VerifierOptions): Promise<Verifier | null> {
  if (verify === "off") return null;
  const job = VerificationJob.over(batch);
  const data: VerifierData = { job: job.memory, chainId };
  const count = Math.min(MAX_THREADS, availableParallelism());
  const threads = Array.from({ length: count }, () => startWorker("verify-signatures", data));
  const ended = threads.map((thread) => new Promise<void>((resolve) => thread.once("exit", () => resolve())));
  for (const thread of threads) thread.once("exit", () => job.fail());
  const close = async (): Promise<void> => {
    for (const thread of threads) thread.ref();
    job.close();
    await Promise.all(ended);
  };
  try {
    const [curve = "javascript"] = await Promise.all(threads.map(curveOf));
    // Nothing waits for a program that ends without closing them.
    for (const thread of threads) thread.unref();
    return new WaitingVerifier(batch, job, curve, verify === "pool" ? new KnownSenders() : null, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** A thread that is ready says which curve it has. */
function curveOf(thread: Worker): Promise<Verifier["curve"]> {
  return new Promise((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("error", (cause) => reject(verifierError(String(cause), cause)));
    thread.once("exit", (code) => reject(verifierError(`one ended with code ${code}`)));
  });
}

class WaitingVerifier implements Verifier {
  readonly curve: Verifier["curve"];
  readonly close: () => Promise<void>;
  recovered = 0;
  readonly #batch: Batch;
  readonly #job: VerificationJob;
  readonly #known: KnownSenders | null;
  /** Which transactions of the batch are in the job. */
  readonly #checked: Uint8Array;

  constructor(
    batch: Batch,
    job: VerificationJob,
    curve: Verifier["curve"],
    known: KnownSenders | null,
    close: () => Promise<void>,
  ) {
    this.#batch = batch;
    this.#job = job;
    this.curve = curve;
    this.#known = known;
    this.close = close;
    this.#checked = new Uint8Array(batch.starts.length);
  }

  verify(): void {
    this.#choose();
    const end = this.#job.run(TIMEOUT_MS);
    if (end === "failed") throw verifierError("one has ended");
    if (end === "timed-out") throw verifierError("they have not answered for 30 s");
    this.#learn();
  }

  isWrong(i: number): boolean {
    return this.#job.isWrong(i);
  }

  #choose(): void {
    const { bytes, senders, count } = this.#batch;
    this.#job.clear();
    for (let i = 0; i < count; i++) {
      const isChecked = this.#known?.needsCheck(bytes, senders[i] ?? 0) ?? true;
      this.#checked[i] = isChecked ? 1 : 0;
      if (!isChecked) continue;
      this.#job.add(i);
      this.recovered++;
    }
  }

  #learn(): void {
    const { bytes, senders, count } = this.#batch;
    if (this.#known === null) return;
    for (let i = 0; i < count; i++) {
      if (this.#checked[i] === 1) this.#known.learn(bytes, senders[i] ?? 0, !this.#job.isWrong(i));
    }
  }
}

function verifierError(reason: string, cause?: unknown): GcspikeError {
  return new GcspikeError("verify", `The threads that verify signatures failed: ${reason}.`, {
    hint: "Run it again, or with --verify off.",
    cause,
  });
}
