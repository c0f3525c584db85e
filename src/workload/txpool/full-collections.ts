/**
 * Tells of full collections: an object that nothing refers to is registered, and its end reported. V8's scavenges keep objects
 * of a FinalizationRegistry, only a mark-compact ends them, and it costs one object a full collection. A PerformanceObserver
 * would make an entry for every scavenge as well, on the heap that is measured.
 *
 * The report comes when the event loop turns: several collections within one turn are reported as one.
 */
export class FullCollections {
  readonly #registry: FinalizationRegistry<undefined>;
  #isOver = false;

  constructor(report: () => void) {
    this.#registry = new FinalizationRegistry(() => {
      if (this.#isOver) return;
      report();
      this.#arm();
    });
    this.#arm();
  }

  stop(): void {
    this.#isOver = true;
  }

  #arm(): void {
    this.#registry.register({}, undefined);
  }
}
