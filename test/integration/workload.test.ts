/** The built-in workloads as a person starts them: short runs of the real thing. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GCSPIKE, Running, runGcspike, startGcspike, temporaryFolder } from "../support/cli.ts";
import { expectValidComparison } from "../support/schema.ts";

const SHORT = ["--tps", "2000", "--duration", "2s", "--resident", "1s", "--block-time", "500ms"];
const MINUTE = 60_000;

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

const gcspike = (...words: readonly string[]) => runGcspike(words, { cwd: folder.path });

describe("simulate txpool", () => {
  test.each(["naive", "pooled", "mmap"])(
    "%s takes what arrives, and says what became of it",
    async (mode) => {
      const { code, stdout, stderr } = await gcspike("simulate", "txpool", "--mode", mode, ...SHORT);
      // A busy machine may not hold the rate: then it says so, and nothing else changes.
      expect([0, 1]).toContain(code);
      if (code === 1) expect(stderr).toMatch(/did not hold 2,000 transactions a second/);
      expect(stderr).toMatch(/^Making 4,000 signed transactions\n.*2,000 transactions a second for 2 s, room/);
      expect(stdout).toMatch(new RegExp(`^txpool, ${mode}: [\\d,]+ transactions arrived in`));
      for (const part of [
        /P50 .* P99\.99 .* max/,
        /handed in [\d,]+, accepted [\d,]+/,
        /refused: .*known/,
        /no transactions: /,
      ]) {
        expect(stdout).toMatch(part);
      }
      expect(stdout).toMatch(/queued +\d/);
      expect(stdout).toMatch(/blocks? of/);
      if (mode === "mmap") expect(stdout).toMatch(/the slab has .* MiB/);
      if (mode === "pooled") expect(stdout).toMatch(/the sync\.Pool had/);
    },
    MINUTE,
  );

  test.runIf(process.platform === "linux")(
    "mmap's own memory does not count against what is left for it",
    async () => {
      // Of 560 MiB, what is left is what this process does not have; the slab takes 250 of them.
      const preload = join(folder.path, "meminfo.cjs");
      writeFileSync(
        preload,
        `const fs = require("node:fs");
        const { readFileSync } = fs;
        fs.readFileSync = (path, ...more) => path === "/proc/meminfo"
          ? "MemAvailable: " + (560 * 1024 - (process.memoryUsage.rss() >> 10)) + " kB\\n"
          : readFileSync(path, ...more);
        require("node:module").syncBuiltinESMExports();`,
      );
      const words = ["--mode", "mmap", "--tps", "2000", "--duration", "2s", "--resident", "120s"];
      const blocks = ["--block-time", "500ms", "--block-budget", "500ms"];
      const env = { NODE_OPTIONS: `--require ${preload}` };
      const { stdout } = await runGcspike(["simulate", "txpool", ...words, ...blocks], { env });
      expect(stdout).toMatch(/the slab has 2\d\d MiB/);
      expect(stdout).toMatch(/never in light mode/);
    },
    MINUTE,
  );

  test(
    "a rate that no machine holds: exit code 1, and by how much",
    async () => {
      const words = [
        "--tps",
        "400000",
        "--duration",
        "200ms",
        "--resident",
        "100ms",
        "--batch",
        "1",
        "--verify",
        "full",
      ];
      const { code, stderr } = await gcspike("simulate", "txpool", "--mode", "naive", ...words);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /naive did not hold 400,000 transactions a second: it took [\d,]+, was .* late at the end, and [\d,]+ transactions had not been taken\./,
      );
    },
    3 * MINUTE,
  );

  test(
    "Ctrl-C ends it early, with its figures, and leaves nothing behind",
    async () => {
      const words = ["--tps", "500", "--duration", "60s", "--resident", "1s"];
      const env = { TMPDIR: folder.path };
      const running = startGcspike(["simulate", "txpool", "--mode", "naive", ...words], { cwd: folder.path, env });
      await expect.poll(() => running.stderr, { timeout: 30_000 }).toMatch(/500 transactions a second for 60 s/);
      running.process.kill("SIGTERM");
      const { stdout } = await running.ended;
      expect(stdout).toMatch(/^txpool, naive: /);
      expect(readdirSync(folder.path).filter((name) => name.startsWith("gcspike-arrivals-"))).toEqual([]);
    },
    MINUTE,
  );

  test.each([
    [["--mode", "quick"], /--mode cannot be "quick"/],
    [[], /--mode is missing/],
    [["--mode", "mmap", "--tps", "0"], /--tps cannot be "0"/],
    [["--mode", "naive", "--tps", "1000000", "--resident", "24h"], /memory are free|of heap/],
    [["--mode", "mmap", "--pool", "on"], /unknown option '--pool'/i],
  ])("%j is refused before anything starts", async (words, message) => {
    const { code, stdout, stderr } = await gcspike("simulate", "txpool", ...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

test.each(["on", "off"])(
  "simulate sessions --pool %s",
  async (pool) => {
    const { code, stdout } = await gcspike(
      "simulate",
      "sessions",
      "--pool",
      pool,
      "--duration",
      "1s",
      "--rate",
      "2000",
    );
    expect([0, 1]).toContain(code);
    expect(stdout).toMatch(new RegExp(`^sessions, pool ${pool}: [\\d,]+ requests in`));
    expect(stdout).toMatch(/garbage collections?, .* allocated a second/);
  },
  MINUTE,
);

test(
  "simulate sessions, stopped: its figures, and no complaint of the rate",
  async () => {
    const running = startGcspike(["simulate", "sessions", "--pool", "on", "--rate", "1000000"]);
    await setTimeout(2000);
    running.process.kill("SIGTERM");
    const { code, stdout, stderr } = await running.ended;
    // A slow machine may not have begun yet.
    expect([0, 143]).toContain(code);
    if (code === 0) expect(stdout).toMatch(/^sessions, pool on: [\d,]+ requests in/);
    expect(stderr).toBe("");
  },
  MINUTE,
);

test(
  "record --workload records one isolate, and its own numbers",
  async () => {
    const { code, stdout } = await gcspike(
      "record",
      "--workload",
      "txpool",
      "--mode",
      "naive",
      ...SHORT,
      "-o",
      "w.gcspike",
    );
    expect([0, 1]).toContain(code);
    expect(stdout).toMatch(/^txpool, naive: /);
    const workload = JSON.parse(readFileSync(join(folder.path, "w.gcspike", "workload.json"), "utf8"));
    expect(workload).toMatchObject({
      schema: "gcspike.workload/1",
      name: "txpool",
      options: { mode: "naive", tps: 2000 },
    });
    const names = workload.metrics.map(({ metric }: { metric: string }) => metric);
    expect(names).toEqual(expect.arrayContaining(["throughput", "latency.p50", "latency.p999", "latency.p9999"]));
    const report = JSON.parse((await gcspike("report", "w.gcspike", "--format", "json")).stdout);
    expect(report.isolates.length).toBe(1);
  },
  MINUTE,
);

test.each([
  [["record", "--workload", "txpool", "--mode", "naive", "--", "node", "x.js"], /a workload and a command/],
  [["record", "--mode", "naive", "--", "node", "-e", "0"], /--mode is an option of a workload/],
  [["record", "--workload", "sessions", "--mode", "naive"], /sessions has no option --mode/],
  [["compare", "--workload", "txpool", "--modes", "naive"], /leaves nothing to compare/],
  [["compare", "--workload", "txpool", "--modes", "naive,fast"], /names a mode "fast"/],
  [["compare", "--workload", "txpool", "--runs", "0"], /--runs cannot be "0"/],
  [
    ["compare", "--workload", "txpool", "--tps", "1000000", "--duration", "24h", "--resident", "100ms"],
    /The transactions take/,
  ],
  [["compare", "--workload", "txpool", "-o", "nowhere/x.html"], /Cannot write nowhere\/x\.html: ENOENT/],
  [["compare", "--workload", "txpool", "a.gcspike"], /a workload and a recording/],
  [["compare", "--modes", "naive,mmap", "a", "b"], /--modes is an option of a workload/],
])("%j is refused before anything starts", async (words, message) => {
  const { code, stdout, stderr } = await gcspike(...words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
});

test(
  "compare --workload runs the modes interleaved, prints the comparison, and writes it as a page",
  async () => {
    const words = ["--modes", "pooled,mmap", "--runs", "2", ...SHORT, "--format", "json"];
    const { code, stdout, stderr } = await gcspike("compare", "--workload", "txpool", ...words);
    expect(code).toBe(0);
    const comparison = JSON.parse(stdout);
    expectValidComparison(comparison);
    expect(comparison.columns.map(({ name }: { name: string }) => name)).toEqual(["pooled", "mmap"]);
    expect(comparison.columns[0].recordings.length).toBe(2);
    expect([...stderr.matchAll(/Run (\d) of 2: (\w+)\n/g)].map(([, run, mode]) => `${run} ${mode}`)).toEqual([
      "1 pooled",
      "1 mmap",
      "2 pooled",
      "2 mmap",
    ]);
    const page = /The same with pictures: +(\S+)/.exec(stderr)?.[1] ?? "";
    expect(existsSync(join(folder.path, page))).toBe(true);
    expect(comparison.rows.map(({ metric }: { metric: string }) => metric)).toContain("latency.p999");
  },
  2 * MINUTE,
);

describe("while the transactions are made", () => {
  test(
    "SIGCONT changes nothing, SIGTERM ends it, and nothing is left behind",
    async () => {
      const cwd = join(folder.path, "making");
      mkdirSync(cwd);
      const words = ["compare", "--workload", "txpool", "--tps", "10000", "--duration", "10m"];
      const running = startGcspike(words, { cwd, env: { TMPDIR: cwd } });
      await expect.poll(() => running.stderr, { timeout: 30_000 }).toMatch(/^Making 6,000,000 signed transactions\n/);
      running.process.kill("SIGCONT");
      await setTimeout(300);
      running.process.kill("SIGTERM");
      const { code, stderr } = await running.ended;
      expect(code).toBe(143);
      expect(stderr).toMatch(/\ngcspike: Stopped by SIGTERM\.\n {2}Nothing was run\.\n$/);
      expect(readdirSync(cwd)).toEqual([]);
    },
    MINUTE,
  );

  test(
    "that they cannot be written is said, and why",
    async () => {
      const words = ["simulate", "txpool", "--mode", "naive", ...SHORT];
      const limited = ["-c", 'ulimit -f 100; exec "$@"', "sh", process.execPath, GCSPIKE, ...words];
      const { code, stderr } = await new Running("sh", limited, { cwd: folder.path }).ended;
      expect(code).toBe(4);
      expect(stderr).toMatch(/\ngcspike: The transactions could not be made: Error: EFBIG: .*\.\n.*TMPDIR/);
    },
    MINUTE,
  );
});

test(
  "compare --workload: SIGTERM in the first run ends it there, and says where that run is",
  async () => {
    const cwd = join(folder.path, "stopped");
    mkdirSync(cwd);
    const words = ["--modes", "naive,mmap", "--tps", "200", "--duration", "60s", "--resident", "1s"];
    const running = startGcspike(["compare", "--workload", "txpool", ...words], { cwd });
    const files = () => readdirSync(cwd, { recursive: true }).map(String);
    await expect.poll(files, { timeout: 30_000 }).toContainEqual(expect.stringMatching(/naive-1\.gcspike\/.*\.gc$/));
    // By then the workload catches it, and ends well.
    await setTimeout(1000);
    running.process.kill("SIGTERM");
    const { code, stderr } = await running.ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(
      /Run 1 of 3: naive\ngcspike: Stopped by SIGTERM\.\n {2}What was recorded is in txpool-modes-\S+\.\n$/,
    );
  },
  MINUTE,
);
