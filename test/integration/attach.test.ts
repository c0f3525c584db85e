/** gcspike attached to programs that run: what is recorded, what the program notices, and what is left when gcspike is gone. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { GcType } from "../../src/recording/spec.ts";
import { attachTo, listening, pidOf, type Served, serve } from "../support/attached.ts";
import { Running, runGcspike, startGcspike } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { fixture, isolateOf, pausesOf, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
const started: Running[] = [];

afterEach(() => {
  for (const { process } of started.splice(0)) process.kill("SIGKILL");
});
afterAll(() => {
  expect(workplace.filesInCwd()).toEqual([]);
  workplace.remove();
});

async function served(node: string, words: readonly string[] = []): Promise<Served> {
  const target = await serve(node, words);
  started.push(target.running);
  return target;
}

/** A program of one line that runs until it is killed, and has printed "ready". */
async function idle(node: string, words: readonly string[], code = ""): Promise<number> {
  const running = new Running(node, [...words, "-e", `setInterval(() => {}, 1e6); ${code}; console.log("ready")`]);
  started.push(running);
  await running.waitFor("ready");
  return pidOf(running);
}

/** Node's own words about an inspector. */
const DEBUGGER =
  /^(Debugger (listening|ending) on ws:\/\/127\.0\.0\.1:\d+\/[\w-]+|For help, see: .*|Debugger attached\.|)$/;

describe.each(NODES)("$version", ({ path, version }) => {
  const major = Number(/\d+/.exec(version)?.[0]);
  /** What a worker is called: before Node 22.20 it does not know its name. */
  const called = (name: string, thread: number): string => (major === 20 ? `worker-${thread}` : name);

  test("main thread, workers before and after; nothing is left", async () => {
    const target = await served(path);
    await target.get("/worker?early");
    const before = listening(target.pid);
    const { detach, gcspike, path: folder } = await attachTo(target.pid, workplace);
    expect(listening(target.pid)).toEqual(before);
    await target.get("/worker?late");
    while (readdirSync(folder).filter((name) => name.endsWith(".json")).length < 5) await sleep(50);
    for (let i = 0; i < 30; i++) await target.get("/");
    const { code, stderr, recording } = await detach();
    expect(code).toBe(0);
    expect(gcspike.stdout).toBe("");
    expect(stderr).toContain("attached.cjs was recorded for");
    expect(recording).toMatchObject({ complete: true, warnings: [] });
    for (const name of ["main", called("early", 1), called("late", 2)]) {
      const isolate = isolateOf(recording, name);
      expect(isolate.collectors).toEqual(["probe", "phases", "heap", "allocations", "tags"]);
      expect(isolate.warnings).toEqual([]);
      expect(isolate.pauses.count).toBeGreaterThan(0);
    }
    expect(recording.isolates).toHaveLength(3);
    expect(isolateOf(recording, "main").tags?.count).toBeGreaterThan(20);
    expect(readdirSync(recording.path).filter((name) => /attached|\.tmp$/.test(name))).toEqual([]);
    expect(readFileSync(`/proc/${target.pid}/maps`, "utf8")).not.toContain(recording.path);
    expect(listening(target.pid)).toEqual(before);
    await target.get("/end");
    const ended = await target.running.ended;
    expect(ended.code).toBe(7);
    expect(ended.stdout).toMatch(/^port \d+\n$/);
    for (const line of ended.stderr.split("\n")) expect(line).toMatch(DEBUGGER);
  });

  test("the same collections as a PerformanceObserver in the program", async () => {
    const output = workplace.path("observed");
    const observe = `process.once("SIGUSR2", () => { process.argv[2] = ${JSON.stringify(output)}; require(${JSON.stringify(fixture("observed.cjs"))}); })`;
    const pid = await idle(path, ["--inspect-port=0", "--expose-gc"], observe);
    const { detach } = await attachTo(pid, workplace);
    process.kill(pid, "SIGUSR2");
    while (!existsSync(`${output}-0.json`)) await sleep(50);
    await sleep(50);
    const { recording } = await detach();
    const seen: {
      readonly fromNs: number;
      readonly untilNs: number;
      readonly entries: readonly (readonly [kind: number, startNs: number, durationNs: number])[];
    } = JSON.parse(readFileSync(`${output}-0.json`, "utf8"));
    const main = isolateOf(recording, "main");
    const pauses = pausesOf(main, recording).filter(({ startNs }) => startNs >= seen.fromNs && startNs <= seen.untilNs);
    const entries = seen.entries.filter(([, startNs]) => startNs <= seen.untilNs + 20_000);
    expect(pauses.length).toBeGreaterThan(12);
    expect(pauses).toHaveLength(entries.length);
    expect(pauses.filter(({ kind }) => kind === "mark-compact")).toHaveLength(
      entries.filter(([kind]) => kind === GcType.markCompact).length,
    );
  });

  test("a program that collects all the time, a loop that never turns", async () => {
    const code =
      "setImmediate(() => { let kept = []; for (;;) { kept.push({ n: kept.length }); if (kept.length > 1e5) kept = []; } })";
    const pid = await idle(path, ["--inspect-port=0", "--max-semi-space-size=1"], code);
    const before = listening(pid);
    const { detach } = await attachTo(pid, workplace);
    await sleep(500);
    const { code: exitCode, recording } = await detach();
    expect(exitCode).toBe(0);
    expect(recording).toMatchObject({ complete: true, warnings: [] });
    expect(isolateOf(recording, "main").pauses.count).toBeGreaterThan(10);
    expect(listening(pid)).toEqual(before);
    // What is the event loop's waits for its turn; what is V8's does not.
    expect(readFileSync(`/proc/${pid}/maps`, "utf8")).not.toContain(recording.path);
  });

  test("gcspike is killed again and again: the program serves on, and the next one attaches", async () => {
    const target = await served(path);
    const before = listening(target.pid);
    let failed = 0;
    let asking = true;
    const client = (async () => {
      for (; asking; await sleep(5)) await target.get("/").catch(() => failed++);
    })();
    const kills = version === process.version ? 20 : 5;
    for (let i = 0; i < kills; i++) {
      const path = workplace.path("killed.gcspike");
      const gcspike = startGcspike(["attach", String(target.pid), "-o", path], { cwd: workplace.cwd });
      await sleep(Math.random() * 800);
      gcspike.process.kill("SIGKILL");
      await gcspike.ended;
    }
    asking = false;
    await client;
    expect(failed).toBe(0);
    // Whatever it was in the middle of, it has stopped within some ticks of the probe.
    for (let waited = 0; readFileSync(`/proc/${target.pid}/maps`, "utf8").includes(".gcspike/"); waited += 50) {
      if (waited > 30_000) throw new Error("it goes on recording for nobody");
      await sleep(50);
    }
    while (listening(target.pid).length > before.length) await sleep(50);
    const { detach } = await attachTo(target.pid, workplace);
    for (let i = 0; i < 300; i++) await target.get("/");
    const { recording } = await detach();
    expect(isolateOf(recording, "main").pauses.count).toBeGreaterThan(0);
  });

  test("--duration, and the program's own end", async () => {
    const target = await served(path);
    const path1 = workplace.path("timed.gcspike");
    const timed = await runGcspike(["attach", String(target.pid), "--duration", "300ms", "-o", path1]);
    expect(timed).toMatchObject({ code: 0, stdout: "" });
    expect(timed.stderr).toContain("attached.cjs was recorded for");
    const { gcspike } = await attachTo(target.pid, workplace);
    await target.get("/end");
    const ended = await gcspike.ended;
    expect(ended.code).toBe(0);
    expect((await target.running.ended).code).toBe(7);
  });

  test("a worker that waits for another thread stops when it runs", async () => {
    const target = await served(path);
    await target.get("/worker?busy");
    const { detach, path: folder } = await attachTo(target.pid, workplace);
    await target.get("/held");
    await target.get("/release");
    while (readdirSync(folder).filter((name) => name.endsWith(".json")).length < 5) await sleep(50);
    const { recording } = await detach();
    expect(recording.isolates.map(({ name }) => name).sort()).toEqual(
      ["main", called("busy", 1), called("held", 2)].sort(),
    );
  });

  test("workers that begin and end all the time", async () => {
    const running = new Running(path, ["--inspect-port=0", fixture("worker-churn.cjs")]);
    started.push(running);
    await running.waitFor("runs");
    for (let i = 0; i < 3; i++) {
      const { detach } = await attachTo(pidOf(running), workplace);
      await sleep(500);
      expect((await detach()).code).toBe(0);
    }
    running.process.kill("SIGUSR2");
    const { code, stdout, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/"ended":\d+,"failed":0/);
    for (const line of stderr.split("\n")) expect(line).toMatch(DEBUGGER);
  });

  test("an inspector that was open stays open", async () => {
    const pid = await idle(path, ["--inspect=0"]);
    const before = listening(pid);
    expect(before).toHaveLength(1);
    const { gcspike, detach } = await attachTo(pid, workplace);
    expect(gcspike.stderr).toContain("was open before, and stays open");
    await detach();
    expect(listening(pid)).toEqual(before);
  });

  test.skipIf(major < 24)("refuses a program without a handler for SIGUSR1", async () => {
    const pid = await idle(path, ["--disable-sigusr1"]);
    const { code, stderr } = await runGcspike(["attach", String(pid)], { cwd: workplace.cwd });
    expect(code).toBe(4);
    expect(stderr).toContain(`Process ${pid} has no inspector to open`);
    expect(process.kill(pid, 0)).toBe(true);
  });

  test("refuses an inspector that others could reach", async () => {
    const pid = await idle(path, ["--inspect-port=0.0.0.0:0"]);
    const { code, stderr } = await runGcspike(["attach", String(pid)], { cwd: workplace.cwd });
    expect(code).toBe(4);
    expect(stderr).toContain("opens its inspector on 0.0.0.0");
    expect(listening(pid)).toEqual([]);
  });

  test("refuses where the port is in use, and says by whom", async () => {
    const other = await served(path);
    const port = Number(/port (\d+)/.exec(other.running.stdout)?.[1]);
    const pid = await idle(path, [`--inspect-port=${port}`]);
    const { code, stderr } = await runGcspike(["attach", String(pid)], { cwd: workplace.cwd });
    expect(code).toBe(4);
    expect(stderr).toContain(`on port ${port}, which process ${other.pid} (`);
  });
});

test("refuses what is no process, no Node, a thread, in a container, and words that are no number", async () => {
  const refusal = async (pid: number | string): Promise<string> => {
    const { code, stdout, stderr } = await runGcspike(["attach", String(pid)], { cwd: workplace.cwd });
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    return stderr;
  };
  expect(await refusal(2 ** 30)).toContain(`There is no process ${2 ** 30}.`);
  const target = await served(process.execPath);
  const thread =
    readdirSync(`/proc/${target.pid}/task`)
      .map(Number)
      .find((id) => id !== target.pid) ?? 0;
  expect(await refusal(thread)).toContain(`${thread} is a thread of process ${target.pid}.`);
  const sleeper = spawn("sleep", ["100"]);
  try {
    expect(await refusal(sleeper.pid ?? 0)).toContain(`Process ${sleeper.pid} (sleep) is not Node.js.`);
  } finally {
    sleeper.kill();
  }
  const { code, stderr } = await runGcspike(["attach", "server"], { cwd: workplace.cwd });
  expect(code).toBe(2);
  expect(stderr).toContain('"server" is no process id.');
});

/** Namespaces need rights that not every machine gives. */
const mayUnshare = (() => {
  try {
    execFileSync("unshare", ["--pid", "--fork", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!mayUnshare)("refuses a program in another PID namespace", async () => {
  const words = [
    "--pid",
    "--fork",
    "--kill-child",
    process.execPath,
    "-e",
    "setInterval(() => {}, 1e6); console.log('ready')",
  ];
  const container = new Running("unshare", words);
  started.push(container);
  await container.waitFor("ready");
  const pid = Number(readFileSync(`/proc/${pidOf(container)}/task/${pidOf(container)}/children`, "utf8").trim());
  const { code, stderr } = await runGcspike(["attach", String(pid)], { cwd: workplace.cwd });
  expect(code).toBe(4);
  expect(stderr).toContain(`Process ${pid} runs in another PID namespace`);
  expect(stderr).toContain("docker exec");
});
