import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { analyse } from "../../../src/analysis/analyse.ts";
import { eachTraceEvent } from "../../../src/recording/foreign/trace-events.ts";
import { parseTraceGc } from "../../../src/recording/foreign/trace-gc-lines.ts";
import { PAUSE_KINDS, type Recording } from "../../../src/recording/model.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";

const folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function read(content: string | Buffer): Promise<Recording> {
  const path = join(folder, `${files++}.log`);
  writeFileSync(path, content);
  return readRecording(path);
}

function pausesOf({ isolates }: Recording) {
  return isolates.map(({ name, pauses, reasons }) => ({
    name,
    pauses: Array.from({ length: pauses.count }, (_, i) => ({
      kind: PAUSE_KINDS[pauses.kind[i] ?? 0],
      startMs: pauses.startMs[i] ?? Number.NaN,
      durationMs: pauses.durationMs[i] ?? Number.NaN,
      usedAfter: pauses.usedAfter[i] ?? Number.NaN,
      reason: reasons[pauses.reason[i] ?? -1] ?? null,
    })),
  }));
}

const codes = ({ warnings }: Recording) => warnings.map(({ code }) => code);

const SCAVENGE =
  "[41:0xa]       33 ms: Scavenge 4.4 (4.5) -> 4.0 (5.5) MB, 1.87 / 0.01 ms  (average mu = 1.000, current mu = 1.000) task; ";
const MARK_COMPACT =
  "[41:0xa]      806 ms: Mark-Compact (reduce) 41.3 (69.0) -> 33.3 (66.9) MB, pooled: 0 MB, 21.11 / 0.01 ms  (+ 9.3 ms in 57 steps since start of marking, biggest step 1.0 ms, walltime since start of marking 51 ms) (average mu = 0.963, current mu = 0.963) finalize incremental marking via task; GC in old space requested";
const NAMED =
  "[41:0xa]      176 ms: pause=35.2 mutator=137.7 gc=s reduce_memory=0 scavenge=35.01 total_size_before=20000000 total_size_after=9000000 promoted=16 new_space_survived=275592 promotion_ratio=0.0%";
const JSON_LINE =
  '[41:0xa:0]      191 ms: GC: {"pause":1.391,"gc":"s","stack":true,"reason":"allocation failure","promoted":0,"new_space_survived":261376}';

describe("a log of --trace-gc", () => {
  test.each([20, 22, 24, 26])("every line that Node %i printed", async (version) => {
    const golden = readFileSync(new URL(`../bench/golden/trace-gc-node${version}.txt`, import.meta.url), "utf8");
    const printed = Array.from(golden.matchAll(/, ([\d.]+) \/ [\d.]+ ms/g), ([, pause]) => Number(pause));
    const recording = await read(golden);
    const durations = recording.isolates.flatMap(({ pauses }) => [...pauses.durationMs]).sort();
    expect(durations).toEqual(printed.sort());
    const report = analyse(recording, { spikeMs: 5 });
    expect(report.summary.pauses.totalMs).toBeCloseTo(
      printed.reduce((sum, ms) => sum + ms, 0),
      6,
    );
    expect(report.spikes.every(({ reason }) => reason !== null && /^[a-z]/.test(reason))).toBe(true);
  });

  test("kinds, times, sizes and reasons", async () => {
    const recording = await read(`${SCAVENGE}\n${MARK_COMPACT}\n`);
    expect(pausesOf(recording)).toEqual([
      {
        name: "main",
        pauses: [
          { kind: "scavenge", startMs: 33 - 1.87, durationMs: 1.87, usedAfter: 4 * 1024 ** 2, reason: "task" },
          {
            kind: "mark-compact",
            startMs: 806 - 21.11,
            durationMs: 21.11,
            usedAfter: 33.3 * 1024 ** 2,
            reason: "finalize incremental marking via task",
          },
        ],
      },
    ]);
    expect(recording.complete).toBe(true);
    expect(recording.durationMs).toBe(806);
  });

  test("says what it cannot know, and how much it leaves out", async () => {
    const recording = await read(`${SCAVENGE}\n${MARK_COMPACT}\n`);
    expect(codes(recording)).toEqual(["imported-log", "imported-steps"]);
    expect(recording.warnings[1]?.message).toContain("9.3 ms in steps");
    const { summary } = analyse(recording);
    expect(summary.outsidePausesMs).toBeNull();
    expect(summary.pauses.cpuMs).toBeNull();
    expect(summary.promotedBytes).toBeNull();
  });

  test("--trace-gc-nvp, as pairs and as JSON", async () => {
    const recording = await read(`${NAMED}\n${JSON_LINE}\n`);
    expect(codes(recording)).toEqual(["imported-log"]);
    const [isolate] = recording.isolates;
    expect([...(isolate?.pauses.durationMs ?? [])]).toEqual([35.2, 1.391]);
    expect([...(isolate?.pauses.usedBefore ?? [])]).toEqual([20_000_000, Number.NaN]);
    expect([...(isolate?.pauses.promotedBytes ?? [])]).toEqual([16, 0]);
    expect(pausesOf(recording)[0]?.pauses.map(({ reason }) => reason)).toEqual([null, "allocation failure"]);
  });

  test("wherever a line stands: behind a word, a prefix, inside JSON, between lines that look alike", async () => {
    const wrapped = (line: string) => JSON.stringify({ log: `${line}\n`, stream: "stdout" });
    const text = [
      "listening on 8080",
      `done${SCAVENGE}`,
      `2026-11-22T09:14:00.000Z stdout F ${SCAVENGE.replace("33 ms", "40 ms")}`,
      wrapped(SCAVENGE.replace("33 ms", "50 ms")),
      wrapped(JSON_LINE),
      "[41:0xa] 60 ms: Sideways-Collect 5.1 (5.2) -> 4.6 (6.2) MB, 1.86 / 0.01 ms",
      "took 5 ms: fine",
      "x".repeat(3_000_000),
    ];
    const [isolate] = pausesOf(await read(text.join("\n")));
    expect(isolate?.pauses.map(({ durationMs, reason }) => [durationMs, reason])).toEqual([
      [1.87, "task"],
      [1.87, "task"],
      [1.87, "task"],
      [1.391, "allocation failure"],
    ]);
  });

  test("pauses never overlap, although times are whole milliseconds", async () => {
    const text = [33, 34, 34, 36].map((at) => SCAVENGE.replace("33 ms", `${at} ms`)).join("\n");
    const { pauses } = pausesOf(await read(text))[0] ?? { pauses: [] };
    for (const [i, pause] of pauses.entries()) {
      const before = pauses[i - 1];
      if (before !== undefined) expect(pause.startMs).toBeGreaterThanOrEqual(before.startMs + before.durationMs);
    }
    expect(pauses).toHaveLength(4);
  });

  test("isolates are told apart, and lie beside each other as their lines do", async () => {
    const at = (isolate: string, ms: number) => SCAVENGE.replace("41:0xa", isolate).replace("33 ms", `${ms} ms`);
    const text = [at("41:0xa", 5000), at("41:0xb", 20), at("41:0xa", 5100), at("41:0xb", 300), at("42:0xa", 30)];
    const recording = await read(text.join("\n"));
    expect(recording.isolates.map(({ id, name, kind }) => [id, name, kind])).toEqual([
      ["41-0", "main", "main"],
      ["41-1", "worker-1", "worker"],
      ["42-0", "process 42", "child"],
    ]);
    expect(recording.isolates.map(({ startMs }) => startMs)).toEqual([0, 4980, 5250]);
    expect(codes(recording)).toContain("imported-clocks");
  });

  test("a program that was started again is another isolate, although its process has the same number", async () => {
    const again = [900, 40, 80].map((ms) => SCAVENGE.replace("33 ms", `${ms} ms`));
    const recording = await read(again.join("\n"));
    expect(recording.isolates.map(({ pauses }) => pauses.count)).toEqual([1, 2]);
    expect(recording.isolates.map(({ startMs }) => startMs)).toEqual([0, 860]);
  });

  test("a time that is none makes no recording of years, and a log that begins late begins with its first line", async () => {
    const at = (ms: number) => SCAVENGE.replace("33 ms", `${ms} ms`);
    const month = 31 * 86_400_000;
    const jumped = await read([at(33), at(90), at(99_999_999_999), at(200)].join("\n"));
    expect(jumped.durationMs).toBe(200);
    expect(codes(jumped)).toContain("log-cut");
    const late = await read([at(20 * month), at(20 * month + 5000)].join("\n"));
    expect(late.durationMs).toBeCloseTo(5001.87, 3);
    expect(codes(late)).not.toContain("log-cut");
    const long = await read([at(10), at(2 * month), at(2 * month + 10)].join("\n"));
    expect(long.isolates[0]?.pauses.count).toBe(2);
    expect(codes(long)).toContain("log-cut");
  });

  test("cut anywhere, it has what is there", () => {
    const text = Buffer.from(`${SCAVENGE}\n${MARK_COMPACT}\n${NAMED}\n${JSON_LINE}\n`);
    let most = 0;
    for (let length = 0; length <= text.length; length++) {
      const { lines } = parseTraceGc(text.subarray(0, length));
      expect(lines.length).toBeGreaterThanOrEqual(most);
      most = lines.length;
      for (const { pauseMs, kind } of lines) expect([kind, pauseMs >= 0]).toEqual([kind, true]);
    }
    expect(most).toBe(4);
  });

  test("anything at all is read without an error", () => {
    const bits = fc.constantFrom(
      " ms: ",
      "[41:0xa]",
      "Scavenge ",
      "4.4 (4.5) -> 4.0 (5.5) MB, ",
      "1.8 / 0 ms",
      "pause=1",
      "gc=s",
      "\n",
      '{"pause":',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(bits, fc.string())), (parts) => void parseTraceGc(Buffer.from(parts.join("")))),
    );
  });
});

describe("a trace in Chrome's JSON", () => {
  const event = (ph: string, name: string, ts: number, rest: object = {}) => ({
    ph,
    name,
    ts,
    pid: 7,
    tid: 7,
    cat: "v8",
    ...rest,
  });
  const EVENTS = [
    { ph: "M", name: "thread_name", ts: 0, pid: 7, tid: 7, args: { name: "JavaScriptMainThread" } },
    event("X", "RunTask", 1_000_000, { dur: 10 }),
    event("B", "MinorGC", 1_010_000, { args: { usedHeapSizeBefore: 9e6, type: "allocation failure" } }),
    event("X", "V8.GC_SCAVENGER", 1_010_100, { dur: 1500 }),
    event("E", "MinorGC", 1_012_000, { args: { usedHeapSizeAfter: 4e6 } }),
    event("X", "V8.GC_MC_INCREMENTAL", 1_020_000, { dur: 3000 }),
    event("X", "MajorGC", 1_030_000, {
      dur: 20_000,
      args: { usedHeapSizeBefore: 9e7, usedHeapSizeAfter: 5e7, type: "task" },
    }),
    event("X", "V8.GC_MC_BACKGROUND_MARKING", 1_030_000, { tid: 9, dur: 5000 }),
    event("X", "RunTask", 1_100_000, { dur: 10 }),
  ];

  test.each([
    ["as Node writes it", JSON.stringify({ traceEvents: EVENTS })],
    ["as a list", JSON.stringify(EVENTS)],
    [
      "with metadata that holds objects, before and behind",
      JSON.stringify({
        metadata: { a: [{ ph: "X", name: "MajorGC", ts: 1, dur: 1 }] },
        traceEvents: EVENTS,
        stackFrames: {},
      }),
    ],
    ["with spaces and line breaks", JSON.stringify({ traceEvents: EVENTS }, null, 2)],
    ["as gzip", gzipSync(JSON.stringify({ traceEvents: EVENTS }))],
  ])("%s", async (_, content) => {
    const recording = await read(content);
    const [main, ...others] = pausesOf(recording);
    expect(others).toEqual([]);
    expect(main?.pauses.map(({ kind, usedAfter, reason }) => [kind, usedAfter, reason])).toEqual([
      ["scavenge", 4e6, "allocation failure"],
      ["mark-compact", 5e7, "task"],
    ]);
    expect(main?.pauses.map(({ startMs, durationMs }) => [Math.round(startMs), Math.round(durationMs)])).toEqual([
      [10, 2],
      [30, 20],
    ]);
    expect(recording.durationMs).toBeCloseTo(100, 6);
    expect(analyse(recording).summary.outsidePausesMs).toBeCloseTo(3, 6);
    expect(codes(recording)).toEqual(["imported-log"]);
  });

  test("pauses that touch are two, whatever rounding makes of their times", async () => {
    for (let ts = 15_364_948_000; ts < 15_364_948_200; ts++) {
      const start = event("X", "V8.GC_MC_INCREMENTAL_START", ts, { dur: 1331 });
      const recording = await read(JSON.stringify([start, event("X", "MinorGC", ts + 1331, { dur: 7 })]));
      expect(recording.isolates[0]?.pauses.count).toBe(2);
    }
  });

  test.each([1.7e15, 1e17, 1e300, 1])("events on another clock (%d us) make no recording of years", async (ts) => {
    const own = 5e13;
    const events = [event("X", "MinorGC", own, { dur: 2000 }), event("X", "MinorGC", own + 1e6, { dur: 3000 })];
    const beside = await read(JSON.stringify([...events, event("I", "x", ts, {})]));
    expect(beside.durationMs).toBeCloseTo(1003, 6);
    expect(codes(beside)).not.toContain("log-cut");
    const collected = await read(JSON.stringify([...events, event("X", "MajorGC", ts, { dur: 2000 })]));
    expect(collected.durationMs).toBeCloseTo(1003, 6);
    expect(collected.isolates[0]?.pauses.count).toBe(2);
    expect(codes(collected)).toContain("log-cut");
  });

  test("what Node says of itself", async () => {
    const process = { versions: { node: "26.10.0", v8: "14.6.202.34" }, arch: "x64", platform: "linux" };
    const recording = await read(JSON.stringify([event("M", "node", 1, { args: { process } }), ...EVENTS]));
    expect(recording.isolates[0]).toMatchObject({ node: "v26.10.0", v8: "14.6.202.34" });
    expect(recording.manifest.machine).toMatchObject({ arch: "x64", platform: "linux" });
  });

  test("without phases the work outside pauses is unknown, and it says so", async () => {
    const recording = await read(JSON.stringify(EVENTS.filter(({ name }) => !name.startsWith("V8.GC_"))));
    expect(analyse(recording).summary.outsidePausesMs).toBeNull();
    expect(codes(recording)).toContain("imported-phases");
  });

  test("steps and starts of marking have other names where phases are not traced", async () => {
    const steps = [
      event("X", "V8.GCIncrementalMarkingStart", 1_015_000, { dur: 1000 }),
      event("X", "V8.GCIncrementalMarking", 1_020_000, { dur: 3000 }),
    ];
    const recording = await read(
      JSON.stringify([...EVENTS.filter(({ name }) => !name.startsWith("V8.GC_")), ...steps]),
    );
    expect(pausesOf(recording)[0]?.pauses.map(({ kind }) => kind)).toEqual([
      "scavenge",
      "incremental-start",
      "mark-compact",
    ]);
    expect(analyse(recording).summary.outsidePausesMs).toBeCloseTo(3, 6);
  });

  test("a minor mark-sweep is told by its marking, not by what another one left to be swept", async () => {
    const inside = (name: string) => [
      EVENTS[0],
      event("X", "MinorGC", 1e6, { dur: 900 }),
      event("X", name, 1e6 + 10, { dur: 9 }),
    ];
    const kindOf = async (name: string) => pausesOf(await read(JSON.stringify(inside(name))))[0]?.pauses[0]?.kind;
    expect(await kindOf("V8.GC_MINOR_MS_MARK")).toBe("minor-mark-sweep");
    expect(await kindOf("V8.GC_MINOR_MS_FINISH_SWEEP_ARRAY_BUFFERS")).toBe("scavenge");
  });

  test("cut anywhere, it has the events before the cut and says so", async () => {
    const text = Buffer.from(JSON.stringify({ traceEvents: EVENTS }));
    for (let length = 0; length < text.length; length += 7) {
      const whole: unknown[] = [];
      const isWhole = eachTraceEvent(text.subarray(0, length), (bytes) => whole.push(JSON.parse(bytes.toString())));
      expect(isWhole).toBe(false);
      expect(whole).toEqual(EVENTS.slice(0, whole.length));
    }
    const recording = await read(text.subarray(0, text.indexOf('"V8.GC_MC_BACKGROUND')));
    expect(recording.isolates[0]?.pauses.count).toBe(2);
    expect(codes(recording)).toContain("log-cut");
    expect(recording.complete).toBe(false);
  });

  test("texts may hold what looks like structure", async () => {
    const odd = event("X", 'x"]}\\', 1_000_500, { dur: 1, args: { "}": '{"ph":"X"}]' } });
    const recording = await read(JSON.stringify({ traceEvents: [odd, ...EVENTS] }));
    expect(recording.isolates[0]?.pauses.count).toBe(2);
  });

  test("anything at all is read without an error", () => {
    const bits = fc.constantFrom('{"traceEvents":[', "{", "}", "[", "]", '"', "\\", JSON.stringify(EVENTS[2]), ",");
    fc.assert(
      fc.property(fc.array(fc.oneof(bits, fc.string())), (parts) => {
        eachTraceEvent(Buffer.from(parts.join("")), () => undefined);
      }),
    );
  });
});

describe("what is neither", () => {
  test.each([
    ["nothing", ""],
    ["text", "hello\n"],
    ["JSON", '{"a": [1, 2]}'],
    [
      "a trace without collections",
      '{"traceEvents": [{"ph": "X", "name": "RunTask", "ts": 1, "dur": 1, "pid": 1, "tid": 1}]}',
    ],
  ])("%s is refused", async (_, content) => {
    await expect(read(content)).rejects.toMatchObject({ exitCode: 4, code: "not-a-recording" });
  });

  test("damaged gzip is refused, a cut one is read", async () => {
    await expect(read(Buffer.from([0x1f, 0x8b, 1, 2, 3]))).rejects.toMatchObject({ code: "log-unreadable" });
    const whole = gzipSync(`${SCAVENGE}\n${"x\n".repeat(50_000)}`);
    expect((await read(whole.subarray(0, whole.length - 9))).isolates).toHaveLength(1);
  });
});
