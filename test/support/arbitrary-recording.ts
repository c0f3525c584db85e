/** Recordings that fast-check makes up: everything in them is possible, and nothing is damaged. */
import fc from "fast-check";
import type { GcRecordFields } from "../../src/recording/gc-log-writer.ts";
import type { AllocWindowFields, PhaseRecordFields } from "../../src/recording/log-writer.ts";
import { TAG_SOURCES } from "../../src/recording/spec.ts";
import { atMs, type IsolateFolder, PID, type TagFields } from "./recording-folder.ts";

export const SPACES: readonly string[] = ["new_space", "old_space", "large_object_space"];
const PHASE_NAMES: readonly string[] = ["MinorGC", "MajorGC", "V8.GC_MC_INCREMENTAL", "allocation failure"];

const size = fc.integer({ min: 0, max: 2 ** 40 });
const spaceSize = fc.integer({ min: 0, max: 2 ** 31 }).map((units) => units * 8);
const ns = (max: number) => fc.integer({ min: 0, max }).map(BigInt);
const count = fc.nat(1_000_000);

const space = fc.record({
  usedBefore: spaceSize,
  usedAfter: spaceSize,
  committedBefore: spaceSize,
  committedAfter: spaceSize,
});
const heap = fc.record({
  usedBefore: size,
  usedAfter: size,
  committedBefore: size,
  committedAfter: size,
  externalBefore: size,
  externalAfter: size,
  mallocedBefore: size,
  mallocedAfter: size,
  heapLimit: size,
});
const scheduling = fc.record({
  minorFaults: count,
  majorFaults: count,
  voluntarySwitches: count,
  involuntarySwitches: count,
});

interface PauseDraft {
  readonly gapNs: number;
  readonly lengthNs: number;
  readonly rest: Omit<GcRecordFields, "startNs" | "endNs">;
}

const pauseDraft: fc.Arbitrary<PauseDraft> = fc.record({
  gapNs: fc.integer({ min: 0, max: 50_000_000 }),
  lengthNs: fc.integer({ min: 1, max: 20_000_000 }),
  rest: fc.record(
    {
      kind: fc.constantFrom(1, 2, 4, 8, 16),
      flags: fc.nat(127),
      cpuNs: ns(20_000_000),
      runQueueNs: ns(20_000_000),
      scheduling,
      process: fc.record({
        cpuNs: ns(80_000_000),
        minorFaults: count,
        majorFaults: count,
        kernelNs: ns(40_000_000),
        threadKernelNs: ns(20_000_000),
      }),
      heap,
      arrayBufferBytes: size,
      probeNs: fc.nat(100_000),
      stack: fc.array(fc.integer({ min: 1, max: 9 }).map(BigInt), { maxLength: 16 }),
      spaces: fc.array(space, { minLength: SPACES.length, maxLength: SPACES.length }),
    },
    { requiredKeys: ["kind"] },
  ),
});

/** Pauses in order of time, none inside another. */
const arbitraryPauses: fc.Arbitrary<readonly GcRecordFields[]> = fc
  .array(pauseDraft, { maxLength: 12 })
  .map((drafts) => {
    let now = atMs(5);
    return drafts.map(({ gapNs, lengthNs, rest }) => {
      const startNs = now + BigInt(gapNs);
      now = startNs + BigInt(lengthNs);
      return { ...rest, startNs, endNs: now };
    });
  });

/** Spans as V8 nests them, written when they end. */
const arbitraryPhases: fc.Arbitrary<readonly PhaseRecordFields[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(2), fc.boolean()), { maxLength: 10 })
  .map((groups) =>
    groups.flatMap(([levels, name, hasReason], group) => {
      const start = atMs(group * 30);
      return Array.from({ length: levels }, (_, inner): PhaseRecordFields => {
        const depth = levels - 1 - inner;
        return {
          startNs: start + BigInt(depth * 1000),
          durationNs: BigInt(10_000_000 - depth * 2000),
          name,
          reason: hasReason && depth === 0 ? 3 : null,
          depth,
          usedAfter: 0n,
        };
      });
    }),
  );

const STRINGS: readonly string[] = ["(root)", "", "serve", "hydrate", "/app/server.js", "node:internal/timers"];

/** Windows of a second each; nodes come after the node that called them. */
const arbitraryWindows: fc.Arbitrary<readonly AllocWindowFields[]> = fc
  .array(
    fc.record({
      nodes: fc.array(
        fc.record({ parent: fc.nat(20), function: fc.nat(3), script: fc.constantFrom(1, 4, 5), line: fc.nat(500) }),
        { minLength: 1, maxLength: 8 },
      ),
      entries: fc.array(fc.record({ node: fc.nat(7), count: fc.nat(100_000), objectBytes: fc.nat(10_000) }), {
        maxLength: 8,
      }),
      truncated: fc.boolean(),
    }),
    { maxLength: 5 },
  )
  .map((windows) =>
    windows.map(({ nodes, entries, truncated }, index) => ({
      startNs: atMs(index * 1000),
      endNs: atMs(index * 1000 + 1000),
      intervalBytes: 524_288n,
      truncated,
      nodes: nodes.map((node, place) => ({
        ...node,
        parent: node.parent < place ? node.parent : null,
        column: 1,
      })),
      entries: entries.filter(({ node }) => node < nodes.length),
    })),
  );

const TAG_NAMES: readonly string[] = ["GET /orders/:id", "", "checkout \u001b[31m", "\u00e9\ud83d\ude00".repeat(60)];

/** Moments, spans, and what ends later, under another name or never; times in whole microseconds, which a double holds. */
const arbitraryTags: fc.Arbitrary<readonly TagFields[]> = fc.array(
  fc
    .record({
      startUs: fc.nat(9_000_000),
      lengthUs: fc.nat(5_000_000),
      how: fc.constantFrom("moment", "span", "ended", "renamed", "open"),
      name: fc.nat(TAG_NAMES.length - 1),
      source: fc.constantFrom(...TAG_SOURCES),
      weight: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    })
    .map(({ startUs, lengthUs, how, name, source, weight }): TagFields => {
      const startNs = atMs(0) + BigInt(startUs) * 1000n;
      const endNs = startNs + BigInt(lengthUs) * 1000n;
      const tag = { startNs, name, source, weight };
      if (how === "moment") return tag;
      if (how === "span") return { ...tag, durationNs: lengthUs * 1000 };
      if (how === "open") return { ...tag, endNs: null };
      return how === "ended" ? { ...tag, endNs } : { ...tag, endNs, endName: TAG_NAMES.length - 1 - name };
    }),
  { maxLength: 12 },
);

/** One isolate with all its logs. */
export const arbitraryIsolate: fc.Arbitrary<IsolateFolder> = fc.record({
  id: fc.constant(`${PID}-0`),
  spaces: fc.constant(SPACES),
  gc: arbitraryPauses,
  heap: fc.array(
    fc.nat(9000).map((ms) => ({
      timeNs: atMs(ms),
      used: 80_000_000n,
      committed: 90_000_000n,
      limit: 2_000_000_000n,
      external: 5_000_000n,
      malloced: 1_000_000n,
      arrayBuffers: null,
      spaces: SPACES.map(() => ({ used: 800, committed: 1600 })),
    })),
    { maxLength: 4 },
  ),
  loop: fc.array(
    fc.nat(9000).map((ms) => ({ timeNs: atMs(ms), idleNs: BigInt(ms) * 400_000n, maxBusyNs: 8_000_000n, cpuNs: 5n })),
    { maxLength: 4 },
  ),
  phaseNames: fc.constant(PHASE_NAMES),
  phases: arbitraryPhases,
  functions: fc.array(
    fc.record({
      name: fc.constantFrom("", "serve", "hydrateSession"),
      script: fc.constantFrom("", "/app/server.js", "file:///app/cart.mjs", "node:fs"),
      position: fc.option(fc.nat(100_000)),
    }),
    { maxLength: 8 },
  ),
  strings: fc.constant(STRINGS),
  windows: arbitraryWindows,
  tagNames: fc.constant(TAG_NAMES),
  tags: arbitraryTags,
});
