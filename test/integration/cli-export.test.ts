/** `gcspike export`, and its files opened by what they are for. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { ROOT, runGcspike, temporaryFolder } from "../support/cli.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";
import { openInSpeedscope } from "../support/speedscope.ts";

const folder = temporaryFolder();
const recording = join(folder.path, "work.gcspike");
interface Summary {
  readonly pauses: { readonly count: number; readonly totalMs: number };
}
let summary: Summary;

/** Allocates in named functions, keeps some of it, and tells what it does. */
const PROGRAM = `
  const kept = [];
  function parse(i) { return { i, text: "x".repeat(20) + i, list: [i, i + 1] }; }
  function hydrate(i) { kept.push(parse(i)); if (kept.length > 300_000) kept.length = 0; }
  for (let round = 0; round < 60; round++) {
    performance.mark("round");
    for (let i = 0; i < 20_000; i++) hydrate(i);
    Buffer.alloc(200_000);
  }
  globalThis.gc?.();
  setTimeout(() => {}, 1200);`;

beforeAll(async () => {
  const program = join(folder.path, "program.cjs");
  writeFileSync(program, PROGRAM);
  const recorded = await runGcspike(["record", "-o", recording, "--", "node", "--expose-gc", program]);
  expect(recorded.code).toBe(0);
  ({ summary } = JSON.parse((await runGcspike(["report", recording, "--format", "json"])).stdout));
});
afterAll(() => folder.remove());

const exported = (...words: readonly string[]) => runGcspike(["export", recording, ...words], { cwd: folder.path });

async function exportTo(name: string, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await exported("-o", name, ...words);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: expect.stringMatching(/^Wrote /) });
  return join(folder.path, name);
}

const run = (program: string, ...words: readonly string[]) =>
  execFileSync(program, words, { encoding: "utf8", cwd: folder.path });

describe("the command", () => {
  test.each([
    ["no format", [], "It is not said which format to write."],
    ["a name that says none", ["-o", "x.bin"], "-o x.bin does not say which format to write."],
    ["tables to stdout", ["--format", "csv"], "csv is 4 tables"],
    [
      "an option of another format",
      ["--format", "csv", "--profile", "heap"],
      "--profile is an option of pprof, not of csv.",
    ],
    ["a table of pprof", ["-o", "x.pb.gz", "--table", "heap"], "--table is an option of parquet and csv"],
    ["two places", ["--format", "otlp", "-o", "x", "--endpoint", "http://localhost"], "Leave one out."],
    ["no address", ["--format", "otlp", "--endpoint", "localhost:4318"], "--endpoint cannot be"],
  ])("%s is wrong usage", async (_, words, message) => {
    const { code, stdout, stderr } = await exported(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  test("text goes to stdout, and nothing else does", async () => {
    const { code, stdout, stderr } = await exported("--format", "csv", "--table", "pauses");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [header, ...lines] = stdout.trimEnd().split("\r\n");
    expect(header).toMatch(/^recording,node,isolate,/);
    expect(lines).toHaveLength(summary.pauses.count);
  });

  test("the same recording gives the same bytes", async () => {
    for (const name of ["a.pftrace", "a.pb.gz", "a.speedscope.json", "a.firefox.json", "a.prom", "a.otlp.jsonl"]) {
      const again = name.replace("a.", "b.");
      const [one, other] = [await exportTo(name), await exportTo(again)];
      expect(Buffer.compare(readFileSync(one), readFileSync(other)), name).toBe(0);
    }
  });

  test("a log of --trace-gc can be exported, too", async () => {
    const log = join(folder.path, "gc.log");
    writeFileSync(log, run("node", "--trace-gc", join(folder.path, "program.cjs")));
    const { code, stdout } = await runGcspike(["export", log, "--format", "csv", "--table", "pauses"]);
    expect(code).toBe(0);
    expect(stdout.split("\r\n").length).toBeGreaterThan(5);
  });
});

/** Programs that Debian has; .ci/run installs them. */
const has = (program: string, ...words: readonly string[]): boolean => spawnSync(program, words).status === 0;

describe.runIf(has("go", "version"))("go tool pprof", () => {
  const pprof = (...words: readonly string[]) => run("go", "tool", "pprof", ...words);

  test("names who allocated, and whose objects are in use", async () => {
    const heap = await exportTo("heap.pb.gz");
    expect(pprof("-top", heap)).toMatch(/Type: alloc_space[\s\S]* (parse|hydrate)\n/);
    expect(pprof("-top", "-sample_index=inuse_space", heap)).toContain("Type: inuse_space");
    expect(pprof("-tags", heap)).toMatch(/isolate: Total[\s\S]*main/);
  });

  test("counts the pauses of the report, and their time", async () => {
    const pauses = await exportTo("pauses.pb.gz", "--profile", "pauses");
    const total = (text: string) => Number(/ of ([\d.]+)(?:ms|s)? total/.exec(text)?.[1]);
    expect(total(pprof("-top", "-sample_index=pauses", pauses))).toBe(summary.pauses.count);
    const timed = total(pprof("-top", "-sample_index=pause_time", "-unit=ms", pauses));
    expect(timed).toBeCloseTo(summary.pauses.totalMs, 1);
    expect(pprof("-tags", pauses)).toMatch(/kind: Total[\s\S]*mark-compact/);
  });
});

describe.runIf(has("promtool", "--version"))("Prometheus", () => {
  test("takes a recording into its database", async () => {
    const metrics = await exportTo("work.prom");
    run("promtool", "tsdb", "create-blocks-from", "openmetrics", metrics, "tsdb");
    // As if the server had been there.
    mkdirSync(join(folder.path, "tsdb", "wal"));
    const dump = run("promtool", "tsdb", "dump", "tsdb");
    const last = new Map<string, number>();
    for (const [, labels = "", value] of dump.matchAll(/^(\{.*\}) (\S+) \d+$/gm)) last.set(labels, Number(value));
    const total = (name: string) =>
      [...last].filter(([labels]) => labels.includes(`__name__="${name}"`)).reduce((sum, [, value]) => sum + value, 0);
    expect(total("gcspike_pause_seconds_count")).toBe(summary.pauses.count);
    expect(total("gcspike_pause_seconds_sum")).toBeCloseTo(summary.pauses.totalMs / 1000, 6);
    expect(total("gcspike_heap_used_bytes")).toBeGreaterThan(1e6);
    expect(dump.split("\n").filter((line) => line.includes('"gcspike_heap_used_bytes"')).length).toBeGreaterThan(1);
  });
});

describe.runIf(has("protoc", "--version"))("protoc", () => {
  test("reads Perfetto's trace by its schema, with no field that it does not know", async () => {
    const trace = await exportTo("work.pftrace");
    const words = ["--decode=perfetto.protos.Trace", `-I${join(ROOT, "test/support")}`, "perfetto.proto"];
    const text = execFileSync("protoc", words, { input: readFileSync(trace), encoding: "utf8", maxBuffer: 1 << 30 });
    expect(text).not.toMatch(/^\s*\d+[:{ ]/m);
    const pauses = text.match(/categories: "pause"/g) ?? [];
    expect(pauses).toHaveLength(summary.pauses.count);
    for (const name of ["main", "pauses", "used heap", "resident memory", "V8's phases", "tags"]) {
      expect(text).toContain(`name: "${name.replace("'", "\\'")}"`);
    }
  });
});

describe("DuckDB", () => {
  test("answers questions about the tables", async () => {
    await exportTo("tables", "--format", "parquet");
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const ask = async (query: string) => (await connection.runAndReadAll(query)).getRowObjectsJson();
    const tables = join(folder.path, "tables");
    const [pauses] = await ask(
      `select count(*)::int as count, sum(duration_ms) as total, min(time) as first, max(used_before_bytes) > 1000000 as large from '${tables}/pauses.parquet'`,
    );
    expect(pauses).toMatchObject({ count: summary.pauses.count, large: true });
    expect(Number(pauses?.total)).toBeCloseTo(summary.pauses.totalMs, 6);
    expect(String(pauses?.first)).toMatch(/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d/);
    const kinds = await ask(
      `select kind, count(*)::int as count from '${tables}/pauses.parquet' group by all order by all`,
    );
    expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["mark-compact", "scavenge"]));
    const sites = await ask(
      `select function from '${tables}/sites.parquet' where spike is null and cause is null order by bytes desc limit 1`,
    );
    expect(sites).toEqual([{ function: expect.stringMatching(/^(parse|hydrate)$/) }]);
    const heap = await ask(`select count(distinct space)::int as spaces from '${tables}/heap.parquet'`);
    expect(heap[0]?.spaces).toBeGreaterThan(2);
    expect(await ask(`select count(*)::int as count from '${tables}/spikes.parquet'`)).toHaveLength(1);
    connection.closeSync();
  });
});

describe("an OpenTelemetry receiver", () => {
  let receiver: OtlpReceiver;
  beforeAll(async () => {
    receiver = await startOtlpReceiver();
  });
  afterAll(() => receiver.close());
  const send = (path = "") => exported("--format", "otlp", "--endpoint", `http://127.0.0.1:${receiver.port}${path}`);

  test("gets the metrics of the semantic conventions, and what they add up to", async () => {
    const { code, stdout, stderr } = await send();
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toBe(`Sent the metrics of 1 process to http://127.0.0.1:${receiver.port}/v1/metrics\n`);
    const [request] = receiver.requests;
    expect(request).toMatchObject({ path: "/v1/metrics", contentType: "application/x-protobuf" });
    const metrics = new Map(request?.metrics.map((metric) => [metric.name, metric]));
    const durations = metrics.get("v8js.gc.duration");
    expect(durations?.unit).toBe("s");
    const points = durations?.histogram?.dataPoints ?? [];
    expect(points.reduce((sum, { count }) => sum + Number(count), 0)).toBe(summary.pauses.count);
    expect(points.reduce((sum, { sum: seconds }) => sum + seconds, 0)).toBeCloseTo(summary.pauses.totalMs / 1000, 6);
    for (const { explicitBounds, bucketCounts, count } of points) {
      expect(explicitBounds).toEqual([0.01, 0.1, 1, 10]);
      expect(bucketCounts.map(Number).reduce((sum, n) => sum + n, 0)).toBe(Number(count));
    }
    const fine = metrics.get("gcspike.gc.pause")?.exponentialHistogram?.dataPoints ?? [];
    expect(fine.reduce((sum, { count }) => sum + Number(count), 0)).toBe(summary.pauses.count);
    expect([...metrics.keys()]).toEqual(
      expect.arrayContaining(["v8js.memory.heap.used", "gcspike.allocated", "gcspike.heap.peak"]),
    );
  });

  test("that refuses, or takes a part only, or is not there: exit code 4, and what to do", async () => {
    receiver.answer = { status: 503, rejected: 0 };
    const refused = await send("/other");
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain(`Cannot send to http://127.0.0.1:${receiver.port}/other: it answered 503`);
    receiver.answer = { status: 200, rejected: 3 };
    const partly = await send();
    expect(partly.code).toBe(4);
    expect(partly.stderr).toContain("it did not take 3 values (too old)");
    const gone = await exported("--format", "otlp", "--endpoint", "http://127.0.0.1:1");
    expect(gone.code).toBe(4);
    expect(gone.stderr).toMatch(
      /Cannot send to http:\/\/127\.0\.0\.1:1\/v1\/metrics: .+\n {2}The recording is untouched\./,
    );
  });

  test("a file has the same, a line a process", async () => {
    const [line = ""] = readFileSync(await exportTo("work.otlp.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    const { resourceMetrics } = JSON.parse(line);
    const names = resourceMetrics[0].scopeMetrics[0].metrics.map(({ name }: { name: string }) => name);
    expect(names).toEqual(receiver.requests[0]?.metrics.map(({ name }) => name));
  });
});

describe("speedscope", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  test.each(["work.speedscope.json", "work.pb.gz", "work.trace.json"])("opens %s", async (name) => {
    const file = await exportTo(name);
    const { title, text, complaints } = await openInSpeedscope(browser, file);
    expect(complaints).toEqual([]);
    expect(title).toContain(name === "work.speedscope.json" ? "work.gcspike" : name);
    expect(text).not.toContain("Something went wrong");
  });
});
