/** Every isolate of a program is recorded, however it was started; and what the program does with V8's own tools still works. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Recording } from "../../src/recording/model.ts";
import { Running } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { fixture, isolateOf, pausesOf, type Recorded, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
afterAll(() => {
  expect(workplace.filesInCwd()).toEqual([]);
  workplace.remove();
});

/** Who checked in (fixtures/agent/check-in.cjs): label and isolate. */
function checkedIn(stdout: string): readonly (readonly [label: string, isolate: string])[] {
  return Array.from(stdout.matchAll(/^(.+): (\d+-\d+)$/gm), ([, label = "", isolate = ""]) => [label, isolate]);
}

/** Labels of isolates that collected on request and have no such pause in the recording. */
function unrecorded({ stdout, recording }: Recorded): readonly string[] {
  return checkedIn(stdout).flatMap(([label, id]) => (hasCollected(recording, id) ? [] : [label]));
}

function hasCollected(recording: Recording, id: string): boolean {
  const isolate = recording.isolates.find((candidate) => candidate.id === id);
  return (
    isolate !== undefined && pausesOf(isolate, recording).some(({ kind, forced }) => forced && kind === "mark-compact")
  );
}

const labels = (stdout: string): readonly string[] => checkedIn(stdout).map(([label]) => label);

describe.each(NODES)("$version", ({ path, version }) => {
  const major = Number(/\d+/.exec(version)?.[0]);

  test("workers and children, with environments of their own and without", async () => {
    const recorded = await workplace.record([path, fixture("family.cjs")]);
    expect(recorded.code).toBe(0);
    expect(labels(recorded.stdout)).toHaveLength(30);
    expect(unrecorded(recorded)).toEqual([]);
    // Nobody else came, and nobody came twice.
    expect(recorded.recording.isolates).toHaveLength(30);
    expect(recorded.recording.warnings).toEqual([]);
    const names = recorded.recording.isolates.map(({ name }) => name);
    for (const worker of ["worker", "worker with env", "parent", "eval worker", "subclass", "worker of module"]) {
      expect(names).toContain(worker);
      expect(isolateOf(recorded.recording, worker).kind).toBe("worker");
    }
    // It got no name.
    expect(names.filter((name) => /^worker-\d+$/.test(name))).toHaveLength(1);
    expect(isolateOf(recorded.recording, "main").id).toBe(checkedIn(recorded.stdout)[0]?.[1]);
  });

  test("flags of the process that workers refuse", async () => {
    const words = ["--expose-gc", "--max-old-space-size=300", "--stack-trace-limit=20", fixture("leaf-starter.cjs")];
    const bare = await new Running(path, words, { cwd: workplace.cwd }).ended;
    const recorded = await workplace.startWithAgent([path, ...words]).recorded();
    expect(recorded).toMatchObject({ code: 0, stderr: "" });
    // A worker prints through its parent, a child by itself: which comes first differs.
    const lines = (stdout: string): readonly string[] => stdout.split("\n").sort();
    expect(lines(recorded.stdout)).toEqual(lines(bare.stdout));
    expect(recorded.recording.isolates).toHaveLength(3);
  });

  test("cluster", async () => {
    const recorded = await workplace.record([path, fixture("clustered.cjs")]);
    expect(recorded.code).toBe(0);
    expect(labels(recorded.stdout)).toEqual(["primary", "cluster worker 1", "cluster worker 2"]);
    expect(unrecorded(recorded)).toEqual([]);
    expect(recorded.recording.isolates.map(({ kind }) => kind)).toEqual(["main", "child", "child"]);
  });

  test.skipIf(major === 20)("process.execve (Node 22.15 and later)", async () => {
    const recorded = await workplace.record([path, fixture("replaced.cjs")]);
    expect(labels(recorded.stdout)).toEqual(["first", "second", "third"]);
    const [, first = ""] = checkedIn(recorded.stdout)[0] ?? [];
    expect(recorded.recording.isolates.map(({ id }) => id)).toEqual([first, `${first}.2`, `${first}.3`]);
    for (const { id } of recorded.recording.isolates) expect(hasCollected(recorded.recording, id)).toBe(true);
  });

  const check = JSON.stringify(fixture("check-in.cjs"));
  test.each([
    ["--import and a TypeScript loader", ["--import", fixture("loader.mjs"), fixture("typed.ts")], "typescript"],
    ["a module", [fixture("leaf.mjs"), "alone"], "alone"],
    ["node -e", ["-e", `require(${check}).checkIn("evaluated")`], "evaluated"],
    ["node -p", ["-p", `require(${check}).checkIn("printed")`], "printed"],
    ["node -e as a module", ["--input-type=module", "-e", `import c from ${check}; c.checkIn("inline")`], "inline"],
    ["--frozen-intrinsics", ["--frozen-intrinsics", fixture("leaf.cjs"), "frozen"], "frozen"],
    ["--jitless", ["--jitless", fixture("leaf.cjs"), "jitless"], "jitless"],
    [
      "--disallow-code-generation-from-strings",
      ["--disallow-code-generation-from-strings", fixture("leaf.cjs"), "strict"],
      "strict",
    ],
  ])("%s", async (_name, words, label) => {
    const recorded = await workplace.record([path, ...words]);
    expect(labels(recorded.stdout)).toEqual([label]);
    expect(unrecorded(recorded)).toEqual([]);
  });

  test("a script from stdin", async () => {
    const recorded = await workplace.record([path], { input: `require(${check}).checkIn("stdin")` });
    expect(labels(recorded.stdout)).toEqual(["stdin"]);
    expect(unrecorded(recorded)).toEqual([]);
  });

  test("a package's program that a shell script starts, with NODE_OPTIONS of its own", async () => {
    const home = workplace.path(`pre "load" it`);
    mkdirSync(home);
    const preload = join(home, "pre load.cjs");
    writeFileSync(preload, `require(${check}).checkIn("preloaded")`);
    const NODE_OPTIONS = `--no-warnings --require "${preload.replaceAll('"', '\\"')}"`;
    const env = { NODE_OPTIONS, NODE: path, PATH: `${dirname(path)}:${process.env.PATH}` };
    const started = workplace.start(["sh", "-c", `"${fixture("bin.sh")}" packaged; node -e 0`], { env });
    const { stdout, ...recorded } = await started.recorded();
    // gcspike is a Node program too.
    const own = `preloaded: ${started.running.process.pid}-0\n`;
    expect(stdout).toContain(own);
    const others = stdout.replace(own, "");
    expect(labels(others)).toEqual(["preloaded", "packaged", "preloaded"]);
    expect(unrecorded({ ...recorded, stdout: others })).toEqual([]);
    expect(recorded.recording.isolates).toHaveLength(2);
  });

  test("code in vm contexts", async () => {
    const code = `
      const { createContext, runInContext } = require("node:vm");
      const context = createContext({ gc, kept: [] });
      runInContext("function insideContext() { for (let i = 0; i < 1e5; i++) kept.push({ i }); gc() } insideContext()", context);`;
    const { recording } = await workplace.record([path, "--expose-gc", "-e", code]);
    const isolate = isolateOf(recording, "main");
    expect(pausesOf(isolate, recording).flatMap(({ stack }) => stack)).toContain("insideContext");
  });
});

/** A program may use what the probe uses. */
describe.each(NODES)("the program's own tools on $version", ({ path, version }) => {
  const major = Number(/\d+/.exec(version)?.[0]);

  test("a heap sampler of the inspector gets its profile", async () => {
    const recorded = await workplace.record([path, fixture("sampling.cjs")]);
    expect(recorded).toMatchObject({ code: 0, stdout: "growForTheProfile\n" });
    const { warnings, allocations } = isolateOf(recorded.recording, "main");
    const all = [...recorded.recording.warnings, ...warnings];
    expect(all.map(({ code }) => code)).toEqual(["sampler-yielded"]);
    expect(allocations?.windows.length).toBeGreaterThan(0);
  });

  test("heap profiles of itself and of a worker (Node 24 and later)", async () => {
    const bare = await new Running(path, [fixture("heap-profiles.cjs")], { cwd: workplace.cwd }).ended;
    const recorded = await workplace.record([path, fixture("heap-profiles.cjs")]);
    expect(recorded).toMatchObject({ code: 0, stdout: bare.stdout });
    expect(bare.stdout).not.toContain("ERR");
    const taken = bare.stdout.split("\n").length - 1;
    const { isolates, warnings: ofRecording } = recorded.recording;
    const warnings = [...ofRecording, ...isolates.flatMap((isolate) => isolate.warnings)];
    expect(warnings.filter(({ code }) => code === "sampler-yielded")).toHaveLength(taken);
  });

  // Node 22 aborts by itself where such a program starts a worker.
  test.skipIf(major === 22)("a program that was built into a snapshot", async () => {
    const blob = workplace.path("snapshot.blob");
    const flags = ["--snapshot-blob", blob];
    const built = await new Running(path, [...flags, "--build-snapshot", fixture("snapshot.cjs")]).ended;
    expect(built.code).toBe(0);
    const bare = await new Running(path, flags, { cwd: workplace.cwd }).ended;
    const recorded = await workplace.record([path, ...flags]);
    expect(recorded).toMatchObject({ code: bare.code, stdout: bare.stdout });
    expect(isolateOf(recorded.recording, "main").pauses.count).toBeGreaterThan(0);
  });

  test("--heap-prof writes its profile, and the recording says that allocations are missing", async () => {
    const profiles = workplace.path("profiles");
    const words = ["--heap-prof", "--heap-prof-dir", profiles, fixture("leaf.cjs"), "profiled"];
    const recorded = await workplace.record([path, ...words]);
    expect(recorded.code).toBe(0);
    const [file = ""] = readdirSync(profiles);
    expect(JSON.parse(readFileSync(join(profiles, file), "utf8"))).toHaveProperty("head.children");
    const { collectors, warnings, allocations } = isolateOf(recorded.recording, "main");
    expect(collectors).toEqual(["probe", "phases", "heap", "tags"]);
    expect(warnings.map(({ code }) => code)).toEqual(["no-allocations"]);
    expect(allocations).toBeNull();
    expect(unrecorded(recorded)).toEqual([]);
  });

  test("--cpu-prof writes its profile", async () => {
    const profiles = workplace.path("profiles");
    const words = ["--cpu-prof", "--cpu-prof-dir", profiles, fixture("leaf.cjs"), "profiled"];
    const recorded = await workplace.record([path, ...words]);
    const [file = ""] = readdirSync(profiles);
    expect(JSON.parse(readFileSync(join(profiles, file), "utf8")).samples.length).toBeGreaterThan(0);
    expect(unrecorded(recorded)).toEqual([]);
  });

  /** Names of GC events in a trace file, and how many of the category that only we switched on. */
  function gcEvents(file: string): { readonly names: ReadonlySet<string>; readonly unwanted: number } {
    const { traceEvents }: { traceEvents: { name: string; cat: string }[] } = JSON.parse(readFileSync(file, "utf8"));
    return {
      names: new Set(traceEvents.map(({ name }) => name)),
      unwanted: traceEvents.filter(({ cat }) => cat.includes("disabled-by-default-v8.gc")).length,
    };
  }

  test("--trace-event-categories writes the events it was asked for and no others, and phases are recorded", async () => {
    const file = workplace.path("trace.json");
    const words = [
      "--trace-event-categories",
      "v8,node",
      "--trace-event-file-pattern",
      file,
      fixture("leaf.cjs"),
      "traced",
    ];
    const recorded = await workplace.record([path, ...words]);
    const { names, unwanted } = gcEvents(file);
    expect(names).toContain("MajorGC");
    expect(unwanted).toBe(0);
    expect(unrecorded(recorded)).toEqual([]);
    expect(isolateOf(recorded.recording, "main").phases?.names).toContain("MajorGC");
    expect(isolateOf(recorded.recording, "main").reasons).toContain("testing");
  });

  test("trace_events that the program switches on and off, while phases are recorded throughout", async () => {
    const file = workplace.path("trace.json");
    const words = ["--expose-gc", "--trace-event-file-pattern", file, fixture("tracing.cjs")];
    const { recording, code } = await workplace.record([path, ...words]);
    expect(code).toBe(0);
    const { traceEvents }: { traceEvents: { name: string; ph: string }[] } = JSON.parse(readFileSync(file, "utf8"));
    // Three collections while it traced, of five.
    expect(traceEvents.filter(({ name, ph }) => name === "MajorGC" && ph === "B")).toHaveLength(3);
    expect(gcEvents(file).unwanted).toBe(0);
    const { phases } = isolateOf(recording, "main");
    const majors = Array.from(phases?.name ?? []).filter((name) => phases?.names[name] === "MajorGC");
    expect(majors).toHaveLength(5);
  });

  test("the permission model: the program runs as it would, and what may not be recorded is not", async () => {
    const flag = major === 20 ? "--experimental-permission" : "--permission";
    const bare = new Running(path, ["--no-warnings", flag, "--allow-fs-read=*", fixture("restricted.cjs")], {
      cwd: workplace.cwd,
    });
    const { stdout } = await bare.ended;
    expect(stdout).toBe("write ERR_ACCESS_DENIED\nspawn ERR_ACCESS_DENIED\naddons ERR_DLOPEN_DISABLED\n");
    for (const [more, collectors] of [
      [[], null],
      [["--allow-fs-write=*"], ["perf_hooks", "tags"]],
      [
        ["--allow-fs-write=*", "--allow-addons"],
        ["probe", "phases", "heap", "allocations", "tags"],
      ],
    ] as const) {
      const words = ["--no-warnings", flag, "--allow-fs-read=*", ...more, fixture("restricted.cjs")];
      const expected = await new Running(path, words, { cwd: workplace.cwd }).ended;
      const started = workplace.startWithAgent([path, ...words]);
      const { code, stdout, stderr } = await started.running.ended;
      expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: expected.stdout, stderr: expected.stderr });
      if (collectors === null) {
        expect(readdirSync(started.path)).toEqual(["agent.json"]);
        continue;
      }
      const [isolate] = (await started.recorded()).recording.isolates;
      expect(isolate?.collectors).toEqual(collectors);
      expect(isolate?.pauses.count).toBeGreaterThan(0);
    }
  });

  test("the permission model, of a program that may read itself alone", async () => {
    const script = workplace.path("hello.cjs");
    writeFileSync(script, "console.log('hello')");
    const flag = major === 20 ? "--experimental-permission" : "--permission";
    const words = ["--no-warnings", flag, `--allow-fs-read=${script}`, script];
    const bare = await new Running(path, words, { cwd: workplace.cwd }).ended;
    const running = workplace.start([path, ...words]).running;
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: bare.code, stdout: bare.stdout });
    expect(stderr).toContain("the permission model keeps it from writing");
  });

  test("--no-addons: PerformanceObserver records instead, and the recording says why", async () => {
    const recorded = await workplace.record([path, "--no-addons", fixture("leaf.cjs"), "alone"]);
    const { collectors, warnings } = isolateOf(recorded.recording, "main");
    expect(collectors).toEqual(["perf_hooks", "tags"]);
    // It collected nothing, of which this collector cannot be sure.
    expect(warnings.map(({ code }) => code)).toEqual(["no-probe", "no-pauses-delivered"]);
    expect(labels(recorded.stdout)).toEqual(["alone"]);
  });
});
