import { expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import type { FlameTree } from "../../../src/analysis/flame-tree.ts";
import { MOST_FLAMED, spikeFlames } from "../../../src/analysis/spike-flames.ts";
import type { IsolateData, Recording } from "../../../src/recording/model.ts";
import { allocations, isolate, recording, samples } from "../../support/timeline.ts";

const MIB = 1024 ** 2;
const SPIKE_MS = 10;
const from = (name: string): string => `main@src/main.js:1 > ${name}@src/${name}.js:7`;

const flamesOf = (told: Recording) => spikeFlames(told, analyse(told, { spikeMs: SPIKE_MS }).spikes, SPIKE_MS);

/** "main (keep 10)": names from the root on, with MiB at the leaves. */
function told(frames: readonly { readonly function: string }[], { frame, total, children }: FlameTree): string {
  const name = frames[frame]?.function ?? (children.length > 0 ? "root" : "other");
  if (children.length === 0) return `${name} ${total / MIB}`;
  return `${name} (${children.map((child) => told(frames, child)).join(" ")})`;
}

function toldAll(one: IsolateData, flames: ReturnType<typeof flamesOf>) {
  return flames.map(({ spike, flames: graphs }) => [
    spike,
    ...graphs.map(({ selection, tree }) => `${selection.measure} ${told(one.allocations?.frames ?? [], tree)}`),
  ]);
}

test("a full collection has what was kept, and all that was allocated since the last one", () => {
  const sampled = samples([
    { stack: from("before"), bornMs: 50, bytes: 30 * MIB },
    ...[140, 150].map((bornMs) => ({ stack: from("parse"), bornMs, diedMs: bornMs + 5, bytes: 50 * MIB })),
    // So many that they are no chance.
    ...Array.from({ length: 20 }, () => ({ stack: from("remember"), bornMs: 160, bytes: MIB / 2 })),
  ]);
  const one = isolate("-M-M", { samples: sampled, phases: false });
  const names = ["old_space"];
  const spaces = {
    names,
    usedBefore: Uint32Array.of((20 * MIB) / 8, (60 * MIB) / 8),
    usedAfter: Uint32Array.of((10 * MIB) / 8, (50 * MIB) / 8),
    committedAfter: new Uint32Array(2),
  };
  const whole = recording([{ ...one, pauses: { ...one.pauses, spaces } }]);
  expect(analyse(whole, { spikeMs: SPIKE_MS }).spikes.map(({ cause }) => cause)).toEqual(["old-growth", "old-growth"]);
  expect(toldAll(one, flamesOf(whole))).toEqual([
    ["s1", "retained root (main (before 30))", "allocated root (main (before 30))"],
    ["s2", "retained root (main (remember 10))", "allocated root (main (parse 100 remember 10))"],
  ]);
});

test("external memory has the Buffers that were kept, and all Buffers", () => {
  const buffers = [
    { stack: from("read"), bornMs: 110, diedMs: 120, bytes: 40 * MIB },
    { stack: from("store"), bornMs: 130, bytes: 20 * MIB },
  ];
  const sampled = samples([{ stack: from("parse"), bornMs: 150, bytes: 5 * MIB }], { buffers });
  const one = isolate("--M", { samples: sampled });
  const whole = recording([one]);
  const [spike] = analyse(whole, { spikeMs: SPIKE_MS }).spikes;
  if (spike === undefined) throw new Error("no spike");
  expect(toldAll(one, spikeFlames(whole, [{ ...spike, cause: "external-memory" }], SPIKE_MS))).toEqual([
    ["s1", "external root (main (store 20))", "external root (main (read 40 store 20))"],
  ]);
});

test("what a scavenge frees while incremental steps go on was not kept", () => {
  const sampled = samples([
    { stack: from("early"), bornMs: 50, bytes: 30 * MIB },
    { stack: from("freed"), bornMs: 104, diedMs: 115, bytes: 20 * MIB },
    { stack: from("late"), bornMs: 120, bytes: 10 * MIB },
  ]);
  const one = isolate(`-${"=".repeat(10)}`, { samples: sampled });
  const whole = recording([one]);
  const [spike] = analyse(whole, { spikeMs: SPIKE_MS }).spikes;
  if (spike?.kind !== "incremental-steps") throw new Error("no steps");
  expect(toldAll(one, spikeFlames(whole, [{ ...spike, cause: "old-growth" }], SPIKE_MS))).toEqual([
    ["s1", "retained root (main (early 30 late 10))", "allocated root (main (early 30 freed 20 late 10))"],
  ]);
});

test("where deaths are not known there is one graph, of the windows", () => {
  const one = isolate("-M", { allocations: allocations([{ stack: from("make"), bytes: [7 * MIB] }]) });
  expect(toldAll(one, flamesOf(recording([one])))).toEqual([["s1", "allocated root (main (make 7))"]]);
});

test("the bytes are those that the sites have shares of", () => {
  const sampled = samples(
    Array.from({ length: 40 }, (_, i) => ({
      stack: from(`site${i % 7}`),
      bornMs: i * 2,
      bytes: (i + 1) * 1000,
      ...(i % 3 === 0 && { diedMs: i * 2 + 1 }),
    })),
  );
  const whole = recording([isolate("-M", { samples: sampled })]);
  const [spike] = analyse(whole, { spikeMs: SPIKE_MS }).spikes;
  const [graph] = flamesOf(whole)[0]?.flames ?? [];
  expect(graph?.selection.measure).toBe(spike?.sites[0]?.measure);
  const main = graph?.tree.children[0];
  const shares = main?.children.map(({ total }) => total / (graph?.tree.total ?? 0));
  expect(shares).toEqual(spike?.sites.map(({ share }) => share));
});

test("equal functions are one call", () => {
  const made = allocations([{ stack: from("make"), bytes: [3 * MIB] }]);
  const again = made.frames.length;
  const twice = {
    ...made,
    frames: [...made.frames, ...made.frames],
    stacks: [...made.stacks, made.stacks[0]?.map((frame) => frame + again) ?? []],
    windows: made.windows.map((window) => ({
      ...window,
      samples: [...window.samples, { stack: 1, objects: 1, bytes: 2 * MIB }],
    })),
  };
  const one = isolate("-M", { allocations: twice });
  expect(toldAll(one, flamesOf(recording([one])))).toEqual([["s1", "allocated root (main (make 5))"]]);
});

test("of many spikes the worst have graphs, each of its own isolate", () => {
  const made = (name: string) => allocations([{ stack: from(name), bytes: Array.from({ length: 8 }, () => MIB) }]);
  const isolates = ["first", "second"].map((name, threadId) =>
    isolate("M-".repeat(40), {
      allocations: made(name),
      threadId,
      durationMs: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i, 100 - i - threadId / 2])),
    }),
  );
  const whole = recording(isolates);
  const flames = flamesOf(whole);
  expect(flames.length).toBe(MOST_FLAMED);
  const spikes = analyse(whole, { spikeMs: SPIKE_MS }).spikes.slice(0, MOST_FLAMED);
  const names = spikes.map((spike) => (spike.isolate === isolates[0]?.id ? "first" : "second"));
  expect(new Set(names).size).toBe(2);
  expect(
    flames.map(({ spike, flames: [graph] }, i) => {
      const one = isolates.find(({ id }) => id === spikes[i]?.isolate);
      const leaf = graph?.tree.children[0]?.children[0]?.frame ?? -1;
      return [spike, one?.allocations?.frames[leaf]?.function];
    }),
  ).toEqual(names.map((name, i) => [`s${i + 1}`, name]));
});

test("a spike that no code allocated has none", () => {
  expect(flamesOf(recording("-M"))).toEqual([]);
});
