/** `--json` of commands that have no formats, from real runs, as a script reads it. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attachTo, serve } from "../support/attached.ts";
import { GCSPIKE, Running, runGcspike } from "../support/cli.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { Workplace } from "../support/recorded.ts";
import { expectValidJson } from "../support/schema.ts";

const workplace = new Workplace();
const recording = workplace.path("work.gcspike");
const started: Running[] = [];

/** Collects when it is asked to, prints to both streams, and ends with exit code 3. */
const PROGRAM = `
  let kept = [];
  for (let i = 0; i < 20; i++) { for (let j = 0; j < 2e4; j++) kept.push({ j }); if (i % 5 === 4) { kept = []; gc(); } }
  console.log("out"); console.error("err");
  setTimeout(() => process.exit(3), 300);`;
const COMMAND = ["--", process.execPath, "--expose-gc", "-e", PROGRAM];

const gcspike = (...words: readonly string[]) => runGcspike(words, { cwd: workplace.cwd });

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

beforeAll(async () => {
  const { code } = await gcspike("record", "-o", recording, ...COMMAND);
  expect(code).toBe(3);
});
afterAll(() => {
  for (const { process } of started.splice(0)) process.kill("SIGKILL");
  expect(readdirSync(workplace.cwd)).toEqual([]);
  workplace.remove();
});

describe("record", () => {
  test("writes a file, and stdout stays the program's", async () => {
    const [output, file] = [workplace.path("r.gcspike"), workplace.path("r.json")];
    const { code, stdout, stderr } = await gcspike("record", "-o", output, "--json", file, ...COMMAND);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "out\n" });
    expect(stderr).toContain("P99 pause");
    const said = read(file);
    expectValidJson("recorded", said);
    const exit = { code: 3, signal: null };
    expect(said).toMatchObject({ recording: output, programEnded: true, exit, dumps: [], warnings: [] });
  });

  test("or another descriptor, which the program does not get", async () => {
    const [output, file] = [workplace.path("fd.gcspike"), workplace.path("fd.json")];
    const program = `
      const { readdirSync, readlinkSync, existsSync } = require("node:fs");
      const open = readdirSync("/proc/self/fd").map((fd) => "/proc/self/fd/" + fd).filter(existsSync);
      console.log(open.map((fd) => readlinkSync(fd)).includes(${JSON.stringify(file)}));`;
    const words = ["record", "-o", output, "--json", "/dev/fd/3", "--", process.execPath, "-e", program];
    const line = 'exec 3> "$1"; shift; exec "$@"';
    const running = startSh(["-c", line, "sh", file, process.execPath, GCSPIKE, ...words]);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: "false\n" });
    expect(read(file)).toMatchObject({ recording: output, exit: { code: 0, signal: null } });
  });

  test.runIf(process.platform === "linux")("not a descriptor that nobody opened, whatever Node has there", async () => {
    const output = workplace.path("own.gcspike");
    for (const number of [3, 4, 5, 6, 7, 200]) {
      const { code, stderr } = await gcspike("record", "-o", output, "--json", `/dev/fd/${number}`, ...COMMAND);
      expect({ number, code }).toEqual({ number, code: 2 });
      expect(stderr).toContain("Nothing was run");
    }
  });

  test.runIf(process.platform === "linux")(
    "says where that fails, and the exit code is still the program's",
    async () => {
      const output = workplace.path("full.gcspike");
      const { code, stderr } = await gcspike("record", "-o", output, "--json", "/dev/full", ...COMMAND);
      expect(code).toBe(3);
      expect(stderr).toContain("gcspike: Cannot write /dev/full: ENOSPC.\n  The recording is untouched.\n");
      expect((await gcspike("report", output, "--json")).code).toBe(0);
    },
  );

  test("of a flight recorder: its dumps, and what fired", async () => {
    const [output, file] = [workplace.path("f.flight"), workplace.path("f.json")];
    const { code } = await gcspike("record", "-o", output, "--trigger", "death", "--json", file, ...COMMAND);
    expect(code).toBe(3);
    const said = read(file) as { readonly dumps: readonly { readonly recording: string; readonly bytes: number }[] };
    expectValidJson("recorded", said);
    expect(said).toMatchObject({
      recording: null,
      exit: { code: 3, signal: null },
      dumps: [{ triggers: [{ trigger: "death", what: "the program ended with exit code 3" }], untold: 0 }],
    });
    expect(readdirSync(output)).toEqual(said.dumps.map((dump) => dump.recording.slice(output.length + 1)));
    for (const dump of said.dumps) expect(sizeOf(dump.recording)).toBe(dump.bytes);
  });

  test("of a flight recorder in which nothing fired: no dump, and no folder", async () => {
    const [output, file] = [workplace.path("n.flight"), workplace.path("n.json")];
    const words = ["--trigger", "pause>1m", "--json", file, "--", process.execPath, "-e", "0"];
    const { code } = await gcspike("record", "-o", output, ...words);
    expect(code).toBe(0);
    expect(read(file)).toMatchObject({ recording: null, dumps: [] });
  });
});

test("attach prints it, and nothing else, to stdout", async () => {
  const target = await serve(process.execPath);
  started.push(target.running);
  const { path, detach } = await attachTo(target.pid, workplace, ["--json"]);
  const { code, stdout, stderr } = await detach();
  expect(code).toBe(0);
  expect(stderr).toContain("attached.cjs was recorded for");
  const said = JSON.parse(stdout);
  expectValidJson("recorded", said);
  expect(said).toMatchObject({ recording: path, programEnded: false, exit: null, dumps: [], warnings: [] });
});

describe("export", () => {
  test.each([
    ["a file", "pauses.csv", ["--table", "pauses"], [""]],
    ["tables", "tables", ["--format", "csv"], ["/pauses.csv", "/heap.csv", "/spikes.csv", "/sites.csv"]],
  ])("%s: where, and how large", async (_, name, words, ends) => {
    const output = workplace.path(name);
    const { code, stdout, stderr } = await gcspike("export", recording, "-o", output, ...words, "--json");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Wrote /);
    const said = JSON.parse(stdout);
    expectValidJson("exported", said);
    const files = ends.map((end) => ({ path: output + end, bytes: statSync(output + end).size }));
    expect(said).toEqual({ schema: "gcspike.exported/1", format: "csv", files, sent: null });
  });

  test("to a receiver: to whom, and of how many processes", async () => {
    const receiver = await startOtlpReceiver();
    try {
      const endpoint = `http://127.0.0.1:${receiver.port}`;
      const { code, stdout } = await gcspike("export", recording, "--format", "otlp", "--endpoint", endpoint, "--json");
      expect(code).toBe(0);
      const said = JSON.parse(stdout);
      expectValidJson("exported", said);
      expect(said).toMatchObject({ files: [], sent: { url: `${endpoint}/v1/metrics`, processes: 1 } });
    } finally {
      receiver.close();
    }
  });
});

describe("top", () => {
  interface Seen {
    readonly pid: number;
    readonly command: readonly string[];
    readonly recordings: readonly { readonly folder: string; readonly recorderPid: number | null }[];
    readonly figures: { readonly pauses: number; readonly heapBytes: number | null } | null;
  }

  async function top(): Promise<readonly Seen[]> {
    const { code, stdout, stderr } = await gcspike("top", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const said = JSON.parse(stdout);
    expectValidJson("top", said);
    return said.processes;
  }

  test("all Node processes; figures of those that are recorded; nothing is touched", async () => {
    const alone = await serve(process.execPath);
    const target = await serve(process.execPath);
    started.push(alone.running, target.running);
    const { gcspike: attached, path, detach } = await attachTo(target.pid, workplace);
    for (let i = 0; i < 30; i++) await target.get("/");
    // The heap is looked at ten times a second.
    let seen = await top();
    const of = (pid: number) => seen.find((one) => one.pid === pid);
    while ((of(target.pid)?.figures?.heapBytes ?? null) === null) {
      await sleep(100);
      seen = await top();
    }
    expect(of(alone.pid)).toMatchObject({
      command: expect.arrayContaining([process.execPath]),
      recordings: [],
      figures: null,
    });
    expect(of(target.pid)?.recordings).toEqual([{ folder: path, recorderPid: attached.process.pid }]);
    expect(of(target.pid)?.figures?.pauses).toBeGreaterThan(0);
    expect(seen.map(({ pid }) => pid)).toEqual(seen.map(({ pid }) => pid).sort((a, b) => a - b));
    expect((await detach()).code).toBe(0);
    expect((await top()).find(({ pid }) => pid === target.pid)).toMatchObject({ recordings: [], figures: null });
    alone.running.process.kill("SIGKILL");
    // Node says on stderr where somebody asked for its inspector.
    expect((await alone.running.ended).stderr).toBe("");
  });
});

test.each([
  ["sessions", ["--pool", "on", "--rate", "1000", "--duration", "1s"]],
  ["txpool", ["--mode", "naive", "--tps", "1000", "--duration", "1s", "--resident", "1s"]],
])("simulate %s: its figures, where words would be", async (name, words) => {
  const { code, stdout } = await gcspike("simulate", name, ...words, "--json");
  // A busy machine may not hold the rate.
  expect([0, 1]).toContain(code);
  const said = JSON.parse(stdout);
  expectValidJson("workload", said);
  expect(said.name).toBe(name);
  expect(said.metrics.map(({ metric }: { metric: string }) => metric)).toContain("latency.p99");
});

test("report: what --format json prints", async () => {
  const [short, long] = [
    await gcspike("report", recording, "--json"),
    await gcspike("report", recording, "--format", "json"),
  ];
  expect(short.code).toBe(0);
  expect(short.stdout).toBe(long.stdout);
});

function startSh(words: readonly string[]): Running {
  const running = new Running("sh", words, { cwd: workplace.cwd });
  started.push(running);
  return running;
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
