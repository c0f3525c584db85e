/** Go's sync.Pool, rule by rule. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SyncPool } from "../../../src/workload/sync-pool.ts";

/** Objects are numbers here: those that the pool makes count up from 1000. */
function pool(processors: number): SyncPool<number> {
  let made = 1000;
  return new SyncPool(processors, () => made++);
}

function put(into: SyncPool<number>, processor: number, ...objects: number[]): void {
  for (const object of objects) into.put(processor, object);
}

describe("one processor", () => {
  test("has a private place, and what is put after that comes back newest first", () => {
    const one = pool(1);
    put(one, 0, 1, 2, 3, 4);
    expect([one.get(0), one.get(0), one.get(0), one.get(0), one.get(0)]).toEqual([1, 4, 3, 2, 1000]);
    expect(one.counters).toEqual({ private: 1, shared: 3, stolen: 0, victim: 0, made: 1, put: 4 });
  });

  test("chains rings of 8, 16, ... and finds everything in them", () => {
    const one = pool(1);
    const objects = Array.from({ length: 200 }, (_, i) => i);
    put(one, 0, ...objects);
    const back = objects.map(() => one.get(0));
    expect(back[0]).toBe(0);
    expect(back.slice(1)).toEqual(objects.slice(1).reverse());
  });
});

describe("several processors", () => {
  test("steal the oldest shared object, never the private one", () => {
    const two = pool(2);
    put(two, 0, 1, 2, 3);
    expect([two.get(1), two.get(1), two.get(1)]).toEqual([2, 3, 1000]);
    expect(two.get(0)).toBe(1);
    expect(two.counters).toMatchObject({ stolen: 2, made: 1, private: 1 });
  });

  test("look at the one that follows them first", () => {
    const three = pool(3);
    put(three, 0, 1, 2);
    put(three, 2, 3, 4);
    expect(three.get(1)).toBe(4);
    expect(three.get(1)).toBe(2);
  });

  test("steal through rings that have run empty", () => {
    const two = pool(2);
    const objects = Array.from({ length: 100 }, (_, i) => i);
    put(two, 0, ...objects);
    expect(objects.slice(1).map(() => two.get(1))).toEqual(objects.slice(1));
  });
});

describe("collections", () => {
  test("the first makes victims of what is there, the second ends them", () => {
    const one = pool(1);
    put(one, 0, 1, 2, 3);
    one.collect();
    expect(one.get(0)).toBe(1);
    expect(one.counters.victim).toBe(1);
    one.collect();
    expect(one.get(0)).toBe(1000);
  });

  test("what was taken from the victims and put back lives on", () => {
    const one = pool(1);
    put(one, 0, 1);
    for (let i = 0; i < 5; i++) {
      one.collect();
      one.put(0, one.get(0));
    }
    expect(one.get(0)).toBe(1);
    expect(one.counters.made).toBe(0);
  });

  test("victims come after everybody's shared ones: one's own private one, then the oldest of all", () => {
    const two = pool(2);
    put(two, 0, 1, 2, 3);
    put(two, 1, 4, 5, 6);
    two.collect();
    put(two, 1, 7, 8);
    expect([two.get(0), two.get(0), two.get(0), two.get(0)]).toEqual([8, 1, 2, 3]);
    expect([two.get(0), two.get(0)]).toEqual([5, 6]);
  });

  test("once the victims were looked at in vain, another processor's private one is given up", () => {
    const two = pool(2);
    put(two, 1, 1);
    two.collect();
    expect(two.get(0)).toBe(1000);
    expect(two.get(1)).toBe(1001);
  });
});

test("no object is handed out twice, and none that has seen two collections", () => {
  const step = fc.oneof(
    { arbitrary: fc.record({ kind: fc.constantFrom("get", "put"), processor: fc.nat(2) }), weight: 10 },
    fc.constant({ kind: "collect", processor: 0 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      let made = 0;
      const three = new SyncPool(3, () => made++);
      /** In the pool: the number of collections when it was put. */
      const inside = new Map<number, number>();
      const outside: number[] = [];
      let collections = 0;
      for (const { kind, processor } of steps) {
        if (kind === "collect") {
          three.collect();
          collections++;
        } else if (kind === "put") {
          const object = outside.shift() ?? made++;
          inside.set(object, collections);
          three.put(processor, object);
        } else {
          const before = made;
          const object = three.get(processor);
          if (made === before) {
            expect(collections - (inside.get(object) ?? -10)).toBeLessThan(2);
            expect(inside.delete(object)).toBe(true);
          }
          outside.push(object);
        }
      }
      const { counters } = three;
      const gets = steps.filter(({ kind }) => kind === "get").length;
      expect(counters.private + counters.shared + counters.stolen + counters.victim + counters.made).toBe(gets);
    }),
  );
});
