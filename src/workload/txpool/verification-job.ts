/**
 * One batch's signatures, shared between the thread that waits for them and those that recover them. Whoever is free takes the
 * next transaction; the last one that is done wakes the waiting thread.
 */
import { Batch, type BatchMemory } from "./batch.ts";

/** Places in `control`. */
const GENERATION = 0;
/** How many nobody has taken yet; below 0 where threads asked in vain. */
const LEFT = 1;
const DONE = 2;
const COUNT = 3;
const CLOSED = 4;
const FAILED = 5;
const CONTROL_WORDS = 6;

export interface JobMemory {
  readonly batch: BatchMemory;
  readonly control: SharedArrayBuffer;
  /** Which transactions of the batch. */
  readonly indices: SharedArrayBuffer;
  /** A byte for each transaction of the batch: 1 where the sender is not the one that was told. */
  readonly wrong: SharedArrayBuffer;
}

export type JobEnd = "done" | "failed" | "timed-out";

export class VerificationJob {
  readonly batch: Batch;
  readonly memory: JobMemory;
  readonly #control: Int32Array;
  readonly #indices: Int32Array;
  readonly #wrong: Uint8Array;
  #count = 0;

  constructor(memory: JobMemory) {
    this.memory = memory;
    this.batch = new Batch(memory.batch);
    this.#control = new Int32Array(memory.control);
    this.#indices = new Int32Array(memory.indices);
    this.#wrong = new Uint8Array(memory.wrong);
  }

  static over({ memory, starts }: Batch): VerificationJob {
    return new VerificationJob({
      batch: memory,
      control: new SharedArrayBuffer(CONTROL_WORDS * Int32Array.BYTES_PER_ELEMENT),
      indices: new SharedArrayBuffer(starts.byteLength),
      wrong: new SharedArrayBuffer(starts.length),
    });
  }

  /** By the waiting thread: a new job, of nothing yet. */
  clear(): void {
    this.#count = 0;
    this.#wrong.fill(0);
  }

  /** By the waiting thread. */
  add(index: number): void {
    this.#indices[this.#count++] = index;
  }

  /** By the waiting thread: gives the job out and waits for its end. */
  run(timeoutMs: number): JobEnd {
    const control = this.#control;
    if (this.#count === 0) return "done";
    Atomics.store(control, DONE, 0);
    Atomics.store(control, COUNT, this.#count);
    // From here on also a thread that is late from the job before may take from this one.
    Atomics.store(control, LEFT, this.#count);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    for (let done = 0; done < this.#count; done = Atomics.load(control, DONE)) {
      if (Atomics.load(control, FAILED) === 1) return "failed";
      if (Atomics.wait(control, DONE, done, timeoutMs) === "timed-out") return "timed-out";
    }
    return "done";
  }

  isWrong(index: number): boolean {
    return this.#wrong[index] === 1;
  }

  /** By the waiting thread: the others shall end. */
  close(): void {
    Atomics.store(this.#control, CLOSED, 1);
    Atomics.add(this.#control, GENERATION, 1);
    Atomics.notify(this.#control, GENERATION);
  }

  /** By the other threads: `isRight` for whatever comes, until the job is closed. */
  serve(isRight: (batch: Batch, index: number) => boolean): void {
    const control = this.#control;
    try {
      while (Atomics.load(control, CLOSED) === 0) {
        const generation = Atomics.load(control, GENERATION);
        for (let left = this.#take(); left >= 0; left = this.#take()) {
          const index = this.#indices[left] ?? 0;
          this.#wrong[index] = isRight(this.batch, index) ? 0 : 1;
          const done = Atomics.add(control, DONE, 1) + 1;
          if (done === Atomics.load(control, COUNT)) Atomics.notify(control, DONE);
        }
        if (Atomics.load(control, CLOSED) === 0) Atomics.wait(control, GENERATION, generation);
      }
    } catch (error) {
      this.fail();
      throw error;
    }
  }

  /** A thread is gone: this job and all later ones fail. */
  fail(): void {
    Atomics.store(this.#control, FAILED, 1);
    Atomics.notify(this.#control, DONE);
  }

  #take(): number {
    return Atomics.sub(this.#control, LEFT, 1) - 1;
  }
}
