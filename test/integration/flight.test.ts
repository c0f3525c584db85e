/** The flight recorder over real programs: how they die, what is kept of their last time, and what is left. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { analyse } from "../../src/analysis/analyse.ts";
import { RingLog } from "../../src/recorder/flight/ring-log.ts";
import type { IsolateData, Recording } from "../../src/recording/model.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { HEADER, LOOP_RECORD_BYTES, LogKind } from "../../src/recording/spec.ts";
import { serve } from "../support/attached.ts";
import { type Ended, type Running, runGcspike, startGcspike } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { fixture, isolateOf, Workplace } from "../support/recorded.ts";
import { expectValidJson } from "../support/schema.ts";

const workplace = new Workplace();
const started: Running[] = [];

afterEach(() => {
  for (const { process } of started.splice(0)) process.kill("SIGKILL");
});
afterAll(() => {
  expect(workplace.filesInCwd()).toEqual([]);
  workplace.remove();
});

interface Flight {
  readonly gcspike: Running;
  readonly path: string;
  readonly landed: () => Promise<Ended & { readonly dumps: readonly Recording[] }>;
}

function fly(words: readonly string[], command: readonly string[] = []): Flight {
  const path = workplace.path("program.flight");
  const [name = "", ...rest] = words;
  const gcspike = startGcspike([name, "-o", path, ...rest, ...(command.length > 0 ? ["--", ...command] : [])], {
    cwd: workplace.cwd,
  });
  started.push(gcspike);
  return { gcspike, path, landed: async () => ({ ...(await gcspike.ended), dumps: await dumpsIn(path) }) };
}

/** In order of time. A folder without any is not left. */
async function dumpsIn(path: string): Promise<readonly Recording[]> {
  if (!existsSync(path)) return [];
  const names = readdirSync(path).sort();
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[a-z.]+(\.\d+)?\.gcspike$/);
  return Promise.all(names.map((name) => readRecording(join(path, name))));
}

function only<T>(list: readonly T[]): T {
  expect(list).toHaveLength(1);
  return list[0] ?? expect.fail("nothing");
}

function namesOf(isolate: IsolateData, stack: number): readonly string[] {
  const { stacks = [], frames = [] } = isolate.allocations ?? {};
  return (stacks[stack] ?? []).map((frame) => frames[frame]?.function ?? "");
}

/** Everything that a report needs of the program's last time. */
function expectWhole(dump: Recording): void {
  const main = isolateOf(dump, "main");
  expect(main.collectors).toEqual(["probe", "phases", "heap", "allocations", "tags"]);
  expect(main.pauses.count).toBeGreaterThan(0);
  expect(main.heap.count).toBeGreaterThan(0);
  expect(main.loop.count).toBeGreaterThan(0);
  expect(main.phases?.count).toBeGreaterThan(0);
  expect(main.tags?.count).toBeGreaterThan(0);
  expect(main.samples?.heap.count).toBeGreaterThan(0);
  expect(dump.processes.every(({ count }) => count > 0)).toBe(true);
  expect(dump.warnings).toEqual([]);
  expect(main.warnings).toEqual([]);
}

/** Estimated bytes that were allocated by keepForGood before the recording began, and live. */
function keptForGood(main: IsolateData): number {
  const { heap } = main.samples ?? expect.fail("no samples");
  return Array.from({ length: heap.count }, (_, i) => i)
    .filter((i) => (heap.bornMs[i] ?? 0) < 0 && heap.diedMs[i] === Number.POSITIVE_INFINITY)
    .filter((i) => namesOf(main, heap.stack[i] ?? -1).includes("keepForGood"))
    .reduce((sum, i) => sum + (heap.bytes[i] ?? 0), 0);
}

describe.each(NODES)("$version", ({ path, version }) => {
  const program = (way: string, seconds: number, flags: readonly string[] = []): readonly string[] => [
    path,
    ...flags,
    fixture("flight.cjs"),
    way,
    String(seconds),
  ];

  test.each([
    ["exit", 3, "the program ended with exit code 3"],
    ["throw", 1, "the program ended with exit code 1"],
    ["abort", 134, "the program ended by SIGABRT"],
    ["kill-self", 137, "the program ended by SIGKILL"],
    ["segfault", 139, "the program ended by SIGSEGV"],
  ])("record: %s leaves a whole dump", async (way, code, what) => {
    const landed = await fly(["record", "--trigger", "death", "--keep", "30s"], program(way, 0.5)).landed();
    expect(landed.code).toBe(code);
    const dump = only(landed.dumps);
    expect(dump.manifest).toMatchObject({ state: "finished", dump: { triggers: [{ trigger: "death", what }] } });
    expectWhole(dump);
    // All that the program did up to its last moment: the file is what was written into memory that it shares.
    const marks = Number(/(\d+) marks/.exec(landed.stdout)?.[1]);
    const { tags } = isolateOf(dump, "main");
    expect(tags?.weight.reduce((sum, weight) => sum + weight, 0)).toBe(marks);
    expect(landed.stderr).toContain(`death: ${what}`);
    expect(landed.stderr).toContain("Read the worst:  gcspike report ");
  });

  test("record: out of memory", async () => {
    const words = program("oom", 0.2, ["--max-old-space-size=150"]);
    const landed = await fly(["record", "--trigger", "heap.limit", "--keep", "30s"], words).landed();
    expect(landed.code).toBeGreaterThan(128);
    const dump = landed.dumps.at(-1) ?? expect.fail("no dump");
    const triggers = landed.dumps.flatMap(({ manifest }) => manifest.dump?.triggers ?? []);
    expect(triggers.map(({ trigger }) => trigger)).toContain("heap.limit");
    expect(triggers.at(-1)?.what).toMatch(
      /^the program ended by SIG\w+, with [\d.]+ % of the heap's limit in use: out of memory$/,
    );
    expectWhole(dump);
    const spikes = analyse(dump, { spikeMs: 1 }).spikes.filter(({ cause }) => cause === "heap-limit");
    expect(spikes.length).toBeGreaterThan(0);
    expect(spikes.some(({ sites }) => sites[0]?.function === "leak")).toBe(true);
    const report = await runGcspike(["report", dump.path], { cwd: workplace.cwd });
    expect(report.code).toBe(0);
    expect(report.stdout).toContain("Written by the flight recorder: ");
  });

  test("attach: kill -9, and an exit code that it wrote itself", async () => {
    for (const end of ["kill", "exit"] as const) {
      const target = await serve(path);
      started.push(target.running);
      const flight = fly(["attach", String(target.pid), "--trigger", "death", "--keep", "30s"]);
      await flight.gcspike.waitForError("armed for attached.cjs");
      for (let i = 0; i < 20; i++) await target.get("/");
      if (end === "kill") process.kill(target.pid, "SIGKILL");
      else await target.get("/end");
      const landed = await flight.landed();
      expect(landed.code).toBe(0);
      const dump = only(landed.dumps);
      const what =
        end === "kill"
          ? "the program ended and did not say how: a signal or an abort"
          : "the program ended with exit code 7";
      expect(dump.manifest.dump?.triggers).toMatchObject([{ trigger: "death", what }]);
      expect(isolateOf(dump, "main").pauses.count).toBeGreaterThan(0);
      expect(isolateOf(dump, "main").samples?.heap.count).toBeGreaterThan(0);
      expect(dump.warnings).toEqual([]);
      await target.running.ended;
    }
  });

  test(`what was kept before the ring's beginning is there as retained from before (${version})`, async () => {
    const words = program("kill-self", 9, ["--max-semi-space-size=1"]);
    const landed = await fly(["record", "--trigger", "death", "--keep", "1s"], words).landed();
    const dump = only(landed.dumps);
    expectWhole(dump);
    const main = isolateOf(dump, "main");
    // A second, and up to a quarter of one.
    expect(dump.durationMs).toBeLessThan(2500);
    expect(main.startMs).toBe(0);
    expect(main.pauses.startMs[0]).toBeGreaterThanOrEqual(0);
    // 300,000 rows of an object and a list.
    expect(keptForGood(main)).toBeGreaterThan(15e6);
    expect(keptForGood(main)).toBeLessThan(120e6);
    // Not counted as allocated in this time.
    const allocated = (main.allocations?.windows ?? []).flatMap(({ samples }) => samples);
    expect(allocated.some(({ stack }) => namesOf(main, stack).includes("keepForGood"))).toBe(false);
    expect(allocated.some(({ stack }) => namesOf(main, stack).includes("makeGarbage"))).toBe(true);
    // Names that came before the beginning.
    expect(main.tags?.names).toEqual(expect.arrayContaining(["turn 0", "turn 1", "turn 2"]));
  });
});

const [{ path: node } = { path: process.execPath }] = NODES;

test("a storm of triggers makes a dump in the time that is kept, and only so many stay", async () => {
  const words = ["record", "--trigger", "pause>1us", "--trigger", "heap>1MiB", "--keep", "1s", "--max-dumps", "2"];
  const flight = fly(words, [node, "--max-semi-space-size=1", fixture("flight.cjs"), "never", "60"]);
  const written = () => flight.gcspike.stderr.match(/^ {2}(pause>1us|heap>1MiB): .*more triggers$/gm) ?? [];
  while (written().length < 4) await sleep(100);
  flight.gcspike.process.kill("SIGTERM");
  const landed = await flight.landed();
  expect(landed.dumps).toHaveLength(2);
  const [earlier, later] = landed.dumps.map(({ manifest }) => BigInt(manifest.endNs ?? 0));
  // The last one is written at the end, whatever came before.
  expect((later ?? 0n) > (earlier ?? 0n)).toBe(true);
  for (const { manifest } of landed.dumps) expect(manifest.dump?.triggers.length).toBeGreaterThan(0);
  const compared = await runGcspike(["compare", ...landed.dumps.map((dump) => dump.path)], { cwd: workplace.cwd });
  expect(compared.code).toBe(0);
  expect(compared.stdout).toContain("pause.p99");
});

test("the ring takes no more of the disk the longer it records", async () => {
  const flight = fly(["record", "--trigger", "death", "--keep", "1s"], [node, fixture("flight.cjs"), "never", "60"]);
  await flight.gcspike.waitFor("kept");
  const ring = join(flight.path, "ring");
  const [descriptor = ""] = readdirSync(ring).filter((name) => /^\d+-0\.json$/.test(name));
  const { first, committed } = await until(ring, descriptor.replace(".json", ".loop"), ({ first }) => first > 0);
  // Records of 32 bytes, ten a second: what is kept, what is written behind a trigger, and some seconds for a busy machine.
  expect((committed - first) / LOOP_RECORD_BYTES).toBeLessThan(150);
  started[0]?.process.kill("SIGTERM");
  // Asked to end: no death.
  const landed = await flight.landed();
  expect(landed.code).toBe(143);
  expect(landed.dumps).toEqual([]);
  expect(landed.stderr).toContain("No trigger fired: nothing was kept.");
});

test("a gcspike that is killed leaves what its ring held, and what that refers to", async () => {
  const flight = fly(["record", "--trigger", "death", "--keep", "1s"], [node, fixture("flight.cjs"), "end", "15"]);
  await flight.gcspike.waitFor("kept");
  const ring = join(flight.path, "ring");
  const [descriptor = ""] = readdirSync(ring).filter((name) => /^\d+-0\.json$/.test(name));
  // Three seconds are forgotten, and with them what made what is kept.
  await until(ring, descriptor.replace(".json", ".loop"), ({ first }) => first >= 30 * LOOP_RECORD_BYTES);
  flight.gcspike.process.kill("SIGKILL");
  // Its output is closed when the program has ended, which goes on.
  await flight.gcspike.ended;
  const told = await runGcspike(["report", flight.path], { cwd: workplace.cwd });
  expect(told.stderr).toContain(`gcspike recover ${flight.path}`);
  const { code, stdout, stderr } = await runGcspike(["recover", flight.path, "--json"], { cwd: workplace.cwd });
  expect(code).toBe(0);
  expect(stderr).toContain("Read it:  gcspike report ");
  const dump = only(await dumpsIn(flight.path));
  const recovered = JSON.parse(stdout);
  expectValidJson("recorded", recovered);
  expect(recovered).toMatchObject({ recording: dump.path, programEnded: true, exit: null, dumps: [], warnings: [] });
  expect(recovered.durationMs).toBeCloseTo(
    Number(BigInt(dump.manifest.endNs ?? 0) - BigInt(dump.manifest.startNs)) / 1e6,
    3,
  );
  expectWhole(dump);
  const main = isolateOf(dump, "main");
  expect(keptForGood(main)).toBeGreaterThan(15e6);
  expect(main.tags?.names).toEqual(expect.arrayContaining(["turn 0", "turn 1", "turn 2"]));
  const again = await runGcspike(["recover", flight.path], { cwd: workplace.cwd });
  expect(again.code).toBe(4);
  expect(again.stderr).toContain("has no ring of a flight recorder");
});

async function until(
  folder: string,
  name: string,
  isReached: (state: { readonly first: number; readonly committed: number }) => boolean,
): Promise<{ readonly first: number; readonly committed: number }> {
  for (;;) {
    const log = RingLog.open(join(folder, name), LogKind.loop);
    const header = log?.header() ?? Buffer.alloc(HEADER.strings);
    log?.close();
    const state = {
      first: Number(header.readBigUInt64LE(HEADER.firstBytes)),
      committed: Number(header.readBigUInt64LE(HEADER.committedBytes)),
    };
    if (isReached(state)) return state;
    await sleep(100);
  }
}

test("attach: let go, it leaves nothing where nothing fired, and the program goes on", async () => {
  const target = await serve(node);
  started.push(target.running);
  await target.get("/worker?early");
  const flight = fly(["attach", String(target.pid), "--trigger", "heap>1GiB"]);
  await flight.gcspike.waitForError("armed for attached.cjs");
  await target.get("/");
  flight.gcspike.process.kill("SIGINT");
  const landed = await flight.landed();
  expect(landed.code).toBe(0);
  expect(landed.stderr).toContain("No trigger fired: nothing was kept.");
  expect(existsSync(flight.path)).toBe(false);
  expect(await target.get("/")).toMatch(/^\d+\n$/);
});

test.each([
  [["record", "--keep", "5s", "--", "node", "x.js"], /--keep is for a flight recorder/],
  [["record", "--trigger", "pause", "--", "node", "x.js"], /--trigger cannot be "pause".*\n.*gc\.share>10%/],
  [["record", "--trigger", "death", "--cpu", "--", "node", "x.js"], /no profiles/],
  [["attach", String(process.pid), "--trigger", "death", "--max-disk", "1KiB"], /--max-disk is at least/],
])("wrong usage: %j", async (words, message) => {
  const { code, stderr } = await runGcspike(words, { cwd: workplace.cwd });
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
