import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelOf, MOST_NEW, StorageLabels } from "../../../src/agent/labels.ts";

describe("the label of a text", () => {
  test.each([
    ["checkout", "checkout"],
    ["nightly import", "nightly import"],
    ["GET /users/12/orders?page=2", "GET /users/:id/orders"],
    ["/blog/[slug]", "/blog/[slug]"],
    ["/users/:user", "/users/:user"],
    ["order:4711", "order:id"],
    ["job #4711 (retry)", "job :id (retry)"],
    ["tenant=acme", "tenant=acme"],
    ["Bestellung prüfen", "Bestellung prüfen"],
    ["夜间任务", "夜间任务"],
    ["v1", "v1"],
    ["550e8400-e29b-41d4-a716-446655440000", null],
    ["deadbeef", null],
    ["4711", null],
    ["", null],
    ["?token=secret", null],
    ["ann@example.org", null],
    ["/ / :", null],
    ["one two three four five six seven eight nine", null],
    ["word ".repeat(30), null],
    [`x${"y".repeat(32)}`, null],
    ["line\nbreak \u001b[31m", ":id :id[31m"],
  ])("%s is %s", (text, label) => {
    expect(labelOf(text)).toBe(label);
  });

  test("holds no number of three digits, nothing behind a question mark, and is not long", () => {
    const part = fc.oneof(
      fc.nat().map(String),
      fc.uuid(),
      fc.string({ unit: "binary" }),
      fc.constantFrom("users", "v1", "?x=1", ":id", "\ud800"),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.constantFrom(" ", "/", ":"), (parts, between) => {
        const label = labelOf(parts.join(between));
        if (label === null) return;
        expect(label).not.toMatch(/\d{3}|[?@\p{Cc}]/u);
        expect(label.length).toBeLessThan(200);
        expect(labelOf(label)).toBe(label);
      }),
    );
  });
});

/** How often each label was admitted. */
function admitted(labels: StorageLabels, sequence: readonly (string | null)[]): ReadonlyMap<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const label of sequence) if (labels.admits(label)) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

describe("the labels of a storage", () => {
  test("that are few are all admitted, each time", () => {
    const few = fc.array(fc.constantFrom(...Array.from({ length: MOST_NEW }, (_, i) => `label ${i}`)), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(few, (sequence) => {
        const counts = [...admitted(new StorageLabels(), sequence).values()];
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(sequence.length);
      }),
    );
  });

  test("are those of their texts, known ones too", () => {
    const labels = new StorageLabels();
    for (let i = 0; i < 3; i++) {
      expect(labels.labelOf(`GET /users/${i}`)).toBe("GET /users/:id");
      expect(labels.labelOf("checkout")).toBe("checkout");
      expect(labels.labelOf("4711")).toBeNull();
      labels.admits("checkout");
      labels.admits("GET /users/:id");
    }
  });

  test("that do not come back are ids: at most sixteen are admitted, and then nobody looks any more", () => {
    for (const times of [1, 2, 5]) {
      const labels = new StorageLabels();
      const ids = Array.from({ length: 2000 * times }, (_, i) => `id ${Math.floor(i / times)}`);
      expect(admitted(labels, ids).size).toBe(MOST_NEW);
      expect(labels.areLikely).toBe(false);
      expect(labels.admits("id 0")).toBe(false);
    }
  });

  test("that are many and come back are admitted in the end", () => {
    const labels = new StorageLabels();
    const tenants = Array.from({ length: 20_000 }, (_, i) => `tenant ${(i * 7919) % 300}`);
    const counts = admitted(labels, tenants);
    expect(counts.size).toBe(300);
    expect(labels.areLikely).toBe(true);
    expect(counts.get("tenant 0")).toBe(Math.ceil(20_000 / 300));
  });

  test("that are none are looked for a hundred times; one among them is enough to go on", () => {
    const none = new StorageLabels();
    const seldom = new StorageLabels();
    seldom.admits("label");
    for (let i = 0; i < 99; i++) none.admits(null);
    expect(none.areLikely).toBe(true);
    for (let i = 0; i < 200; i++) for (const labels of [none, seldom]) labels.admits(null);
    expect(none.areLikely).toBe(false);
    expect(seldom.areLikely).toBe(true);
    expect(seldom.admits("label")).toBe(true);
  });
});
