/** A worker thread that recovers the senders of a batch's transactions. `verify.ts` starts it. */
import { parentPort, workerData } from "node:worker_threads";
import type { Batch } from "./batch.ts";
import { emptyDecodedTransaction, TransactionDecoder } from "./decode.ts";
import { SenderRecovery } from "./recover.ts";
import { loadCurve } from "./secp256k1.ts";
import { ADDRESS_BYTES } from "./transaction.ts";
import { type JobMemory, VerificationJob } from "./verification-job.ts";

/** What `verify.ts` gives to this thread. */
export interface VerifierData {
  readonly job: JobMemory;
  readonly chainId: number;
}

const { job, chainId }: VerifierData = workerData;
const curve = loadCurve();
const decoder = new TransactionDecoder(chainId);
const recovery = new SenderRecovery(curve);
const transaction = emptyDecodedTransaction();

function isRight({ bytes, starts, ends, senders }: Batch, index: number): boolean {
  if (decoder.decode(bytes, starts[index] ?? 0, ends[index] ?? 0, transaction) !== null) return false;
  if (!recovery.recover(transaction)) return false;
  const { sender } = transaction;
  const told = senders[index] ?? 0;
  for (let i = 0; i < ADDRESS_BYTES; i++) if (sender[i] !== bytes[told + i]) return false;
  return true;
}

parentPort?.postMessage(curve.name);
new VerificationJob(job).serve(isRight);
