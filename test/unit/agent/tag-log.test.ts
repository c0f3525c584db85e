import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MOST_NAMES, OTHER_TAGS, TagLog } from "../../../src/agent/tag-log.ts";
import { clockAt } from "../../../src/recording/columns.ts";
import { decodeTags } from "../../../src/recording/decode-tags.ts";
import { openLog } from "../../../src/recording/log-reader.ts";
import { encodeLog } from "../../../src/recording/log-writer.ts";
import type { TagColumns } from "../../../src/recording/model.ts";
import { LogKind, MAX_LOG_BYTES, MAX_TAG_NAMES, TAG_SOURCES } from "../../../src/recording/spec.ts";
import { START_NS } from "../../support/recording-folder.ts";

const TAG = TAG_SOURCES.indexOf("tag");
const MARK = TAG_SOURCES.indexOf("mark");
const HTTP = TAG_SOURCES.indexOf("http");

/** A log over a clock that the test sets, and what a reader finds in it. */
class Fake {
  nowMs = 0;
  readonly records: Buffer[] = [];
  bytes = 0;
  room = Number.POSITIVE_INFINITY;
  keeps = true;
  readonly log = new TagLog(
    (record) => {
      if (record.length > this.room) return false;
      if (this.keeps) this.records.push(Buffer.from(record));
      this.bytes += record.length;
      this.room -= record.length;
      return true;
    },
    () => this.nowMs,
    Number(START_NS),
  );

  read(): TagColumns {
    const folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
    try {
      const path = join(folder, "1-0.tags");
      const header = { kind: LogKind.tags, recordBytes: 0, pid: 1, threadId: 0, startNs: START_NS };
      writeFileSync(path, encodeLog(header, this.records));
      const { log } = openLog(path, LogKind.tags);
      if (log === null) throw new Error("no log");
      const { tags, warnings } = decodeTags(log, clockAt(START_NS));
      expect(warnings).toEqual([]);
      return tags;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

function weights(tags: TagColumns): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (let i = 0; i < tags.count; i++) {
    const name = `${TAG_SOURCES[tags.source[i] ?? -1]} ${tags.names[tags.name[i] ?? -1]}`;
    sums.set(name, (sums.get(name) ?? 0) + (tags.weight[i] ?? 0));
  }
  return sums;
}

describe("the log of tags", () => {
  test("has each tag of a quiet program, with its times", () => {
    const fake = new Fake();
    fake.nowMs = 10;
    fake.log.moment(TAG, "a");
    const request = fake.log.begin(HTTP, "GET /:id");
    const open = fake.log.begin(HTTP, "GET /:id");
    fake.nowMs = 30;
    fake.log.span(MARK, "past", 4, 5);
    fake.log.span(MARK, "future", 400, 0);
    fake.log.end(HTTP, request, "GET /:name");
    expect(open).toBe(request + 1);
    const tags = fake.read();
    const found = Array.from({ length: tags.count }, (_, i) => [
      tags.names[tags.name[i] ?? -1],
      tags.timeMs[i],
      tags.durationMs[i],
      tags.weight[i],
    ]);
    expect(found).toEqual([
      ["past", 4, 5, 1],
      ["a", 10, 0, 1],
      ["GET /:name", 10, 20, 1],
      ["GET /:id", 10, Number.NaN, 1],
      // Never later than now.
      ["future", 30, 0, 1],
    ]);
  });

  test("counts every tag however many there are, within a step; rare names exactly", () => {
    const burst = fc.record({
      stepMs: fc.constantFrom(0.001, 0.05, 1, 30),
      count: fc.integer({ min: 1, max: 4000 }),
      names: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(burst, { minLength: 1, maxLength: 4 }), (bursts) => {
        const fake = new Fake();
        const counts = new Map<string, number>();
        let rare = 0;
        for (const { stepMs, count, names } of bursts) {
          for (let i = 0; i < count; i++) {
            fake.nowMs += stepMs;
            const name = `n${i % names}`;
            fake.log.moment(TAG, name);
            counts.set(`tag ${name}`, (counts.get(`tag ${name}`) ?? 0) + 1);
          }
          fake.log.moment(TAG, "rare");
          rare++;
        }
        const sums = weights(fake.read());
        expect(sums.get("tag rare")).toBe(rare);
        let lost = 0;
        for (const [name, count] of counts) {
          expect(sums.get(name) ?? 0).toBeLessThanOrEqual(count);
          lost += count - (sums.get(name) ?? 0);
        }
        const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
        // Each name may lack one less than the last of its steps.
        expect(lost).toBeLessThanOrEqual(counts.size * Math.max(1, all / 10));
      }),
      { numRuns: 40 },
    );
  });

  test("is some thousand records a second, however many tags and names", () => {
    const fake = new Fake();
    for (let i = 0; i < 500_000; i++) {
      fake.nowMs += 0.002;
      fake.log.moment(TAG, `n${i % 900}`);
    }
    expect(fake.records.length / (fake.nowMs / 1000)).toBeLessThan(6000);
    const one = new Fake();
    for (let i = 0; i < 500_000; i++) {
      one.nowMs += 0.002;
      one.log.moment(TAG, "hot");
    }
    expect(one.records.length / (one.nowMs / 1000)).toBeLessThan(4000);
    const sum = weights(one.read()).get("tag hot") ?? 0;
    expect(sum).toBeGreaterThan(500_000 * 0.95);
    expect(sum).toBeLessThanOrEqual(500_000);
  });

  test("keeps the sources of one name apart", () => {
    const fake = new Fake();
    for (const source of [TAG, MARK, TAG]) fake.log.moment(source, "same");
    expect(weights(fake.read())).toEqual(
      new Map([
        ["tag same", 2],
        ["mark same", 1],
      ]),
    );
    expect(fake.read().names).toEqual(["same"]);
  });

  test("has a bounded number of names of bounded length, and then others; no source takes those of another", () => {
    const fake = new Fake();
    const each = MAX_TAG_NAMES;
    for (let i = 0; i < each; i++) {
      fake.nowMs += 50;
      fake.log.moment(TAG, `${"x".repeat(i === 5 ? 100_000 : 0)}${i}`);
    }
    fake.log.moment(TAG, "x".repeat(300));
    for (const source of [MARK, HTTP]) fake.log.moment(source, "late");
    fake.log.end(HTTP, fake.log.begin(HTTP, "a"), "b");
    const tags = fake.read();
    expect(tags.count).toBe(each + 4);
    expect(tags.names).toHaveLength(MOST_NAMES + 4);
    expect(tags.names[5]).toBe("x".repeat(200));
    const sums = weights(tags);
    expect(sums.get(`tag ${OTHER_TAGS}`)).toBe(each - MOST_NAMES);
    expect(sums.get(`tag ${"x".repeat(200)}`)).toBe(2);
    for (const name of ["mark late", "http late", "http b"]) expect(sums.get(name)).toBe(1);
  });

  test("gets fewer records as its file fills, and never more than it may hold", () => {
    const fake = new Fake();
    fake.keeps = false;
    const day = 86_400_000;
    const most = MAX_LOG_BYTES[LogKind.tags];
    const reached: number[] = [];
    // Twenty names, each a hundred times a second, for hours: the clock goes in steps of a window.
    for (let hour = 1; hour <= 3; hour++) {
      for (; fake.nowMs < (hour * day) / 24; fake.nowMs += 100) {
        for (let i = 0; i < 100; i++) fake.log.moment(TAG, `n${i % 20}`);
      }
      reached.push(fake.bytes);
    }
    const [first = 0, second = 0, third = 0] = reached;
    expect(third).toBeLessThan(most);
    expect(third - second).toBeGreaterThan(0);
    expect(third - second).toBeLessThan(second - first);
  });

  test("without room has what fits, and numbers the ends by what is written", () => {
    const fake = new Fake();
    fake.log.begin(HTTP, "a");
    fake.room = 0;
    expect(fake.log.begin(HTTP, "a")).toBe(-1);
    expect(fake.log.begin(HTTP, "new")).toBe(-1);
    fake.room = 1000;
    const last = fake.log.begin(HTTP, "new");
    fake.nowMs = 7;
    fake.log.end(HTTP, last, null);
    const tags = fake.read();
    expect(tags.names).toEqual(["a", "new"]);
    expect([...tags.durationMs]).toEqual([Number.NaN, 7]);
  });
});
