/** Several gcspikes on one program: each has its recording, begins and ends by itself, and loses nothing by the others. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { IsolateData, Recording } from "../../src/recording/model.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { attachTo, listening, type Served, serve } from "../support/attached.ts";
import { type Running, runGcspike, startGcspike } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { fixture, isolateOf, type Pause, pausesOf, Workplace } from "../support/recorded.ts";

const MORE_PAUSES = 4;

const workplace = new Workplace();
const started: Running[] = [];

afterEach(() => {
  for (const { process } of started.splice(0)) process.kill("SIGKILL");
});
afterAll(() => {
  expect(workplace.filesInCwd()).toEqual([]);
  workplace.remove();
});

async function served(node: string): Promise<Served> {
  const target = await serve(node);
  started.push(target.running);
  return target;
}

async function ask({ get }: Served): Promise<void> {
  for (let i = 0; i < 10; i++) await get("/");
}

/** Has the program collect until there are some more pauses of each of these isolates in the folder. */
async function collect(target: Served, folder: string, names: readonly string[] = ["main"]): Promise<void> {
  const counts = async (): Promise<readonly number[]> => {
    const recording = await readRecording(folder);
    return names.map((name) => isolateOf(recording, name).pauses.count);
  };
  const before = await counts();
  const isEnough = (now: readonly number[]): boolean => now.every((count, i) => count > (before[i] ?? 0) + MORE_PAUSES);
  do await ask(target);
  while (!isEnough(await counts()));
}

/** A worker of this name is being recorded into the folder. */
async function hasWorker(folder: string, name: string): Promise<void> {
  const isNamed = (file: string): boolean =>
    /^\d+-\d+\.json$/.test(file) && readFileSync(`${folder}/${file}`, "utf8").includes(`"name": "${name}"`);
  while (!readdirSync(folder).some(isNamed)) await sleep(50);
}

function isMapped(pid: number): boolean {
  return /\.(gcspike|flight)\//.test(readFileSync(`/proc/${pid}/maps`, "utf8"));
}

interface Kept {
  readonly recording: Recording;
  readonly isolate: IsolateData;
}

function keptOf(recording: Recording, name = "main"): Kept {
  return { recording, isolate: isolateOf(recording, name) };
}

/** Between two moments, in us: one recording's clock may round another way than the other's. */
function pausesIn({ isolate, recording }: Kept, fromNs: number, toNs: number): readonly Pause[] {
  return pausesOf(isolate, recording).filter(({ startNs }) => startNs > fromNs - 1000 && startNs < toNs + 1000);
}

/** While both were recorded, every pause is in both, begins and ends at the same moments, and has the same kind. Returns how many. */
function expectSamePauses(one: Kept, other: Kept): number {
  const [pauses, others] = [one, other].map(({ isolate, recording }) => pausesOf(isolate, recording));
  const fromNs = Math.max(pauses?.[0]?.startNs ?? 0, others?.[0]?.startNs ?? 0);
  const toNs = Math.min(pauses?.at(-1)?.startNs ?? 0, others?.at(-1)?.startNs ?? 0);
  const [some, same] = [one, other].map((kept) => pausesIn(kept, fromNs, toNs));
  const kinds = (list: readonly Pause[] = []) => list.map(({ kind, forced }) => `${kind} ${forced}`);
  expect(kinds(some)).toEqual(kinds(same));
  some?.forEach(({ startNs, endNs }, index) => {
    expect(Math.abs(startNs - (same?.[index]?.startNs ?? 0))).toBeLessThan(1000);
    expect(Math.abs(endNs - (same?.[index]?.endNs ?? 0))).toBeLessThan(1000);
  });
  return some?.length ?? 0;
}

describe.each(NODES)("$version", ({ path, version }) => {
  /** What the only worker of the name is called: before Node 22.20 it does not know its name, if nobody has told it. */
  const called = (name: string): string => (version.startsWith("v20.") ? "worker-1" : name);

  test("attached to what gcspike records: the same pauses, phases and tags; allocations are the first one's", async () => {
    const first = workplace.start([path, "--inspect-port=0", fixture("attached.cjs")]);
    started.push(first.running);
    await first.running.waitFor("port ");
    const port = Number(/port (\d+)/.exec(first.running.stdout)?.[1]);
    const get = async (address: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${address}`)).text();
    const pid = Number(await get("/pid"));
    const target: Served = { running: first.running, pid, get };
    await get("/worker?early");
    const { detach, path: folder } = await attachTo(pid, workplace);
    await hasWorker(folder, "early");
    await get("/worker?late");
    await hasWorker(folder, "late");
    await collect(target, folder, ["main", "early", "late"]);
    const ended = await detach();
    expect(ended.code).toBe(0);
    await ask(target);
    await get("/end");
    const recorded = await first.recorded();
    expect(recorded.code).toBe(7);
    expect(recorded.recording).toMatchObject({ complete: true, warnings: [] });
    for (const name of ["main", "early", "late"]) {
      const [one, other] = [keptOf(recorded.recording, name), keptOf(ended.recording, name)];
      expect(one.isolate.warnings).toEqual([]);
      expect(one.isolate.collectors).toEqual(["probe", "phases", "heap", "allocations", "tags"]);
      expect(other.isolate.collectors).toEqual(["probe", "phases", "heap", "tags"]);
      expect(other.isolate.warnings).toMatchObject([{ code: "no-allocations" }]);
      expect(other.isolate.warnings[0]?.message).toContain(`process ${first.running.process.pid}`);
      expect(other.isolate.warnings[0]?.hint).toContain(first.path);
      expect(expectSamePauses(one, other)).toBeGreaterThan(3);
      expect(other.isolate.phases?.count).toBeGreaterThan(0);
    }
    const [all, some] = [recorded, ended].map(({ recording }) => isolateOf(recording, "main").tags?.count ?? 0);
    expect(some).toBeGreaterThanOrEqual(10);
    expect(all).toBeGreaterThanOrEqual((some ?? 0) + 10);
  });

  test.each([
    ["first", 0],
    ["last", 1],
  ])("two attached, of which the one that came %s goes first", async (_which, leaving) => {
    const target = await served(path);
    await target.get("/worker?both");
    const before = listening(target.pid);
    const attached = [await attachTo(target.pid, workplace), await attachTo(target.pid, workplace)] as const;
    for (const { path: folder } of attached) await hasWorker(folder, called("both"));
    await collect(target, attached[1].path, ["main", called("both")]);
    const [left, right] = leaving === 0 ? attached : [attached[1], attached[0]];
    const gone = await left.detach();
    expect(gone.code).toBe(0);
    expect(isMapped(target.pid)).toBe(true);
    await collect(target, right.path, ["main", called("both")]);
    const stayed = await right.detach();
    expect(stayed.code).toBe(0);
    for (const { recording } of [gone, stayed]) expect(recording).toMatchObject({ complete: true });
    for (const name of ["main", called("both")]) {
      const [one, other] = [keptOf(gone.recording, name), keptOf(stayed.recording, name)];
      expect(expectSamePauses(one, other)).toBeGreaterThan(3);
      // It went on, and nothing of it ended with the other.
      const goneNs = pausesOf(one.isolate, one.recording).at(-1)?.endNs ?? 0;
      expect(pausesOf(other.isolate, other.recording).filter(({ startNs }) => startNs > goneNs).length).toBeGreaterThan(
        3,
      );
    }
    expect(isolateOf(stayed.recording, "main").tags?.count).toBeGreaterThanOrEqual(20);
    expect(isMapped(target.pid)).toBe(false);
    expect(listening(target.pid)).toEqual(before);
  });

  test("one is killed: the other loses nothing, and the next one has allocations again", async () => {
    const target = await served(path);
    const killed = await attachTo(target.pid, workplace);
    const other = await attachTo(target.pid, workplace);
    await collect(target, other.path);
    killed.gcspike.process.kill("SIGKILL");
    await killed.gcspike.ended;
    await collect(target, other.path);
    const next = await attachTo(target.pid, workplace);
    await collect(target, next.path);
    const [one, last] = [await other.detach(), await next.detach()];
    const cut = await readRecording(killed.path);
    expect(cut.complete).toBe(false);
    expect(expectSamePauses(keptOf(cut), keptOf(one.recording))).toBeGreaterThan(3);
    expect(expectSamePauses(keptOf(one.recording), keptOf(last.recording))).toBeGreaterThan(3);
    expect(isolateOf(one.recording, "main").collectors).not.toContain("allocations");
    expect(isolateOf(last.recording, "main")).toMatchObject({ warnings: [] });
    expect(isolateOf(last.recording, "main").collectors).toContain("allocations");
    expect(isMapped(target.pid)).toBe(false);
  });

  test("three at the same moment, one of them a flight recorder; a fifth one is refused", async () => {
    const target = await served(path);
    const before = listening(target.pid);
    const ring = startGcspike(
      ["attach", String(target.pid), "--trigger", "pause>1us", "--keep", "1s", "-o", workplace.path("beside.flight")],
      { cwd: workplace.cwd },
    );
    started.push(ring);
    const two = await Promise.all([attachTo(target.pid, workplace), attachTo(target.pid, workplace)]);
    await ring.waitForError("armed for");
    const fourth = await attachTo(target.pid, workplace);
    await collect(target, fourth.path);
    const refused = await runGcspike(["attach", String(target.pid)], { cwd: workplace.cwd });
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain(`Process ${target.pid} is being recorded 4 times already`);
    for (const { path: folder, gcspike } of [...two, fourth]) {
      expect(refused.stderr).toContain(`into ${folder} by gcspike ${gcspike.process.pid}`);
    }
    const ended = await Promise.all([...two, fourth].map(({ detach }) => detach()));
    await ask(target);
    ring.process.kill("SIGINT");
    const flown = await ring.ended;
    expect(flown.code).toBe(0);
    expect(flown.stderr).toContain("pause>1us");
    const [a, b, c] = ended.map(({ recording }) => keptOf(recording));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three were attached");
    expect(expectSamePauses(a, b)).toBeGreaterThan(3);
    expect(expectSamePauses(b, c)).toBeGreaterThan(3);
    expect(isMapped(target.pid)).toBe(false);
    expect(listening(target.pid)).toEqual(before);
    await target.get("/end");
    expect((await target.running.ended).code).toBe(7);
  });

  test("three rounds of attaches, each of which begins before the one before it ends", async () => {
    const target = await served(path);
    let before = await attachTo(target.pid, workplace);
    const kept: Kept[] = [];
    for (let round = 0; round < 3; round++) {
      await collect(target, before.path);
      const next = await attachTo(target.pid, workplace);
      await collect(target, next.path);
      const { code, recording } = await before.detach();
      expect(code).toBe(0);
      kept.push(keptOf(recording));
      before = next;
    }
    const { code, recording } = await before.detach();
    expect(code).toBe(0);
    kept.push(keptOf(recording));
    for (let i = 1; i < kept.length; i++) {
      const [one, other] = [kept[i - 1], kept[i]];
      if (one !== undefined && other !== undefined) expect(expectSamePauses(one, other)).toBeGreaterThan(3);
    }
    expect(isMapped(target.pid)).toBe(false);
  });
});
