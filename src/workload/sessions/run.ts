/** Requests on a schedule, each of which takes three objects and gives them up again: to a pool, or to the collector. */
import { PerformanceObserver, performance, type RecordableHistogram } from "node:perf_hooks";
import { SyncPool } from "../sync-pool.ts";
import type { SessionsOptions } from "./options.ts";
import { handle, OBJECTS_A_REQUEST, reset, SessionObject } from "./session.ts";

const IDLE_MS = 1;
/** How long the loop works before it lets the event loop turn, ms. */
const TURN_MS = 5;
/** How often the heap is looked at, ms. */
const SAMPLE_MS = 100;

export interface SessionsFigures {
  readonly elapsedMs: number;
  readonly requests: number;
  readonly untaken: number;
  /** From outside, before its time. */
  readonly isStopped: boolean;
  /** How late the last request was taken, ms. */
  readonly behindMs: number;
  readonly collections: number;
  /** Heap that was allocated, as far as samples 100 ms apart show it, bytes. */
  readonly grownBytes: number;
  /** Objects that the pool had, and that it had to make; null without a pool. */
  readonly pool: { readonly reused: number; readonly made: number } | null;
  readonly checksum: number;
}

export class SessionsRun {
  readonly #options: SessionsOptions;
  readonly #latency: RecordableHistogram;
  readonly #pool: SyncPool<SessionObject> | null;
  #startMs = 0;
  #requests = 0;
  #checksum = 0;
  #behindMs = 0;
  #collections = 0;
  #grownBytes = 0;
  #heapBytes = 0;
  #nextSampleMs = 0;
  #isStopped = false;

  /** `latency` is of microseconds. */
  constructor(options: SessionsOptions, latency: RecordableHistogram) {
    this.#options = options;
    this.#latency = latency;
    this.#pool = options.pool ? new SyncPool(1, () => new SessionObject()) : null;
  }

  stop(): void {
    this.#isStopped = true;
  }

  run(): Promise<SessionsFigures> {
    const observer = new PerformanceObserver((list) => {
      this.#collections += list.getEntries().length;
    });
    observer.observe({ entryTypes: ["gc"] });
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          const isLate = this.#turn();
          if (this.#isStopped || this.#clock() >= this.#options.durationMs + (isLate ? 1000 : 0)) {
            observer.disconnect();
            resolve(this.#figures());
          } else if (isLate) setImmediate(turn);
          else timer.refresh();
        } catch (error) {
          reject(error);
        }
      };
      this.#startMs = performance.now();
      this.#heapBytes = process.memoryUsage().heapUsed;
      const timer = setTimeout(turn, IDLE_MS);
    });
  }

  #clock(): number {
    return performance.now() - this.#startMs;
  }

  /** True: there is more to do at once. */
  #turn(): boolean {
    const { requestsPerSecond, durationMs } = this.#options;
    const begin = this.#clock();
    if (begin >= this.#nextSampleMs) this.#sample(begin);
    const perMs = requestsPerSecond / 1000;
    const all = Math.floor(durationMs * perMs);
    for (let now = begin; ; now = this.#clock()) {
      const due = Math.min(all, Math.floor(now * perMs));
      if (this.#requests >= due) return false;
      for (let n = 0; n < 100 && this.#requests < due; n++) this.#take(now, perMs);
      if (now - begin > TURN_MS) return true;
    }
  }

  #take(now: number, perMs: number): void {
    const serial = this.#requests++;
    this.#checksum ^= this.#pool === null ? handleFresh(serial) : handlePooled(this.#pool, serial);
    this.#behindMs = now - serial / perMs;
    this.#latency.record(Math.max(1, Math.round(this.#behindMs * 1000)));
  }

  #sample(now: number): void {
    const { heapUsed } = process.memoryUsage();
    this.#grownBytes += Math.max(0, heapUsed - this.#heapBytes);
    this.#heapBytes = heapUsed;
    this.#nextSampleMs = now + SAMPLE_MS;
  }

  #figures(): SessionsFigures {
    const elapsedMs = this.#clock();
    const due = Math.floor((this.#options.requestsPerSecond * Math.min(elapsedMs, this.#options.durationMs)) / 1000);
    return {
      elapsedMs,
      requests: this.#requests,
      untaken: Math.max(0, due - this.#requests),
      isStopped: this.#isStopped,
      behindMs: this.#behindMs,
      collections: this.#collections,
      grownBytes: this.#grownBytes,
      pool: this.#pool === null ? null : poolFigures(this.#pool, this.#requests),
      checksum: this.#checksum,
    };
  }
}

/** Requests in flight. Without it no object would leave its function, and the optimiser would make none. */
const inFlight: (SessionObject | null)[] = new Array(64).fill(null);

function handleFresh(serial: number): number {
  const response = new SessionObject();
  inFlight[serial & 63] = response;
  const checksum = handle(new SessionObject(), new SessionObject(), response, serial);
  inFlight[serial & 63] = null;
  return checksum;
}

function handlePooled(pool: SyncPool<SessionObject>, serial: number): number {
  const request = pool.get(0);
  const session = pool.get(0);
  const response = pool.get(0);
  inFlight[serial & 63] = response;
  const checksum = handle(request, session, response, serial);
  inFlight[serial & 63] = null;
  reset(request);
  reset(session);
  reset(response);
  pool.put(0, request);
  pool.put(0, session);
  pool.put(0, response);
  return checksum;
}

function poolFigures({ counters }: SyncPool<SessionObject>, requests: number): { reused: number; made: number } {
  return { reused: requests * OBJECTS_A_REQUEST - counters.made, made: counters.made };
}
