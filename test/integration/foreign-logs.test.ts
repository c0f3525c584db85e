/** Logs that V8 itself writes, on every Node version: gcspike reads what they say, and both kinds of the same run agree. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { pausesPrinted } from "../../bench/lib/trace-gc.mjs";
import { analyse } from "../../src/analysis/analyse.ts";
import { type IsolateData, PAUSE_KINDS } from "../../src/recording/model.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { Running, runGcspike } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { isolateOf, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
afterAll(() => workplace.remove());

/** Keeps and drops objects, so that there are scavenges and full collections; prints lines of its own between V8's. */
const PROGRAM = `
  let kept = [];
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 50_000; i++) kept.push({ i, text: "x" + i });
    if (round % 10 === 9) kept = [];
    console.log("round", round);
  }
  gc();`;
const FLAGS = ["--expose-gc", "--max-semi-space-size=4"];

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
const countOf = ({ pauses }: IsolateData, kind: string) =>
  [...pauses.kind].filter((of) => PAUSE_KINDS[of] === kind).length;

/** While it is traced, V8 of Node 26 writes its lines into the trace instead of printing them. */
function linesInTrace(trace: string): string {
  const { traceEvents } = JSON.parse(readFileSync(trace, "utf8"));
  return traceEvents
    .filter(({ name }: { name: string }) => name === "V8.GCTraceGCNVP")
    .map(({ pid, ts, args }: { pid: number; ts: number; args: { value: string } }) => {
      return `[${pid}:0xa:0] ${Math.round(ts / 1000)} ms: GC: ${args.value}\n`;
    })
    .join("");
}

describe.each(NODES)("$version", ({ path, version }) => {
  test.each(["--trace-gc", "--trace-gc-nvp"])("%s", async (flag) => {
    const { stdout } = await new Running(path, [...FLAGS, flag, "-e", PROGRAM], { cwd: workplace.cwd }).ended;
    const log = workplace.path("gc.log");
    writeFileSync(log, stdout);
    const recording = await readRecording(log);
    const main = isolateOf(recording, "main");
    const printed = pausesPrinted(stdout);
    expect(printed.length).toBeGreaterThan(10);
    expect(main.pauses.count).toBe(printed.length);
    expect(sum(main.pauses.durationMs)).toBeCloseTo(sum(printed), 6);
    expect(countOf(main, "scavenge")).toBeGreaterThan(5);
    expect(countOf(main, "mark-compact")).toBeGreaterThan(0);
    expect([...main.pauses.usedBefore].every((bytes) => bytes > 1e6)).toBe(true);
    const report = analyse(recording, { spikeMs: 0 });
    expect(report.summary.allocatedBytes).toBeGreaterThan(50e6);
    const saysReasons = flag === "--trace-gc" || version.startsWith("v26");
    expect(report.spikes.some(({ cause }) => cause === "explicit")).toBe(saysReasons);
  });

  test("a trace of the same run agrees with the lines", async () => {
    const cwd = workplace.path("trace");
    const categories = "v8,devtools.timeline,disabled-by-default-v8.gc";
    const words = [
      "--trace-events-enabled",
      "--trace-event-categories",
      categories,
      ...FLAGS,
      "--trace-gc",
      "-e",
      PROGRAM,
    ];
    mkdirSync(cwd);
    const { stdout } = await new Running(path, words, { cwd }).ended;
    const [trace = ""] = readdirSync(cwd);
    const recording = await readRecording(join(cwd, trace));
    const main = isolateOf(recording, "main");
    const log = join(cwd, "gc.log");
    writeFileSync(log, `${stdout}\n${linesInTrace(join(cwd, trace))}`);
    const printed = isolateOf(await readRecording(log), "main");
    expect([main.node, main.v8.split(".")[0]]).toEqual([version, expect.stringMatching(/^\d+$/)]);
    for (const kind of ["scavenge", "mark-compact"]) expect(countOf(main, kind), kind).toBe(countOf(printed, kind));
    const report = analyse(recording);
    expect(report.summary.outsidePausesMs).not.toBeNull();
    expect(main.reasons).toContain("testing");
    const byKind = report.summary.byKind;
    const whole = (byKind.scavenge?.totalMs ?? 0) + (byKind["mark-compact"]?.totalMs ?? 0);
    // V8 prints what it timed inside of what it traces.
    expect(whole).toBeGreaterThanOrEqual(sum(printed.pauses.durationMs) * 0.98);
  });
});

test("gcspike report and compare take a log in the place of a recording", async () => {
  const log = workplace.path("gc.log");
  const { stdout } = await new Running(process.execPath, [...FLAGS, "--trace-gc", "-e", PROGRAM]).ended;
  writeFileSync(log, stdout);
  const reported = await runGcspike(["report", log]);
  expect({ code: reported.code, stderr: reported.stderr }).toEqual({ code: 0, stderr: "" });
  expect(reported.stdout).toMatch(/P99 pause/);
  expect(reported.stdout.replaceAll(/\s+/g, " ")).toContain("This is a log of V8's, not a recording");
  const other = workplace.path("other.log");
  writeFileSync(other, stdout);
  const compared = await runGcspike(["compare", `before=${log}`, `after=${other}`]);
  expect({ code: compared.code, stderr: compared.stderr }).toEqual({ code: 0, stderr: "" });
  expect(compared.stdout).toMatch(/P99 pause/);
});
