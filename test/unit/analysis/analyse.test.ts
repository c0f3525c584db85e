import { describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import { expectValidReport } from "../../support/schema.ts";
import { allocations, frame, isolate, pauseColumns, phaseColumns, recording } from "../../support/timeline.ts";

const MIB = 1024 ** 2;
const SPIKE = { spikeMs: 10 };

describe("the summary", () => {
  test("counts pauses by kind and steps outside them", () => {
    const { summary } = analyse(recording("-s.-s.i.==.M-"), SPIKE);
    expect(summary.pauses.count).toBe(4);
    expect(summary.pauses.totalMs).toBe(35);
    expect(Object.keys(summary.byKind)).toEqual(["scavenge", "mark-compact", "incremental-start"]);
    expect(summary.byKind.scavenge).toMatchObject({ count: 2, totalMs: 4, cpuMs: 3, maxMs: 2 });
    expect(summary.outsidePausesMs).toBeCloseTo(6, 9);
    const observedMs = 100 * 3 + 10 * 4 + 35 + 6;
    expect(summary.observedMs).toBe(observedMs);
    expect(summary.wallShare).toBeCloseTo(41 / observedMs, 9);
  });

  test("takes quantiles over the pauses of all isolates together", () => {
    const long = isolate("M.", { id: "1-1", threadId: 1 });
    const report = analyse(recording([isolate("s.".repeat(99)), long]), SPIKE);
    expect(report.summary.pauses).toMatchObject({ count: 100, p50Ms: 2, p99Ms: 2, p999Ms: 30, maxMs: 30 });
    expect(report.isolates.map(({ gc }) => gc.pauses.maxMs)).toEqual([2, 30]);
    const alone = analyse(recording([long]), SPIKE).isolates[0]?.gc.mmu ?? [];
    expect(report.summary.mmu.find(({ windowMs }) => windowMs === 10)).toEqual(
      alone.find((one) => one.windowMs === 10),
    );
  });

  test("of one isolate is that isolate's", () => {
    const report = analyse(recording("-s.-M.=="), SPIKE);
    expect(report.summary).toEqual(report.isolates[0]?.gc);
  });

  test("says that outside work is unknown where no phases were recorded", () => {
    const { summary } = analyse(recording([isolate("-s-M-", { phases: false })]), SPIKE);
    expect(summary.outsidePausesMs).toBeNull();
    expect(summary.wallShare).toBeCloseTo(32 / 332, 9);
  });

  test("knows times alone from perf_hooks", () => {
    const { summary } = analyse(recording([isolate("-s-M-", { collector: "perf_hooks", phases: false })]), SPIKE);
    expect(summary.pauses).toMatchObject({ count: 2, maxMs: 30, cpuMs: null });
    expect(summary).toMatchObject({ allocatedBytes: null, promotedBytes: null });
  });

  test("of no isolate is empty", () => {
    const report = analyse(recording([]), SPIKE);
    expect(report.summary).toMatchObject({ observedMs: 0, wallShare: 0, mmu: [], peakRssBytes: null });
    expect(report.summary.pauses).toMatchObject({ count: 0, totalMs: 0, cpuMs: null, p50Ms: null, maxMs: null });
    expectValidReport(report);
  });

  test("finds what was allocated: growth between pauses, before the first and after the last", () => {
    // 10 MiB in each "-"; the scavenge frees 5 of the first 10, the mark-compact goes back to the size at the start.
    const { summary } = analyse(recording("-s-M-."), SPIKE);
    // The last sample is taken before the end: at 400 ms, which is 6.8 MiB into the last growth of 11 MiB.
    expect((summary.allocatedBytes ?? 0) / MIB).toBeCloseTo(10 + 10 + 6.8, 5);
    expect(summary.promotedBytes).toBe(2.5 * MIB);
    expect(summary.peakHeapUsedBytes).toBe(25 * MIB);
    expect(summary.peakExternalBytes).toBe(3 * MIB);
  });

  test("adds up memory that isolates and processes hold at the same time", () => {
    const child = isolate("-s-", { id: "200-0", pid: 200, kind: "child", name: "child.js" });
    const report = analyse(recording([isolate("-s-"), child]), SPIKE);
    expect(report.isolates[0]?.gc.peakRssBytes).toBe(66 * MIB);
    expect(report.summary.peakRssBytes).toBe(2 * 66 * MIB);
    // Half of the first 10 MiB was freed, and 9.8 more had come at the last sample.
    expect((report.summary.peakHeapUsedBytes ?? 0) / MIB).toBeCloseTo(2 * 24.8, 5);
  });

  test("an isolate's observed time includes its pauses even where its end is not known", () => {
    const one = isolate("-M-");
    const { isolates } = analyse(recording([{ ...one, endMs: 50 }]), SPIKE);
    expect(isolates[0]?.gc.observedMs).toBe(130);
  });
});

describe("spikes", () => {
  test("are the pauses at or over the threshold, worst first", () => {
    const one = isolate("s.s.s.s.", { durationMs: { 0: 9.999, 1: 10, 2: 40, 3: 12 } });
    const { spikes, causes } = analyse(recording([one]), SPIKE);
    expect(spikes.map(({ id, durationMs }) => [id, durationMs])).toEqual([
      ["s1", 40],
      ["s2", 12],
      ["s3", 10],
    ]);
    expect(causes.reduce((sum, cause) => sum + cause.totalMs, 0)).toBe(62);
    expect(causes.reduce((sum, cause) => sum + cause.spikes, 0)).toBe(3);
  });

  test("are none where nothing took that long, and then nothing is to blame", () => {
    expect(analyse(recording("-s-s-s-"), SPIKE)).toMatchObject({ spikes: [], causes: [] });
  });

  test("are runs of incremental steps too, beside a pause that they lead to", () => {
    const { spikes } = analyse(recording("-i.=====M-"), SPIKE);
    expect(spikes.map(({ kind, durationMs }) => [kind, Math.round(durationMs)])).toEqual([
      ["mark-compact", 30],
      ["incremental-steps", 15],
    ]);
    expect(spikes[1]?.headline).toMatch(/^5 incremental steps took 15 ms of main in the 15 ms from 0\.11 s on: /);
    expect(spikes[1]?.evidence.map(({ signal }) => signal)).toContain("missing");
  });

  test("say what stopped, how long, when, V8's reason and the heap before and after", () => {
    const [spike] = analyse(recording("----M"), SPIKE).spikes;
    expect(spike?.headline).toMatch(/^A mark-compact stopped main for 30 ms at 0\.40 s: /);
    expect(spike).toMatchObject({ reason: "allocation limit", cpuMs: 22.5 });
    const values = Object.fromEntries(
      (spike?.evidence ?? []).map(({ signal, value, unit }) => [signal, [value, unit]]),
    );
    expect(values).toMatchObject({
      cpu: [22.5, "ms"],
      "run-queue": [3, "ms"],
      "heap.before": [50 * MIB, "bytes"],
      "heap.after": [10 * MIB, "bytes"],
    });
  });

  test("name what was not measured and guess nothing", () => {
    const one = isolate("--M-", { collector: "perf_hooks", phases: false });
    const [spike] = analyse(recording([one]), SPIKE).spikes;
    expect(spike?.headline).toMatch(/V8's reason was not recorded\.$/);
    expect(spike?.evidence).toEqual([
      {
        signal: "missing",
        value: 7,
        unit: "signals",
        text: "Not measured: CPU time, waiting for a processor, page faults, heap sizes, V8's reason, V8's phases, allocations.",
      },
    ]);
    expect(spike).toMatchObject({ cpuMs: null, reason: null, phases: [], sites: [] });
  });

  test("say what the probe itself took where that is much of a pause", () => {
    const one = isolate("-M-M");
    const probeMs = Float64Array.of(0.014, 6);
    const { spikes } = analyse(recording([{ ...one, pauses: { ...one.pauses, probeMs } }]), SPIKE);
    const texts = spikes.map(({ evidence }) => evidence.find(({ signal }) => signal === "probe")?.text);
    expect(texts).toEqual([undefined, "gcspike's own probe held the thread for 6 ms more, before and after it."]);
  });

  test("name the JavaScript that triggered them", () => {
    const triggerStack = ["slice@node:buffer:9", "parse@src/cart.ts:112", "@src/main.ts:1", "run@node:vm:7"].map(frame);
    const [spike] = analyse(recording([isolate("-M-", { triggerStack })]), SPIKE).spikes;
    expect(spike?.evidence.find(({ signal }) => signal === "trigger-stack")).toMatchObject({
      value: 3,
      text: "It was triggered in slice (node:buffer:9) < parse (src/cart.ts:112) < (anonymous) (src/main.ts:1).",
    });
  });

  test("beyond ten thousand are counted, and the worst are listed", () => {
    const count = 10_500;
    const pauses = pauseColumns(
      Array.from({ length: count }, (_, i) => ({ kind: "scavenge", startMs: i * 100, durationMs: 10 + i / 1000 })),
    );
    const report = analyse(recording([{ ...isolate("."), pauses, endMs: count * 100 }]), SPIKE);
    expect(report.spikes).toHaveLength(10_000);
    expect(report.spikes[0]?.durationMs).toBeCloseTo(10 + (count - 1) / 1000, 9);
    expect(report.causes[0]?.spikes).toBe(count);
    expect(report.recording.warnings.map(({ code }) => code)).toContain("spikes-left-out");
  });
});

describe("phases of a spike", () => {
  const spans = (...list: readonly (readonly [string, number, number, number])[]) =>
    phaseColumns(list.map(([name, startMs, endMs, depth]) => ({ name, startMs, durationMs: endMs - startMs, depth })));
  const pause = pauseColumns([{ kind: "mark-compact", startMs: 100, durationMs: 30 }]);
  const phasesOf = (phases: ReturnType<typeof spans>) =>
    analyse(recording([{ ...isolate("--"), pauses: pause, phases }]), SPIKE).spikes.find(
      ({ kind }) => kind === "mark-compact",
    )?.phases;

  test("are self times, so that they add up to the spike", () => {
    const phases = phasesOf(
      spans(
        ["MajorGC", 99, 131, 0],
        ["V8.GC_MC_MARK", 102, 120, 1],
        ["V8.GC_MC_MARK_ROOTS", 103, 105, 2],
        ["V8.GC_MC_MARK_ROOTS", 106, 107, 2],
        ["V8.GC_MC_CLEAR", 120, 125, 1],
      ),
    );
    expect(phases).toEqual([
      { name: "V8.GC_MC_MARK", ms: 15 },
      { name: "MajorGC", ms: 7 },
      { name: "V8.GC_MC_CLEAR", ms: 5 },
      { name: "V8.GC_MC_MARK_ROOTS", ms: 3 },
    ]);
  });

  test("do not count spans before and behind it", () => {
    const phases = phasesOf(
      spans(["V8.GC_MC_INCREMENTAL", 80, 99, 0], ["V8.GC_MC_MARK", 110, 112, 0], ["V8.GC_MC_SWEEP", 131, 140, 0]),
    );
    expect(phases).toEqual([{ name: "V8.GC_MC_MARK", ms: 2 }]);
  });

  test("survive a child that ends behind its parent, as rounded clocks make it", () => {
    const phases = phasesOf(spans(["MajorGC", 100, 110, 0], ["V8.GC_MC_MARK", 105, 110.001, 1]));
    expect(phases).toEqual([
      { name: "MajorGC", ms: 5 },
      { name: "V8.GC_MC_MARK", ms: 5 },
    ]);
  });

  test("are at most twelve, the largest", () => {
    const many = Array.from({ length: 20 }, (_, i) => [`V8.GC_${i}`, 100 + i, 100 + i + (i + 1) / 100, 0] as const);
    const phases = phasesOf(spans(...many)) ?? [];
    expect(phases).toHaveLength(12);
    expect(phases[0]?.name).toBe("V8.GC_19");
  });
});

describe("sites of a spike", () => {
  const sitesOf = (stacks: Parameters<typeof allocations>[0], timeline = "-".repeat(60), id = "s1") =>
    analyse(recording([isolate(`${timeline}M`, { allocations: allocations(stacks) })]), SPIKE).spikes.find(
      (spike) => spike.id === id,
    )?.sites;

  test("are the leaf-most frames of user code, and shares are of all sampled bytes", () => {
    const sites = sitesOf([
      { stack: "(root) > main@src/a.js:1 > parse@src/b.js:20 > slice@node:buffer:9", bytes: [0, 0, 0, 0, 600] },
      { stack: "(root) > main@src/a.js:1 > parse@src/b.js:20", bytes: [0, 0, 0, 0, 100] },
      { stack: "(root) > main@src/a.js:1 > wrap@gcspike:3", bytes: [0, 0, 0, 0, 200] },
      { stack: "(root) > (GC)", bytes: [0, 0, 0, 0, 100] },
    ]);
    expect(sites?.map((site) => [site.function, site.file, site.line, site.share, site.bytes])).toEqual([
      ["parse", "src/b.js", 20, 0.7, 700],
      ["main", "src/a.js", 1, 0.2, 200],
    ]);
  });

  test("of a full collection come from the windows since the last one, and those that overlap it", () => {
    const stack = (name: string, window: number) => ({
      stack: `${name}@src/a.js:${window + 1}`,
      bytes: Array.from({ length: 9 }, (_, i) => (i === window ? 100 : 0)),
    });
    // A full collection at 2.0 s, the spike at 6.0 s: the window 1-2 s ends as it begins, 7-8 s begins behind the spike.
    const sites = sitesOf(
      ["a", "b", "c", "d", "e", "f", "g", "h"].map(stack),
      `${"-".repeat(20)}M${"-".repeat(40)}`,
      "s2",
    );
    expect(sites?.map((site) => site.function).toSorted()).toEqual(["c", "d", "e", "f", "g"]);
  });

  test("are at most ten", () => {
    const stacks = Array.from({ length: 15 }, (_, i) => ({
      stack: `f${i}@src/a.js:${i + 1}`,
      bytes: [0, 0, 0, 0, i + 1],
    }));
    expect(sitesOf(stacks)?.map((site) => site.function)).toEqual(Array.from({ length: 10 }, (_, i) => `f${14 - i}`));
  });
});

describe("the report", () => {
  test("follows its schema whatever was recorded", () => {
    for (const one of [
      recording(""),
      recording("-s-M-i==-w-m-"),
      recording([isolate("-s-M", { collector: "perf_hooks", phases: false })], { complete: false, exit: null }),
      recording([isolate("-M"), isolate("-M", { id: "1-1", threadId: 1 })]),
    ]) {
      for (const spikeMs of [0.1, 10, 1000]) expectValidReport(analyse(one, { spikeMs }));
    }
  });

  test("says every warning once and adds the collection in which a process died", () => {
    const warning = { code: "no-phases", message: "No phases." };
    const dying = isolate("-s", { warnings: [warning], openPause: { startMs: 103, kind: "mark-compact" } });
    const other = isolate("-s", { id: "1-1", threadId: 1, warnings: [warning] });
    const { warnings } = analyse(recording([dying, other], { complete: false }), SPIKE).recording;
    expect(warnings.map(({ code }) => code)).toEqual(["no-phases", "died-in-collection"]);
    expect(warnings[1]?.message).toMatch(/^main ended inside a mark-compact that began at 103 ms/);
  });

  test("a dump of a program that goes on may end inside a collection", () => {
    const open = isolate("-s", { openPause: { startMs: 103, kind: "scavenge" } });
    const one = recording([open]);
    const dumped = (trigger: string) => {
      const triggers = [{ trigger, atNs: one.manifest.startNs, what: "it" }];
      const manifest = { ...one.manifest, dump: { keepMs: 60_000, afterMs: 5000, triggers, untold: 0 } };
      return analyse({ ...one, manifest }, SPIKE).recording.warnings.map(({ code }) => code);
    };
    expect(dumped("pause>3ms")).toEqual(["dump-in-collection"]);
    expect(dumped("death")).toEqual(["died-in-collection"]);
  });

  test("names the collectors of all isolates", () => {
    const report = analyse(
      recording([isolate("-s"), isolate("-s", { collector: "perf_hooks", phases: false, threadId: 1 })]),
      SPIKE,
    );
    expect(report.recording.collectors).toEqual(["probe", "perf_hooks", "phases", "heap"]);
  });
});
