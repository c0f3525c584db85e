/** `gcspike report`, `gcspike doctor` and the JavaScript API, as a person or a script starts them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GCSPIKE, ROOT, Running, runGcspike, temporaryFolder } from "../support/cli.ts";
import { expectValidJson } from "../support/schema.ts";

let folder: ReturnType<typeof temporaryFolder>;
let recording: string;
beforeAll(async () => {
  folder = temporaryFolder();
  recording = join(folder.path, "work.gcspike");
  const code =
    "let kept = []; for (let i = 0; i < 40; i++) { for (let j = 0; j < 1e5; j++) kept.push({ j }); if (i % 8 === 7) kept = []; } gc()";
  const { code: exitCode } = await runGcspike(["record", "-o", recording, "--", "node", "--expose-gc", "-e", code]);
  expect(exitCode).toBe(0);
});
afterAll(() => folder.remove());

const report = (...words: readonly string[]) => runGcspike(["report", recording, ...words], { cwd: folder.path });

describe("formats", () => {
  test("terminal text is the default, without colour into a pipe", async () => {
    const { code, stdout, stderr } = await report();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/P99 pause/);
    expect(stdout).not.toContain("\u001b");
  });

  test.each([
    ["json", /^\{\n {2}"schema": "gcspike\.report\/1"/],
    ["markdown", /^#/],
    ["html", /^<!doctype html>/],
  ])("%s goes to stdout, and nothing else does", async (format, start) => {
    const { code, stdout, stderr } = await report("--format", format);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(start);
  });

  test.each([
    ["report.html", /^<!doctype html>/],
    ["report.json", /^\{/],
    ["report.md", /^#/],
    ["report.txt", /P99 pause/],
  ])("-o %s writes that format, and says so on stderr", async (name, start) => {
    const { code, stdout, stderr } = await report("-o", name);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^Wrote ${name.replace(".", "\\.")} \\([\\d.]+ \\w+\\)\\n$`));
    expect(readFileSync(join(folder.path, name), "utf8")).toMatch(start);
  });

  test("--spike, --p99 and --growth are what seconds are held against", async () => {
    const held = async (...words: readonly string[]) => JSON.parse((await report("--format", "json", ...words)).stdout);
    expect((await held()).thresholds).toEqual({ spikeMs: 10, p99Ms: 10, growthBytes: 50 * 1024 ** 2 });
    expect((await held("--spike", "20ms")).thresholds).toMatchObject({ spikeMs: 20, p99Ms: 20 });
    const { thresholds, isolates } = await held("--p99", "0us", "--growth", "1000GiB");
    expect(thresholds).toEqual({ spikeMs: 10, p99Ms: 0, growthBytes: 1000 * 1024 ** 3 });
    expect(isolates[0].seconds).toMatchObject({ growing: 0, slow: isolates[0].seconds.all });
  });

  test("--charts writes PNG files beside the report", async () => {
    const { code, stdout } = await report("--charts", "pictures");
    expect(code).toBe(0);
    expect(stdout).toMatch(/P99 pause/);
    const names = readdirSync(join(folder.path, "pictures"));
    expect(names).toContain("timeline.png");
    for (const name of names) {
      expect(
        readFileSync(join(folder.path, "pictures", name))
          .subarray(1, 4)
          .toString(),
      ).toBe("PNG");
    }
  });

  test("--spike decides what is a spike; by default the recording does", async () => {
    const spikes = async (...words: readonly string[]): Promise<number> =>
      JSON.parse((await report("--format", "json", ...words)).stdout).spikes.length;
    expect(await spikes("--spike", "1us")).toBeGreaterThan(await spikes("--spike", "1h"));
    expect(await spikes("--spike", "1h")).toBe(0);
    expect(await spikes()).toBe(await spikes("--spike", "10ms"));
  });
});

describe("what can go wrong", () => {
  test("a reader that leaves early ends it quietly", async () => {
    const command = `node ${GCSPIKE} report ${recording} --format html | head -c 10; echo " \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await new Running("bash", ["-c", command]).ended;
    expect(stdout).toBe("<!doctype  0\n");
    expect(stderr).toBe("");
  });

  test.runIf(process.platform === "linux")("a stdout that takes nothing is a failure that says so", async () => {
    const { stdout, stderr } = await new Running("bash", [
      "-c",
      `node ${GCSPIKE} report ${recording} >/dev/full; echo $?`,
    ]).ended;
    expect(stdout).toBe("4\n");
    expect(stderr).toContain("Cannot write to stdout: ENOSPC");
  });

  test("a file that cannot be written: exit code 4, the recording is untouched, nothing half is left", async () => {
    mkdirSync(join(folder.path, "taken.html"), { recursive: true });
    const before = readdirSync(folder.path);
    const { code, stderr } = await report("-o", "nowhere/report.html");
    expect(code).toBe(4);
    expect(stderr).toContain("Cannot write nowhere/report.html: ENOENT");
    expect(stderr).toContain("The recording is untouched");
    expect((await report("-o", "taken.html")).code).toBe(4);
    expect(readdirSync(folder.path)).toEqual(before);
  });

  test.each([
    ["a folder that is no recording", "empty"],
    ["a file", "plain.txt"],
    ["nothing", "missing.gcspike"],
  ])("%s", async (_name, name) => {
    mkdirSync(join(folder.path, "empty"), { recursive: true });
    writeFileSync(join(folder.path, "plain.txt"), "x");
    const { code, stdout, stderr } = await runGcspike(["report", join(folder.path, name)]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/^gcspike: /);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});

test("doctor finds that recording works here", async () => {
  const { code, stdout } = await runGcspike(["doctor", "--json"]);
  expect(code).toBe(0);
  const diagnosis = JSON.parse(stdout);
  expectValidJson("doctor", diagnosis);
  const { recording: works, checks } = diagnosis;
  expect(works).toBe(true);
  for (const { status, fix } of checks) expect(fix === null).toBe(status === "works");
});

test("the API records, reads and analyses", async () => {
  const script = join(folder.path, "api.mjs");
  const path = join(folder.path, "api.gcspike");
  writeFileSync(
    script,
    `import { record, read, analyse } from ${JSON.stringify(join(ROOT, "dist", "index.js"))};
     const { path, exitCode, exit } = await record({ command: ["node", "--expose-gc", "-e", "gc(); process.exit(3)"], output: ${JSON.stringify(path)}, spikeMs: 0 });
     const recording = await read(path);
     const report = analyse(recording);
     console.log(JSON.stringify({ exitCode, exit, schema: report.schema, spikes: report.spikes.length > 0, longer: analyse(recording, { spikeMs: 1e6 }).spikes.length }));`,
  );
  const { stdout, stderr } = await new Running(process.execPath, [script]).ended;
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    exitCode: 3,
    exit: { code: 3, signal: null },
    schema: "gcspike.report/1",
    spikes: true,
    longer: 0,
  });
});

test("--help loads one file, small enough to start fast", () => {
  const entry = readFileSync(join(ROOT, "dist", "cli.cjs"), "utf8");
  // What it requires before a command runs: Node's own modules, and none of those that cost time.
  const required = [...entry.matchAll(/(?<!\(\)=>)require\("([^"]+)"\)/g)].map((match) => match[1] ?? "");
  expect(
    required.filter(
      (name) => !/^(node:)?(events|path|fs|process|module|url)$/.test(name) && !name.startsWith("./chunks/"),
    ),
  ).toEqual([]);
  expect(entry.length).toBeLessThan(100_000);
});
