/** Whatever happens to the recording's folder, the program does not notice, and what was recorded is reported. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runGcspike, startGcspike, temporaryFolder } from "../support/cli.ts";

/** Collects for a while, says so, and ends with exit code 7 when its stdin ends. */
const COLLECTING = `
let kept = [];
const timer = setInterval(() => {
  for (let i = 0; i < 20000; i++) kept.push({ i });
  if (kept.length > 400000) kept = [];
  gc();
}, 5);
process.stdin.on("end", () => setTimeout(() => { clearInterval(timer); console.log("done"); process.exitCode = 7; }, 500)).resume();
console.log("ready");
`;

let folder: ReturnType<typeof temporaryFolder>;
let program: string;
beforeAll(() => {
  folder = temporaryFolder();
  program = join(folder.path, "collecting.cjs");
  writeFileSync(program, COLLECTING);
});
afterAll(() => folder.remove());

const manifestOf = (path: string) => JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"));

test("a finished recording lists its files and how the program ended", async () => {
  const path = join(folder.path, "whole.gcspike");
  const { code, stderr } = await runGcspike([
    "record",
    "-o",
    path,
    "--spike",
    "2ms",
    "--",
    "node",
    "--expose-gc",
    program,
  ]);
  expect(code).toBe(7);
  expect(stderr).toContain(`gcspike report ${path}`);
  const manifest = manifestOf(path);
  expect(manifest).toMatchObject({
    schema: "gcspike.recording/1",
    state: "finished",
    command: ["node", "--expose-gc", program],
    exit: { code: 7, signal: null },
    options: { spikeMs: 2, collector: "probe" },
    warnings: [],
  });
  const names = readdirSync(path)
    .filter((name) => name !== "manifest.json")
    .sort();
  expect(manifest.files.map(({ name }: { name: string }) => name)).toEqual(names);
  expect(manifest.files.every(({ format }: { format: string }) => format !== "")).toBe(true);
  expect(names.some((name) => name.endsWith(".alloc"))).toBe(false);
});

test("a report of a recording that is still being written", async () => {
  const path = join(folder.path, "growing.gcspike");
  const command = `node -e "console.log('up'); setInterval(() => gc(), 20)" --expose-gc`;
  const running = startGcspike([
    "record",
    "-o",
    path,
    "--",
    "sh",
    "-c",
    `exec ${command.replace("node -e", "node --expose-gc -e")}`,
  ]);
  await running.waitFor("up");
  const report = await runGcspike(["report", path, "--format", "json"]);
  running.process.kill("SIGTERM");
  expect((await running.ended).code).toBe(143);
  expect(report.code).toBe(0);
  expect(JSON.parse(report.stdout).recording).toMatchObject({ exit: null });
});

test("a folder that is removed under the program", async () => {
  const path = join(folder.path, "removed.gcspike");
  const script = `${COLLECTING}\nrequire("node:fs").rmSync(process.env.GCSPIKE_RECORDING, { recursive: true });`;
  const file = join(folder.path, "removing.cjs");
  writeFileSync(file, script);
  const { code, stdout, stderr } = await runGcspike(["record", "-o", path, "--", "node", "--expose-gc", file]);
  expect({ code, stdout }).toEqual({ code: 7, stdout: "ready\ndone\n" });
  expect(stderr).toContain(`${path} was removed while the program ran: nothing was kept`);
  expect(existsSync(path)).toBe(false);
});

test("a manifest that is removed under the program", async () => {
  const path = join(folder.path, "headless.gcspike");
  const file = join(folder.path, "beheading.cjs");
  writeFileSync(file, `${COLLECTING}\nrequire("node:fs").rmSync(process.env.GCSPIKE_RECORDING + "/agent.json");`);
  const { code } = await runGcspike(["record", "-o", path, "--", "node", "--expose-gc", file]);
  expect(code).toBe(7);
  expect(manifestOf(path).state).toBe("finished");
});

/** Mounting needs rights that not every machine gives: then there is nothing to fill. */
function mountTmpfs(path: string): boolean {
  mkdirSync(path);
  return (
    process.platform === "linux" && spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", path]).status === 0
  );
}

describe("a disk that is full", () => {
  const small = temporaryFolder("gcspike-full-");
  const disk = join(small.path, "disk");
  const mounted = mountTmpfs(disk);
  afterAll(() => {
    if (mounted) execFileSync("umount", [disk]);
    small.remove();
  });

  test.skipIf(!mounted)(
    "the program does not notice, and the report says what is missing (needs the right to mount a tmpfs)",
    async () => {
      const path = join(disk, "full.gcspike");
      const { code, stdout, stderr } = await runGcspike(["record", "-o", path, "--", "node", "--expose-gc", program]);
      expect({ code, stdout }).toEqual({ code: 7, stdout: "ready\ndone\n" });
      expect(stderr).toContain("collecting.cjs ended with exit code 7");
      const report = await runGcspike(["report", path, "--format", "json"]);
      expect(report.code).toBe(0);
      const { recording } = JSON.parse(report.stdout);
      expect(JSON.stringify(recording.warnings)).toMatch(/disk|full|ENOSPC|room/i);
    },
  );

  test.skipIf(!mounted)(
    "a disk that was full before: nothing is run, exit code 4 (needs the right to mount a tmpfs)",
    async () => {
      const filler = join(disk, "filler");
      try {
        writeFileSync(filler, Buffer.alloc(4 * 1024 ** 2));
      } catch {
        // As full as it gets.
      }
      const { code, stdout, stderr } = await runGcspike([
        "record",
        "-o",
        join(disk, "none.gcspike"),
        "--",
        "node",
        program,
      ]);
      rmSync(filler, { force: true });
      expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
      expect(stderr).toContain("Nothing was run");
      expect(existsSync(join(disk, "none.gcspike"))).toBe(false);
    },
  );
});

test("--redact keeps neither arguments nor the home folder", async () => {
  const home = join(folder.path, "home", "ada");
  const path = join(folder.path, "redacted.gcspike");
  mkdirSync(home, { recursive: true });
  const secret = join(home, "secret-project.cjs");
  writeFileSync(
    secret,
    `function leakyName() { const kept = []; for (let i = 0; i < 3e5; i++) kept.push({ i }); return kept; }\nfor (let i = 0; i < 30; i++) leakyName();\ngc();\n`,
  );
  const { code } = await runGcspike(
    [
      "record",
      "--redact",
      "-o",
      path,
      "--",
      "node",
      "--expose-gc",
      "--title=hidden-title",
      secret,
      "--password=hunter2",
    ],
    { env: { HOME: home } },
  );
  expect(code).toBe(0);
  expect(homedir()).not.toBe(home);
  const contents = readdirSync(path).map((name) => {
    const bytes = readFileSync(join(path, name));
    return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1");
  });
  const all = contents.join("\n");
  expect(all).not.toContain(home);
  expect(all).not.toContain("hunter2");
  expect(all).not.toContain("hidden-title");
  // Names of functions stay: the report is about them.
  expect(all).toContain("leakyName");
  expect(manifestOf(path).command).toEqual(["node", "[redacted]", "[redacted]", "[redacted]", "[redacted]"]);
});
