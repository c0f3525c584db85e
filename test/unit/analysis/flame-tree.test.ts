import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FlameTree, flameTree, MAX_DEPTH, OTHER, ROOT } from "../../../src/analysis/flame-tree.ts";

/** "12 main 12 (parse 10 other 2)": a call, its own bytes where it has some, and what it called. */
function told({ frame, total, self, children }: FlameTree): string {
  const name = frame === ROOT ? "root" : frame === OTHER ? "other" : `f${frame}`;
  const own = self > 0 && children.length > 0 ? `, ${self} itself` : "";
  return `${name} ${total}${own}${children.length > 0 ? ` (${children.map(told).join(" ")})` : ""}`;
}

function nodesOf(tree: FlameTree): readonly FlameTree[] {
  return [tree, ...tree.children.flatMap(nodesOf)];
}

const stack = (frames: readonly number[], bytes: number) => ({ frames, bytes });
const STACKS = [stack([0, 1], 10), stack([0, 2], 30), stack([0], 5), stack([3, 1], 8), stack([0, 1, 4], 1)];

test("bytes are those of a call and all below it, callees by size", () => {
  expect(told(flameTree(STACKS))).toBe("root 54 (f0 46, 5 itself (f2 30 f1 11, 10 itself (f4 1)) f3 8 (f1 8))");
});

test("what a call called and is too small for the tree is one other", () => {
  expect(told(flameTree(STACKS, { mostNodes: 5 }))).toBe("root 54 (f0 46, 5 itself (f2 30 other 11) other 8)");
  expect(told(flameTree(STACKS, { mostNodes: 2 }))).toBe("root 54 (other 54)");
});

test("an other that would stand for one call without callees gives its place to it", () => {
  expect(told(flameTree([stack([0], 2), stack([1], 1)], { mostNodes: 3 }))).toBe("root 3 (f0 2 f1 1)");
});

test("stacks without bytes, or with more than a number can count, are none", () => {
  const odd = [0, -5, 0.4, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60].map((bytes) => stack([1], bytes));
  expect(told(flameTree([...odd, stack([2], 3)]))).toBe("root 3 (f2 3)");
  expect(told(flameTree([]))).toBe("root 0");
});

test("what is deeper than the tree counts for its last call", () => {
  const deep = Array.from({ length: MAX_DEPTH + 50 }, (_, i) => i);
  const nodes = nodesOf(flameTree([stack(deep, 7), stack(deep.slice(0, MAX_DEPTH + 1), 2)]));
  expect(nodes.length).toBe(MAX_DEPTH + 1);
  expect(nodes.at(-1)).toMatchObject({ frame: MAX_DEPTH - 1, total: 9, self: 9 });
});

test("an inlined call is the call of the function, and says for how many bytes it was inlined", () => {
  const inlinedOf = (frame: number) => (frame === 9 ? 1 : undefined);
  const tree = flameTree([stack([0, 1], 10), stack([0, 9], 30), stack([9, 2], 4)], { inlinedOf });
  expect(told(tree)).toBe("root 44 (f0 40 (f1 40) f1 4 (f2 4))");
  expect(nodesOf(tree).map(({ inlined }) => inlined)).toEqual([0, 0, 30, 4, 0]);
});

describe("of any stacks", () => {
  const anyStacks = fc.array(
    fc.record({
      frames: fc.array(fc.nat(6), { maxLength: 8 }),
      bytes: fc.oneof(fc.nat(1000), fc.double({ min: 0, max: 1e9, noNaN: true })),
    }),
    { maxLength: 60 },
  );
  const most = fc.integer({ min: 2, max: 40 });
  const inlinedOf = (frame: number) => (frame === 3 ? 1 : undefined);
  const options = fc.record({ mostNodes: most, inlinedOf: fc.constant(inlinedOf) }, { requiredKeys: [] });

  test("bytes add up, in the whole tree and in what is left of it", () => {
    fc.assert(
      fc.property(anyStacks, options, (stacks, options) => {
        const tree = flameTree(stacks, options);
        expect(tree.total).toBe(stacks.reduce((sum, { bytes }) => sum + Math.round(bytes), 0));
        for (const { total, self, inlined, children } of nodesOf(tree)) {
          expect(children.reduce((sum, child) => sum + child.total, self)).toBe(total);
          expect(self).toBeGreaterThanOrEqual(0);
          expect(inlined).toBeLessThanOrEqual(total);
        }
      }),
    );
  });

  test("their order makes no difference", () => {
    const shuffled = anyStacks.chain((stacks) =>
      fc.tuple(fc.constant(stacks), fc.shuffledSubarray(stacks, { minLength: stacks.length })),
    );
    fc.assert(
      fc.property(shuffled, options, ([stacks, others], options) => {
        expect(flameTree(others, options)).toEqual(flameTree(stacks, options));
      }),
    );
  });

  test("the tree has no more nodes than it may, its calls have the bytes of the whole tree, and none left out is larger", () => {
    const byPath = (tree: FlameTree, path = ""): readonly (readonly [string, number])[] => [
      [path, tree.total],
      ...tree.children.flatMap((child) => (child.frame === OTHER ? [] : byPath(child, `${path}/${child.frame}`))),
    ];
    fc.assert(
      fc.property(anyStacks, most, (stacks, mostNodes) => {
        const tree = flameTree(stacks, { mostNodes });
        expect(nodesOf(tree).length).toBeLessThanOrEqual(mostNodes);
        const whole = new Map(byPath(flameTree(stacks)));
        const kept = new Map(byPath(tree));
        for (const [path, total] of kept) expect(total).toBe(whole.get(path));
        const smallest = Math.min(...kept.values());
        for (const [path, total] of whole) if (!kept.has(path)) expect(total).toBeLessThanOrEqual(smallest);
        if (nodesOf(flameTree(stacks)).length <= mostNodes) expect(kept.size).toBe(whole.size);
      }),
    );
  });
});
