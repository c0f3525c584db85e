/** What the program says it is doing is in the recording, on every Node version, and the program notices nothing. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { analyse } from "../../src/analysis/analyse.ts";
import { TAG_SOURCES, type TagSource } from "../../src/recording/spec.ts";
import { renderSpike } from "../../src/report/terminal.ts";
import { ROOT, Running } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { fixture, isolateOf, type Recorded, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
afterAll(() => {
  expect(workplace.filesInCwd()).toEqual([]);
  workplace.remove();
});

interface Tag {
  readonly name: string;
  readonly source: TagSource | undefined;
  readonly timeMs: number;
  readonly durationMs: number;
  readonly weight: number;
}

function tagsOf({ recording }: Recorded, which = "main"): readonly Tag[] {
  const { tags, collectors, warnings } = isolateOf(recording, which);
  expect(collectors).toContain("tags");
  // perf_hooks cannot be sure that a program collected nothing.
  expect(warnings.filter(({ code }) => code !== "no-pauses-delivered")).toEqual([]);
  if (tags === null) throw new Error("no tags");
  return Array.from({ length: tags.count }, (_, i) => ({
    name: tags.names[tags.name[i] ?? -1] ?? "",
    source: TAG_SOURCES[tags.source[i] ?? -1],
    timeMs: tags.timeMs[i] ?? Number.NaN,
    durationMs: tags.durationMs[i] ?? Number.NaN,
    weight: tags.weight[i] ?? 0,
  }));
}

const named = (tags: readonly Tag[], name: string): readonly Tag[] => tags.filter((tag) => tag.name === name);
const textOf = (tags: readonly Tag[]): readonly string[] => tags.map(({ source, name }) => `${source} ${name}`);

/** What fixtures/agent/tags.cjs does before it ends. */
function expectAll(recorded: Recorded): void {
  const tags = tagsOf(recorded);
  expect(textOf(tags.filter(({ source }) => source === "tag"))).toEqual(["tag text", "tag object", "tag "]);
  const requests = tags.filter(({ source }) => source === "http");
  expect(textOf(requests)).toEqual([
    "http GET /users/:id",
    "http GET /shop/:item",
    "http GET /users/:id",
    "http GET /last",
  ]);
  for (const { durationMs } of requests.slice(0, 3)) expect(durationMs).toBeGreaterThan(15);
  expect(requests[3]?.durationMs).toBeNaN();
  expectBlock(tags);
  const inWorker = tagsOf(recorded, "second");
  expect(textOf(inWorker.slice(0, 2))).toEqual(["tag in a worker", "mark begun"]);
  expectBlock(inWorker);
}

function expectBlock(tags: readonly Tag[]): void {
  const [block] = named(tags, "block");
  const [begun] = named(tags, "begun");
  expect(block).toMatchObject({ source: "measure", weight: 1 });
  expect(block?.durationMs).toBeGreaterThanOrEqual(100);
  // Of one moment, in two ways: the mark's own time, and the measure's start.
  expect(block?.timeMs).toBeCloseTo(begun?.timeMs ?? Number.NaN, 3);
  const inside = named(tags, "blocked");
  expect(inside.length).toBeGreaterThan(1);
  for (const { timeMs } of inside) {
    expect(timeMs).toBeGreaterThanOrEqual(begun?.timeMs ?? Number.NaN);
    expect(timeMs).toBeLessThanOrEqual((block?.timeMs ?? 0) + (block?.durationMs ?? 0) + 0.001);
  }
}

describe.each(NODES)("$version", ({ path, version }) => {
  test.each([
    ["process.exit", "exit", 3],
    ["an exception", "throw", 1],
    ["kill -9", "kill", 137],
    ["abort", "abort", 134],
  ])("all up to %s", async (_name, way, code) => {
    const recorded = await workplace.record([path, fixture("tags.cjs"), way]);
    expect(recorded.code).toBe(code);
    expectAll(recorded);
  });

  test.each([
    ["an end in order", "end", 0],
    ["kill -9", "kill", 137],
  ])("the portable collector, up to %s", async (_name, way, code) => {
    const command = [path, fixture("tags.cjs"), way];
    const recorded = await workplace.record(command, { flags: ["--collector", "perf_hooks"] });
    expect(recorded.code).toBe(code);
    expect(isolateOf(recorded.recording, "main").collectors).toEqual(["perf_hooks", "tags"]);
    expectAll(recorded);
  });

  test("a program sees none of it", async () => {
    const bare = await new Running(path, [fixture("timing-shape.cjs")], { cwd: workplace.cwd }).ended;
    const recorded = await workplace.startWithAgent([path, fixture("timing-shape.cjs")]).recorded();
    expect(recorded).toMatchObject({ code: 0, stderr: bare.stderr, stdout: bare.stdout });
    expect(bare.stdout.split("\n").length).toBeGreaterThan(20);
    expect(named(tagsOf(recorded), "m")).toMatchObject([{ source: "mark", weight: 1 }]);
    expect(named(tagsOf(recorded), "x")).toMatchObject([{ source: "measure", durationMs: 3 }]);
  });

  test.each([
    ["deletes performance.mark", "deleted", ["before", "after"]],
    ["replaces performance.mark", "replaced", ["before", "after"]],
    ["fakes the clock and the file system", "faked", ["before", "after"]],
    ["breaks the entries", "broken", ["before", "x"]],
  ])("a program that %s", async (_name, how, names) => {
    const command = [path, fixture("own-timing.cjs"), how];
    const bare = await new Running(path, command.slice(1), { cwd: workplace.cwd }).ended;
    for (const collector of ["probe", "perf_hooks"] as const) {
      const recorded = await workplace.startWithAgent(command, { agent: { collector } }).recorded();
      expect(recorded).toMatchObject({ code: bare.code, stderr: bare.stderr, stdout: bare.stdout });
      expect(
        tagsOf(recorded)
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual([...names].sort());
    }
  });

  test.each(["probe", "perf_hooks"] as const)("labels of contexts, and no id, with %s", async (collector) => {
    const recorded = await workplace
      .startWithAgent([path, fixture("contexts.cjs")], { agent: { collector } })
      .recorded();
    expect(recorded).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const tags = tagsOf(recorded);
    const names = new Set(textOf(tags));
    const ids = [...names].filter((name) => name.startsWith("context id-"));
    const tenants = [...names].filter((name) => name.startsWith("context tenant "));
    expect([...names].filter((name) => !ids.includes(name) && !tenants.includes(name))).toEqual(
      [
        "nightly import",
        "order :id",
        "/users/:id/orders",
        "send-mail",
        "rebuild index",
        "own map",
        "GET /checkout",
        "bound",
        "entered",
      ].map((label) => `context ${label}`),
    );
    expect(ids).toHaveLength(16);
    expect(tenants).toHaveLength(40);
    for (const { durationMs } of tags) expect(durationMs).toBe(0);
  });

  test("a program sees no more of its contexts than a frame on Node 20 and 22", async () => {
    const bare = await new Running(path, [fixture("context-shape.cjs")], { cwd: workplace.cwd }).ended;
    const recorded = await workplace.startWithAgent([path, fixture("context-shape.cjs")]).recorded();
    expect(recorded).toMatchObject({ code: 0, stderr: bare.stderr, stdout: bare.stdout });
    expect(bare.stdout.split("\n").length).toBeGreaterThan(30);
    expect(named(tagsOf(recorded), "inner")).toMatchObject([{ source: "context", weight: 1 }]);
    const inside = await workplace.startWithAgent([path, fixture("context-shape.cjs"), "stack"]).recorded();
    expect(inside.stdout).toBe(`${Number(version.slice(1, 3)) < 24 ? 1 : 0} 0\n`);
  });

  test("gcspike/tag, imported and required from where npm puts it", async () => {
    const home = workplace.path("app");
    const installed = join(home, "node_modules", "gcspike");
    mkdirSync(installed, { recursive: true });
    cpSync(join(ROOT, "package.json"), join(installed, "package.json"));
    mkdirSync(join(installed, "dist"));
    // Alone: it needs nothing else of gcspike.
    cpSync(join(ROOT, "dist", "tag.cjs"), join(installed, "dist", "tag.cjs"));
    writeFileSync(
      join(home, "module.mjs"),
      `import { tag } from "gcspike/tag";\ntag("imported");\nawait import("./script.cjs");`,
    );
    writeFileSync(
      join(home, "script.cjs"),
      `const { tag } = require("gcspike/tag");\ntag("required");\nconsole.log("done");`,
    );
    const bare = await new Running(path, [join(home, "module.mjs")], { cwd: workplace.cwd }).ended;
    expect(bare).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
    const recorded = await workplace.record([path, join(home, "module.mjs")]);
    expect(recorded).toMatchObject({ code: 0, stdout: "done\n" });
    expect(textOf(tagsOf(recorded))).toEqual(["tag imported", "tag required"]);
  });

  test("the requests behind the spikes of a server under load", async () => {
    const recorded = await workplace.record([path, "--expose-gc", fixture("tagged-server.cjs")]);
    expect(recorded.code).toBe(0);
    const report = analyse(recorded.recording, { spikeMs: 0.1 });
    const asked = report.spikes
      .filter(({ reason, kind }) => reason === "testing" && kind === "mark-compact")
      .toSorted((a, b) => a.startMs - b.startMs);
    expect(asked).toHaveLength(11);
    const [first] = asked.at(-1)?.tags ?? [];
    // Three at the start, eight of 150 ms each at the end: the last of them goes on while it is collected.
    expect(first?.name).toBe("GET /report/:id");
    expect(first?.count).toBeGreaterThan(1);
    expect(first?.lift).toBeGreaterThan(1);
    expect(asked.at(-1)?.tags.map(({ name }) => name)).toContain("GET /health");
    const last = asked.at(-1) ?? expect.fail("no spike");
    const text = Buffer.from(renderSpike(last, { width: 200, color: false })).toString();
    expect(text).toMatch(/In the 3 s before it: GET \/report\/:id \d+ times, [\d.]+ times its usual rate;/);
  });
});

test("a redacted recording has no home folder in its tags", async () => {
  const script = `performance.mark(require("node:os").homedir() + "/app"); performance.mark("plain")`;
  const recorded = await workplace.record([process.execPath, "-e", script], { flags: ["--redact"] });
  expect(textOf(tagsOf(recorded))).toEqual(["mark ~/app", "mark plain"]);
  const { id } = isolateOf(recorded.recording, "main");
  expect(readFileSync(join(recorded.path, `${id}.tags`), "latin1")).not.toContain(process.env.HOME);
});
