/**
 * Go's sync.Pool (src/sync/pool.go, poolqueue.go), rule by rule: each processor has a private place for one object and a shared
 * chain, to which it pushes and from which it pops at the head, and from which others steal at the tail. A collection drops the
 * victims and makes what is there the victims: an object that nobody takes dies at the second one.
 *
 * JavaScript threads share no objects, so processors are logical here: parts of one isolate, that the caller numbers. What this
 * leaves out is what Go's code does for the sake of other threads (atomics, pinning); what it finds, and when, is the same.
 *
 * "A collection" is a full one: in Go there is no other. Call `collect` for each (see txpool/full-collections.ts).
 */

/** Go's first ring has 8 places, each further one twice as many, up to 2^30. */
const FIRST_RING = 8;
const LARGEST_RING = 2 ** 30;

/** A ring of fixed size: pushed and popped at the head, popped at the tail. */
class Ring<T> {
  readonly size: number;
  readonly #places: (T | undefined)[];
  #head = 0;
  #tail = 0;

  constructor(size: number) {
    this.size = size;
    this.#places = new Array<T | undefined>(size);
  }

  pushHead(object: T): boolean {
    if (this.#head - this.#tail === this.size) return false;
    this.#places[this.#head++ % this.size] = object;
    return true;
  }

  popHead(): T | undefined {
    return this.#head === this.#tail ? undefined : this.#take(--this.#head);
  }

  popTail(): T | undefined {
    return this.#head === this.#tail ? undefined : this.#take(this.#tail++);
  }

  #take(at: number): T | undefined {
    const object = this.#places[at % this.size];
    this.#places[at % this.size] = undefined;
    return object;
  }
}

/** Rings from the newest and largest (head) to the oldest (tail). */
class Chain<T> {
  readonly #rings: Ring<T>[] = [];

  pushHead(object: T): void {
    const head = this.#rings[0];
    if (head?.pushHead(object)) return;
    const ring = new Ring<T>(head === undefined ? FIRST_RING : Math.min(head.size * 2, LARGEST_RING));
    ring.pushHead(object);
    this.#rings.unshift(ring);
  }

  popHead(): T | undefined {
    for (const ring of this.#rings) {
      const object = ring.popHead();
      if (object !== undefined) return object;
    }
    return undefined;
  }

  /** Drops rings that are empty, but never the one that is pushed to. */
  popTail(): T | undefined {
    for (;;) {
      const object = this.#rings.at(-1)?.popTail();
      if (object !== undefined || this.#rings.length <= 1) return object;
      this.#rings.pop();
    }
  }
}

class Processor<T> {
  private: T | undefined = undefined;
  readonly shared = new Chain<T>();
}

/** Where objects came from, and how many were put back. */
class SyncPoolCounters {
  private = 0;
  shared = 0;
  stolen = 0;
  victim = 0;
  /** Nothing was there: made anew. */
  made = 0;
  put = 0;
}

export class SyncPool<T> {
  readonly counters = new SyncPoolCounters();
  readonly #make: () => T;
  readonly #count: number;
  #local: Processor<T>[];
  #victims: Processor<T>[] = [];

  constructor(processors: number, make: () => T) {
    this.#make = make;
    this.#count = processors;
    this.#local = this.#fresh();
  }

  get(processor: number): T {
    const local = this.#local[processor] as Processor<T>;
    const own = local.private;
    local.private = undefined;
    if (own !== undefined) return this.#counted("private", own);
    const shared = local.shared.popHead();
    if (shared !== undefined) return this.#counted("shared", shared);
    return this.#slowly(processor);
  }

  put(processor: number, object: T): void {
    this.counters.put++;
    const local = this.#local[processor] as Processor<T>;
    if (local.private === undefined) local.private = object;
    else local.shared.pushHead(object);
  }

  /** At each full collection. */
  collect(): void {
    this.#victims = this.#local;
    this.#local = this.#fresh();
  }

  /** From the other processors, then from the victims: one's own private one, then everybody's shared ones. */
  #slowly(processor: number): T {
    for (let i = 1; i <= this.#count; i++) {
      const object = this.#local[(processor + i) % this.#count]?.shared.popTail();
      if (object !== undefined) return this.#counted("stolen", object);
    }
    const victim = this.#fromVictims(processor);
    if (victim !== undefined) return this.#counted("victim", victim);
    this.counters.made++;
    return this.#make();
  }

  #fromVictims(processor: number): T | undefined {
    const own = this.#victims[processor];
    if (own === undefined) return undefined;
    const object = own.private;
    own.private = undefined;
    if (object !== undefined) return object;
    for (let i = 0; i < this.#count; i++) {
      const shared = this.#victims[(processor + i) % this.#count]?.shared.popTail();
      if (shared !== undefined) return shared;
    }
    // Nobody need look there again before the next collection. A private object of another processor is given up with it.
    this.#victims = [];
    return undefined;
  }

  #counted(from: "private" | "shared" | "stolen" | "victim", object: T): T {
    this.counters[from]++;
    return object;
  }

  #fresh(): Processor<T>[] {
    return Array.from({ length: this.#count }, () => new Processor<T>());
  }
}
