/** gcspike top in a real terminal: what a person sees, and what is left when they leave. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { shellWord } from "../../src/lib/shell.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { attachTo, listening, pidOf, type Served, serve } from "../support/attached.ts";
import { GCSPIKE, Running, runGcspike, temporaryFolder } from "../support/cli.ts";
import { isolateOf, Workplace } from "../support/recorded.ts";
import { Tmux } from "../support/tmux.ts";

const TOP = `${shellWord(process.execPath)} ${shellWord(GCSPIKE)} top`;
/** Node's own words about an inspector. */
const DEBUGGER = /^(Debugger (listening|ending) on ws:.*|For help, see: .*|Debugger attached\.|)$/;

let cwd: ReturnType<typeof temporaryFolder>;
let tmux: Tmux;
const started: Running[] = [];
let asking = true;
const clients: Promise<void>[] = [];

beforeEach(() => {
  cwd = temporaryFolder();
  asking = true;
  tmux = new Tmux({ width: 150, rows: 60, cwd: cwd.path });
});
afterEach(async () => {
  asking = false;
  await Promise.all(clients.splice(0));
  tmux.close();
  for (const { process } of started.splice(0)) process.kill("SIGKILL");
  cwd.remove();
});

/** A server that somebody asks all the time, so that it collects. */
async function busyServer(): Promise<Served> {
  const target = await serve(process.execPath);
  started.push(target.running);
  const ask = async (): Promise<void> => {
    for (; asking; await sleep(10)) await target.get("/").catch(() => {});
  };
  clients.push(ask());
  return target;
}

function recordings(): readonly string[] {
  return readdirSync(cwd.path).filter((name) => name.endsWith(".gcspike"));
}

function rowOf(screen: string, pid: number): string {
  return screen.split("\n").find((line) => new RegExp(`^[> ] +${pid} `).test(line)) ?? "";
}

function showsRow(pid: number, what: RegExp): (screen: string) => boolean {
  return (screen) => what.test(rowOf(screen, pid));
}

/** Sorts by pid, so that rows stay where they are, and goes to this one. */
async function select(pid: number): Promise<void> {
  while (!tmux.screen().includes("sort by pid")) {
    tmux.press("s");
    await sleep(50);
  }
  for (;;) {
    const lines = tmux.screen().split("\n");
    const selected = lines.findIndex((line) => line.startsWith("> "));
    const wanted = lines.indexOf(rowOf(lines.join("\n"), pid));
    if (selected === wanted) return;
    tmux.press(selected < wanted ? "Down" : "Up");
    await sleep(50);
  }
}

function isMapped(pid: number): boolean {
  return readFileSync(`/proc/${pid}/maps`, "utf8").includes(".gcspike/");
}

test("two programs: seen, measured, recorded, let go of", async () => {
  const [first, second] = [await busyServer(), await busyServer()];
  const ports = listening(first.pid);
  tmux.type("stty -a >before; echo $((40 + 2)) was before");
  await tmux.waitFor("42 was before");
  tmux.type(`${TOP}; echo exit code $?`);
  await tmux.waitFor((screen) => rowOf(screen, first.pid) !== "" && rowOf(screen, second.pid) !== "");
  expect(isMapped(first.pid)).toBe(false);
  expect(rowOf(tmux.screen(), first.pid)).toMatch(/attached\.cjs .* -/);

  await select(first.pid);
  await tmux.waitFor('Node then prints "Debugger listening" on its stderr');
  tmux.press("Enter");
  const measured = await tmux.waitFor(
    showsRow(first.pid, /attached +\d+ %.* ms +[\d.]+ % +[\d.]+ MiB +[\d.]+ [KM]iB\/s.*keepOrder/),
  );
  expect(measured).toMatch(/keepOrder +.*attached\.cjs:20/);
  expect(measured).toMatch(/pauses? in 10 s: P99 [\d.]+ m?s, worst/);
  expect(listening(first.pid)).toEqual(ports);
  expect(isMapped(second.pid)).toBe(false);

  tmux.press("r");
  await tmux.waitFor(showsRow(first.pid, /recording .* ms .*MiB/));
  const [kept = ""] = recordings();
  await tmux.waitFor(new RegExp(`Recorded for \\d\\d:\\d\\d into ${kept}; r ends that`));

  await select(second.pid);
  tmux.press("a");
  await tmux.waitFor(showsRow(second.pid, /attached .* ms .*MiB/));
  expect(recordings()).toHaveLength(2);

  await select(first.pid);
  tmux.press("r");
  await tmux.waitFor(`are in ${kept}`);
  const recording = await readRecording(join(cwd.path, kept));
  expect(recording).toMatchObject({ complete: true, warnings: [] });
  expect(isolateOf(recording, "main").pauses.count).toBeGreaterThan(0);
  // It was watched before, and is so again.
  await tmux.waitFor(showsRow(first.pid, /attached .* ms .*MiB/));

  await second.get("/end");
  const ended = await tmux.waitFor(showsRow(second.pid, /ended .* ms .*MiB/));
  expect(rowOf(ended, second.pid)).toContain("keepOrder");
  await tmux.waitFor((screen) => !isAttached(screen));

  tmux.press("q");
  const after = await tmux.waitFor("exit code 0");
  expect(after).toContain("42 was before");
  expect(after).toContain(`${kept}`);
  expect(isMapped(first.pid)).toBe(false);
  expect(listening(first.pid)).toEqual(ports);
  // What was recorded on purpose, and what a program left that ended while it was watched.
  expect(recordings()).toHaveLength(2);
  for (const name of recordings()) expect((await readRecording(join(cwd.path, name))).complete).toBe(true);
  tmux.type("stty -a >after; cmp before after && echo the same");
  await tmux.waitFor(/^the same$/m);
  expect(first.running.stdout).toMatch(/^port \d+\n$/);
  for (const line of first.running.stderr.split("\n")) expect(line).toMatch(DEBUGGER);
  expect((await second.running.ended).code).toBe(7);

  function isAttached(screen: string): boolean {
    return rowOf(screen, second.pid).includes("attached ");
  }
});

test("a process by its number is attached to at once; Enter lets go; nothing is kept", async () => {
  const target = await busyServer();
  tmux.type(`${TOP} ${target.pid}; echo exit code $?`);
  await tmux.waitFor(showsRow(target.pid, /^> .*attached .* ms .*MiB/));
  expect(recordings()).toHaveLength(1);
  tmux.press("Enter");
  await tmux.waitFor('Node then prints "Debugger listening"');
  expect(recordings()).toEqual([]);
  expect(isMapped(target.pid)).toBe(false);
  tmux.press("q");
  await tmux.waitFor("exit code 0");
});

test("left while it attaches: it is let go of all the same", async () => {
  const target = await busyServer();
  const ports = listening(target.pid);
  tmux.type(`${TOP} ${target.pid}; echo exit code $?`);
  await tmux.waitFor("gcspike top   ");
  tmux.press("q");
  await tmux.waitFor("exit code 0");
  expect(recordings()).toEqual([]);
  expect(isMapped(target.pid)).toBe(false);
  expect(listening(target.pid)).toEqual(ports);
});

test("what another gcspike records is shown from its files, and recorded beside it", async () => {
  const workplace = new Workplace();
  try {
    const target = await busyServer();
    const { gcspike, path } = await attachTo(target.pid, workplace);
    started.push(gcspike);
    tmux.type(TOP);
    await tmux.waitFor(showsRow(target.pid, /recorded .* ms .*MiB/));
    await select(target.pid);
    await tmux.waitFor(`gcspike ${gcspike.process.pid} records it into ${path}.`);
    tmux.press("Enter");
    await tmux.waitFor("and its figures are here");
    tmux.press("r");
    await tmux.waitFor(showsRow(target.pid, /recording .* ms .*MiB/));
    gcspike.process.kill("SIGINT");
    expect((await gcspike.ended).code).toBe(0);
    await tmux.waitFor("r ends that");
    tmux.press("r");
    await tmux.waitFor((screen) => /^[> ] +\d+ +attached\.cjs +\d+ % /m.test(rowOf(screen, target.pid)));
    tmux.press("q");
    await tmux.waitFor((screen) => screen.includes("ready>"));
    expect(recordings()).toHaveLength(1);
    for (const name of recordings()) expect((await readRecording(join(cwd.path, name))).complete).toBe(true);
    expect(isMapped(target.pid)).toBe(false);
  } finally {
    workplace.remove();
  }
});

test("why a process cannot be attached to is said, and it runs on", async () => {
  const running = new Running(process.execPath, ["-e", "setInterval(() => {}, 1e6); console.log('ready')"]);
  started.push(running);
  await running.waitFor("ready");
  const pid = pidOf(running);
  tmux.type(`cd /proc && ${TOP} ${pid}; cd ${shellWord(cwd.path)}; echo exit code $?`);
  await tmux.waitFor(/Cannot create \/proc\/[\s\S]*Recordings go into the folder that gcspike top was started in\./);
  expect(rowOf(tmux.screen(), pid)).toMatch(/^> .*node/);
  expect(isMapped(pid)).toBe(false);
  expect(running.stderr).toBe("");
  tmux.press("q");
  await tmux.waitFor("exit code 0");
});

describe("the terminal is as it was", () => {
  test("after SIGTERM, with everything let go of", async () => {
    const target = await busyServer();
    tmux.type(`stty -a >before; sh -c 'echo $$ >pid; exec ${TOP} ${target.pid}'; echo exit code $?`);
    await tmux.waitFor(showsRow(target.pid, /attached .* ms /));
    process.kill(Number(readFileSync(join(cwd.path, "pid"), "utf8")), "SIGTERM");
    await tmux.waitFor("exit code 0");
    expect(isMapped(target.pid)).toBe(false);
    expect(recordings()).toEqual([]);
    tmux.type("stty -a >after; cmp before after && echo the same");
    await tmux.waitFor(/^the same$/m);
  });

  test("after an error, which is there to be read", async () => {
    writeFileSync(join(cwd.path, "crash.cjs"), "setTimeout(() => { throw new Error('on purpose') }, 3000)");
    tmux.type(`stty -a >before; NODE_OPTIONS="--require ./crash.cjs" ${TOP}; echo exit code $?`);
    await tmux.waitFor("gcspike top   ");
    const after = await tmux.waitFor(/exit code [1-9]/);
    expect(after).toContain("Error: on purpose");
    tmux.type("stty -a >after; cmp before after && echo the same");
    await tmux.waitFor(/^the same$/m);
  });

  test("while it is stopped with Ctrl-Z; in the foreground it goes on, in another size too", async () => {
    tmux.type("stty -a >before; echo $((40 + 2)) was before");
    tmux.type(TOP);
    await tmux.waitFor("sort by");
    tmux.press("C-z");
    const stopped = await tmux.waitFor("Stopped");
    expect(stopped).toContain("42 was before");
    tmux.type("stty -a >after; cmp before after && echo the same");
    await tmux.waitFor(/^the same$/m);
    tmux.type("fg");
    await tmux.waitFor((screen) => screen.startsWith(" gcspike top") && screen.includes("sort by"));
    tmux.resize(60, 20);
    await tmux.waitFor((screen) => screen.trimEnd().split("\n").length === 20 && screen.includes("leave"));
    tmux.press("q");
    await tmux.waitFor((screen) => !screen.includes("gcspike top   ") && screen.includes("ready>"));
  });
});

describe("refused, before anything is drawn", () => {
  test("without a terminal", async () => {
    const { code, stdout, stderr } = await runGcspike(["top"]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("gcspike top needs a terminal");
    expect(stderr).toContain("gcspike attach <pid>");
    expect(stderr).toContain("gcspike report <recording>");
  });

  test("on one that cannot be drawn on, and for a process that is none", async () => {
    tmux.type(`TERM=dumb ${TOP}; echo exit code $?`);
    await tmux.waitFor(/needs a terminal[\s\S]*exit code 2/);
    tmux.type(`clear; ${TOP} 999999999; echo exit code $?`);
    await tmux.waitFor(/There is no process 999999999[\s\S]*exit code 4/);
    expect(existsSync(join(cwd.path, "pid"))).toBe(false);
  });
});
