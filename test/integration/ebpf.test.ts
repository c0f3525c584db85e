/** Programs watched from outside: what is recorded, that it is what the probe inside sees, and that nothing is left. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { LiveTail } from "../../src/recorder/live.ts";
import type { IsolateData, Recording } from "../../src/recording/model.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { HEADER_BYTES, SAMPLE_RECORD_BYTES } from "../../src/recording/spec.ts";
import { attachTo, pidOf } from "../support/attached.ts";
import { Running, runGcspike, startGcspike } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { fixture, isolateOf, Workplace } from "../support/recorded.ts";
import { bpftraceOn, bytesByFunction, NO_EBPF } from "../support/traced.ts";

const workplace = new Workplace();
const started: Running[] = [];

afterEach(() => {
  for (const { process } of started.splice(0)) process.kill("SIGKILL");
});
afterAll(() => {
  expect(workplace.filesInCwd()).toEqual([]);
  workplace.remove();
});

async function traced(node: string, words: readonly string[] = []): Promise<Running> {
  const running = new Running(node, ["--expose-gc", ...words, fixture("traced.cjs")]);
  started.push(running);
  await running.waitFor("runs");
  return running;
}

/** Probes on the program's functions that the kernel lists; where it lists none at all, nothing. */
function listedProbes(): string {
  const list = "/sys/kernel/tracing/uprobe_events";
  return existsSync(list) ? readFileSync(list, "utf8") : "";
}

const LARGE_MAKERS = ["makeBuffer", "makeTypedArray", "readWholeFile", "unzip", "makeHugeArray"];

/** Kinds and reasons of the pauses, each once. */
function reasonsOf({ pauses, reasons }: IsolateData): ReadonlySet<string> {
  return new Set(Array.from(pauses.reason.subarray(0, pauses.count), (reason) => reasons[reason] ?? ""));
}

test.skipIf(NO_EBPF === null)("says why it does not work here", async () => {
  const { code, stderr } = await runGcspike(["attach", String(process.pid), "--ebpf"], { cwd: workplace.cwd });
  expect(code).toBe(4);
  expect(stderr).toContain(NO_EBPF);
});

describe.skipIf(NO_EBPF !== null).each(NODES)("$version", ({ path, version }) => {
  test("pauses, reasons, steps, threads, large allocations; nothing is left", { timeout: 300_000 }, async () => {
    const target = await traced(path);
    const pid = pidOf(target);
    const before = { maps: mappedFiles(pid), probes: listedProbes() };
    const { gcspike, detach, path: folder } = await attachTo(pid, workplace, ["--ebpf"]);
    expect(bpftraceOn(pid)).toHaveLength(1);
    await untilPauses(folder, 25);
    while (!hasWorkerPauses(folder)) await sleep(50);
    const { code, stderr, recording } = await detach();
    expect(code).toBe(0);
    expect(gcspike.stdout).toBe("");
    expect(stderr).toContain("nothing is loaded into it");
    expect(recording.complete).toBe(true);
    // On a busy machine names are read late.
    expect(recording.warnings.filter((warning) => warning.code !== "stacks-unknown")).toEqual([]);
    expect(recording.manifest.options.collector).toBe("ebpf");
    const main = isolateOf(recording, "main");
    expect(main).toMatchObject({ node: version, collectors: ["allocations", "ebpf"], warnings: [] });
    expect([...reasonsOf(main)]).toEqual(expect.arrayContaining(["testing"]));
    expect(reasonsOf(main)).not.toContain("");
    expect(main.phases?.names[main.phases.name[0] ?? -1]).toBeDefined();
    const other = recording.isolates.find(({ kind }) => kind === "worker");
    expect(other?.pauses.count).toBeGreaterThan(0);
    const bytes = bytesByFunction(main);
    for (const maker of LARGE_MAKERS) expect(bytes.get(maker) ?? 0).toBeGreaterThan(0);
    // The array of what is kept grows in the function "work"; all else is made by the five, by as much each.
    const wrong = [...bytes.keys()].filter((name) => ![...LARGE_MAKERS, "work", ""].includes(name));
    expect(wrong).toEqual([]);
    expect(bpftraceOn(pid)).toEqual([]);
    expect({ maps: mappedFiles(pid), probes: listedProbes() }).toEqual(before);
    target.process.kill("SIGUSR2");
    expect(await target.ended).toMatchObject({ code: 7, stdout: "runs\n", stderr: "" });
    const report = await runGcspike(["report", recording.path, "--format", "json"]);
    expect(report.code).toBe(0);
    expect(JSON.parse(report.stdout).recording.collectors).toEqual(["allocations", "ebpf"]);
  });

  test("functions that the optimiser put into their caller", { timeout: 300_000 }, async () => {
    const target = new Running(path, ["--allow-natives-syntax", fixture("inlining.cjs")]);
    started.push(target);
    await target.waitFor("optimised");
    const { detach, path: folder } = await attachTo(pidOf(target), workplace, ["--ebpf"]);
    const log = join(folder, `${pidOf(target)}-0.buffers`);
    while (statSync(log).size < HEADER_BYTES + 100 * SAMPLE_RECORD_BYTES) await sleep(50);
    const { recording } = await detach();
    const main = isolateOf(recording, "main");
    const names = [...bytesByFunction(main).keys()].filter((name) => name !== "");
    expect(names.sort()).toEqual(["hugeArray", "largeBuffer", "largeTypedArray"]);
    expect(main.allocations?.frames.some((frame) => frame.isInlined && frame.function === "largeBuffer")).toBe(true);
  });

  test("every pause that the probe sees, as long as the probe says, for the same reason", {
    timeout: 300_000,
  }, async () => {
    const { seen, inside } = await crossCheck(path);
    expect(inside.length).toBeGreaterThan(20);
    const pairs = inside.map((pause) => ({ pause, match: seen.find((one) => overlaps(one, pause)) }));
    expect(pairs.filter(({ match }) => match === undefined)).toEqual([]);
    const wrongKind = pairs.filter(({ pause, match }) => match?.kind !== pause.kind);
    expect(wrongKind).toEqual([]);
    // What marking was started for only the outside knows.
    const wrongReason = pairs.filter(({ pause, match }) => pause.reason !== "" && match?.reason !== pause.reason);
    expect(wrongReason).toEqual([]);
    expect(pairs.filter(({ match }) => match?.reason === "" && match.kind !== WEAK_CALLBACKS)).toEqual([]);
    // Where the scheduler came between the two looks at one end, the thread waited longer for one than for the other, or the probe took
    // longer for its own work, which lies between them.
    const isUndisturbed = (pause: ComparedPause, match: ComparedPause | undefined): boolean =>
      Math.abs(pause.waitedMs - (match?.waitedMs ?? 0)) < 0.05 && pause.probeMs < 0.1;
    const undisturbed = pairs.filter(({ pause, match }) => isUndisturbed(pause, match));
    expect(undisturbed.length).toBeGreaterThan(5);
    const wrongLength = undisturbed.filter(({ pause, match }) => {
      const error = Math.abs((match?.durationMs ?? 0) - pause.durationMs);
      return error > Math.max(0.1, pause.durationMs * 0.03);
    });
    expect(wrongLength).toEqual([]);
  });
});

/** Namespaces need rights that not every machine gives. */
const mayUnshare = (() => {
  try {
    execFileSync("unshare", ["--pid", "--mount", "--fork", "--mount-proc", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

const WEAK_CALLBACKS = 4;

interface ComparedPause {
  /** On the monotonic clock, ms. */
  readonly startMs: number;
  readonly durationMs: number;
  /** For a processor. */
  readonly waitedMs: number;
  /** The probe's own time at both ends. */
  readonly probeMs: number;
  readonly kind: number;
  readonly reason: string;
}

function overlaps(a: ComparedPause, b: ComparedPause): boolean {
  return a.startMs < b.startMs + b.durationMs && b.startMs < a.startMs + a.durationMs;
}

function pausesOf(recording: Recording): readonly ComparedPause[] {
  const { pauses, reasons } = isolateOf(recording, "main");
  const origin = Number(recording.manifest.startNs) / 1e6;
  return Array.from({ length: pauses.count }, (_, i) => ({
    startMs: origin + (pauses.startMs[i] ?? 0),
    durationMs: pauses.durationMs[i] ?? 0,
    waitedMs: pauses.runQueueMs[i] ?? 0,
    probeMs: pauses.probeMs[i] ?? 0,
    kind: pauses.kind[i] ?? -1,
    reason: reasons[pauses.reason[i] ?? -1] ?? "",
  }));
}

/** One process with the probe inside, watched from outside: all pauses that were seen, and those of the probe in the same time. */
async function crossCheck(node: string) {
  const recorded = workplace.start([node, "--expose-gc", fixture("traced.cjs")]);
  started.push(recorded.running);
  await recorded.running.waitFor("runs");
  const pid = childOf(pidOf(recorded.running));
  const { detach, path } = await attachTo(pid, workplace, ["--ebpf"]);
  await untilPauses(path, 50);
  const to = Number(process.hrtime.bigint()) / 1e6;
  const { recording } = await detach();
  process.kill(pid, "SIGUSR2");
  const { recording: probed } = await recorded.recorded();
  const seen = pausesOf(recording);
  const from = Number(recording.manifest.startNs) / 1e6;
  return { seen, inside: pausesOf(probed).filter(({ startMs }) => startMs > from && startMs < to) };
}

async function untilPauses(path: string, count: number): Promise<void> {
  const tail = new LiveTail(path);
  for (let pauses = 0; pauses < count; pauses = tail.read().pauses) await sleep(50);
}

/** Logs of pauses of threads that are not the main one, with something in them. */
function hasWorkerPauses(path: string): boolean {
  const logs = readdirSync(path).filter((name) => name.endsWith(".gc") && !name.endsWith("-0.gc"));
  return logs.some((name) => statSync(join(path, name)).size > HEADER_BYTES);
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
}

function mappedFiles(pid: number): readonly string[] {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8");
  return [...new Set(Array.from(maps.matchAll(/(?<= )\/.*$/gm), ([path]) => path))].sort();
}

describe.skipIf(NO_EBPF !== null)("gcspike attach --ebpf", () => {
  test("that is killed leaves no bpftrace, and the program goes on", { timeout: 300_000 }, async () => {
    const target = await traced(process.execPath);
    const pid = pidOf(target);
    for (const waitMs of [300, 700, 1500, 3000]) {
      const words = ["attach", String(pid), "--ebpf", "-o", workplace.path("killed.gcspike")];
      const gcspike = startGcspike(words, { cwd: workplace.cwd });
      await sleep(waitMs);
      gcspike.process.kill("SIGKILL");
      await gcspike.ended;
      for (let waited = 0; bpftraceOn(pid).length > 0; waited += 50) {
        if (waited > 30_000) throw new Error("bpftrace runs for nobody");
        await sleep(50);
      }
    }
    const { detach } = await attachTo(pid, workplace, ["--ebpf"]);
    await sleep(500);
    const { code, recording } = await detach();
    expect(code).toBe(0);
    expect(isolateOf(recording, "main").pauses.count).toBeGreaterThan(0);
    target.process.kill("SIGUSR2");
    expect((await target.ended).code).toBe(7);
  });

  test("ends with the program, after --duration, and by Ctrl-C while it starts", { timeout: 300_000 }, async () => {
    const target = await traced(process.execPath);
    const pid = pidOf(target);
    const timed = await runGcspike(
      ["attach", String(pid), "--ebpf", "--duration", "500ms", "-o", workplace.path("timed.gcspike")],
      { cwd: workplace.cwd },
    );
    expect(timed).toMatchObject({ code: 0, stdout: "" });
    expect(timed.stderr).toContain("traced.cjs was recorded for");
    const early = startGcspike(["attach", String(pid), "--ebpf", "-o", workplace.path("early.gcspike")], {
      cwd: workplace.cwd,
    });
    await sleep(400);
    early.process.kill("SIGINT");
    await early.ended;
    expect(bpftraceOn(pid)).toEqual([]);
    const { gcspike, path } = await attachTo(pid, workplace, ["--ebpf"]);
    target.process.kill("SIGUSR2");
    expect((await gcspike.ended).code).toBe(0);
    expect(gcspike.stderr).toContain("traced.cjs was recorded for");
    expect((await readRecording(path)).complete).toBe(true);
    expect((await target.ended).code).toBe(7);
  });

  test("filters by size, by function, by depth, and finds a program by its name", { timeout: 300_000 }, async () => {
    const target = await traced(process.execPath);
    const pid = pidOf(target);
    const record = async (...flags: readonly string[]): Promise<IsolateData> => {
      const path = workplace.path("filtered.gcspike");
      const { code, stderr } = await runGcspike(["attach", "--ebpf", "--duration", "2s", "-o", path, ...flags], {
        cwd: workplace.cwd,
      });
      expect({ code, stderr }).toMatchObject({ code: 0 });
      return isolateOf(await readRecording(path), "main");
    };
    const byFunction = await record("--name", "traced", "--function", "^makeTyped");
    expect(byFunction.samples?.heap.count).toBe(0);
    expect([...bytesByFunction(byFunction).keys()]).toEqual(["makeTypedArray"]);
    const bySize = await record(String(pid), "--min-bytes", "2MiB");
    expect([...bytesByFunction(bySize).keys()].filter((name) => LARGE_MAKERS.includes(name))).toEqual([]);
    const byDepth = await record(String(pid), "--depth", "1");
    expect(byDepth.allocations?.stacks.every((stack) => stack.length === 1)).toBe(true);
    const deep = await record(String(pid), "--depth", "64");
    expect(bytesByFunction(deep).get("makeBuffer") ?? 0).toBeGreaterThan(0);
    const none = await record(String(pid), "--no-allocations");
    expect(none).toMatchObject({ allocations: null, samples: null, collectors: ["ebpf"] });
    expect(none.pauses.count).toBeGreaterThan(0);
    await traced(process.execPath);
    const several = await runGcspike(["attach", "--ebpf", "--name", "traced.cjs"], { cwd: workplace.cwd });
    expect(several.code).toBe(4);
    expect(several.stderr).toContain(`2 Node.js programs here are called "traced.cjs"`);
    expect(several.stderr).toContain(String(pid));
  });

  test.skipIf(!mayUnshare)("watches a program in a container", { timeout: 300_000 }, async () => {
    const words = [
      "--pid",
      "--mount",
      "--fork",
      "--kill-child",
      "--mount-proc",
      process.execPath,
      fixture("traced.cjs"),
    ];
    const container = new Running("unshare", words);
    started.push(container);
    await container.waitFor("runs");
    const pid = childOf(pidOf(container));
    const { detach } = await attachTo(pid, workplace, ["--ebpf"]);
    await sleep(2000);
    const { code, recording } = await detach();
    expect(code).toBe(0);
    const main = isolateOf(recording, "main");
    expect(main.pauses.count).toBeGreaterThan(0);
    expect(bytesByFunction(main).get("makeBuffer") ?? 0).toBeGreaterThan(0);
    // The file of that path here may be another one.
    expect(main.allocations?.frames.every(({ line }) => line === 0)).toBe(true);
  });

  test("refuses what it cannot watch", { timeout: 300_000 }, async () => {
    const refusal = async (words: readonly string[], expected = 4): Promise<string> => {
      const { code, stdout, stderr } = await runGcspike(["attach", ...words], { cwd: workplace.cwd });
      expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
      return stderr;
    };
    expect(await refusal([String(2 ** 30), "--ebpf"])).toContain(`There is no process ${2 ** 30}.`);
    expect(await refusal(["--ebpf", "--name", "no-such-program"])).toContain('called "no-such-program"');
    const sleeper = new Running("sleep", ["100"]);
    started.push(sleeper);
    expect(await refusal([String(pidOf(sleeper)), "--ebpf"])).toContain("is not Node.js.");
    expect(await refusal(["--ebpf"], 2)).toContain("neither a process id nor a name");
    expect(await refusal(["1", "--ebpf", "--name", "api"], 2)).toContain("both a process id and --name");
    expect(await refusal(["1", "--min-bytes", "1MiB"], 2)).toContain("--min-bytes is for --ebpf alone");
    expect(await refusal([], 2)).toContain("There is no process id.");
    expect(await refusal(["1", "--ebpf", "--depth", "0"], 2)).toContain('--depth cannot be "0"');
    expect(await refusal(["1", "--ebpf", "--function", "("], 2)).toContain('--function cannot be "("');
    expect(await refusal(["1", "--ebpf", "--min-bytes", "64"], 2)).toContain('--min-bytes cannot be "64"');
  });
});
