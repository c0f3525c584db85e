/** The program's stdin, stdout, stderr, exit code and environment are what they would be without gcspike. */
import { randomBytes } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT, Running, runGcspike, startGcspike, temporaryFolder } from "../support/cli.ts";

let folder: ReturnType<typeof temporaryFolder>;
let count = 0;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

const newRecording = (): string => join(folder.path, `${count++}.gcspike`);
const record = (...command: readonly string[]): readonly string[] => ["record", "-o", newRecording(), "--", ...command];
const evaluate = (code: string): readonly string[] => record("node", "-e", code);

describe("exit codes", () => {
  test.each([
    ["0", "process.exit(0)", 0],
    ["its own", "process.exit(77)", 77],
    ["1 after an exception", "throw new Error('x')", 1],
    ["128 + SIGTERM", "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1e3)", 143],
    ["128 + SIGKILL", "process.kill(process.pid, 'SIGKILL')", 137],
    ["128 + SIGABRT", "process.abort()", 134],
  ])("%s", async (_name, code, expected) => {
    expect(await runGcspike(evaluate(code))).toMatchObject({ code: expected, signal: null });
  });
});

describe("stdin, stdout and stderr", () => {
  test("every byte of a large stdin comes out of stdout", async () => {
    const input = randomBytes(3_000_000).toString("base64");
    const { stdout, code } = await runGcspike(evaluate("process.stdin.pipe(process.stdout)"), { input });
    expect(code).toBe(0);
    expect(stdout === input).toBe(true);
  });

  test("stdout holds nothing of gcspike's, stderr begins with what the program wrote", async () => {
    const { stdout, stderr } = await runGcspike(evaluate("console.log('out'); console.error('err')"));
    expect(stdout).toBe("out\n");
    expect(stderr.startsWith("err\n")).toBe(true);
    expect(stderr).toContain("gcspike report");
  });

  test("without a terminal there are no escape sequences and no live line", async () => {
    const { stderr } = await runGcspike(evaluate("setTimeout(() => {}, 1200)"));
    expect(stderr).not.toContain("\u001b");
    expect(stderr).not.toContain("\r");
  });

  test("a reader that leaves early ends the program as it would without gcspike", async () => {
    const program = join(folder.path, "forever.cjs");
    writeFileSync(program, "setInterval(() => console.log('x'.repeat(1000)), 1)");
    const shell = (command: string): Promise<{ readonly stdout: string }> =>
      new Running("bash", ["-c", `${command} | head -n 1 >/dev/null; echo \${PIPESTATUS[0]}`]).ended;
    const bare = await shell(`node ${program}`);
    const recorded = await shell(
      `node ${join(ROOT, "bin", "gcspike.js")} record -o ${newRecording()} -- node ${program}`,
    );
    expect(recorded.stdout).toBe(bare.stdout);
  });

  test("stdout and stderr that are closed do not stop the program", async () => {
    const proof = join(folder.path, "closed.txt");
    const code = `require("node:fs").writeFileSync(${JSON.stringify(proof)}, "ran"); process.exit(5)`;
    const words = evaluate(code)
      .map((word) => `'${word}'`)
      .join(" ");
    const { stdout } = await new Running("bash", [
      "-c",
      `(node ${join(ROOT, "bin", "gcspike.js")} ${words} >&- 2>&-); echo $?`,
    ]).ended;
    expect(stdout).toBe("5\n");
    expect(readFileSync(proof, "utf8")).toBe("ran");
  });

  test.runIf(process.platform === "linux")(
    "its files get the numbers they would, in a table that is no longer",
    async () => {
      const code = `
      const { openSync, readFileSync } = require("node:fs");
      const file = openSync("/dev/null");
      console.log(file, /FDSize:.*/.exec(readFileSync("/proc/self/status", "utf8"))[0]);`;
      const bare = await new Running("node", ["-e", code]).ended;
      const recorded = await runGcspike(evaluate(code));
      expect(bare.stdout).toMatch(/^\d+ FDSize:\s+\d+\n$/);
      expect(recorded.stdout).toBe(bare.stdout);
    },
  );

  test("a pipe that the program shares with gcspike stays blocking", async () => {
    const flags =
      "import fcntl,os,time; time.sleep(0.7); print([fcntl.fcntl(f, fcntl.F_GETFL) & os.O_NONBLOCK for f in (0,1,2)])";
    const { stdout } = await runGcspike(record("python3", "-c", flags));
    expect(stdout).toBe("[0, 0, 0]\n");
  });
});

describe("the program's Node", () => {
  test("options that are in NODE_OPTIONS already still count, quotes and spaces included", async () => {
    const folderWithSpaces = join(folder.path, 'pre "load" it');
    mkdirSync(folderWithSpaces);
    const preload = join(folderWithSpaces, "my preload.cjs");
    writeFileSync(preload, "globalThis.preloaded = true;");
    const NODE_OPTIONS = `--no-warnings --require "${preload.replaceAll('"', '\\"')}"`;
    const { stdout } = await runGcspike(
      evaluate("console.log(globalThis.preloaded, process.env.NODE_OPTIONS.split('--require').length)"),
      { env: { NODE_OPTIONS } },
    );
    expect(stdout).toBe("true 3\n");
  });

  test("--node-args reach it through a shell, and options for the command line only through node itself", async () => {
    const heapLimit = "require('v8').getHeapStatistics().heap_size_limit < 150e6";
    const words = ["record", "-o", newRecording(), "--node-args", "--max-old-space-size=80"];
    const shell = await runGcspike([...words, "--", "sh", "-c", `node -p "${heapLimit}"`]);
    expect(shell.stdout).toBe("true\n");
    const direct = await runGcspike([
      "record",
      "-o",
      newRecording(),
      "--node-args",
      "--no-opt --title=x",
      "--",
      "node",
      "-p",
      "process.execArgv[0]",
    ]);
    expect(direct.stdout).toBe("--no-opt\n");
  });

  // Backslashes too reach the target (test/unit/recorder/node-options.test.ts), but Node loads no package from such a folder.
  test("gcspike installed in a folder with spaces and quotes records", async () => {
    const home = join(folder.path, 'my "tools" here');
    mkdirSync(home);
    for (const name of ["bin", "dist", "prebuilds", "package.json"]) {
      cpSync(join(ROOT, name), join(home, name), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(home, "node_modules"));
    const recording = join(home, "a recording.gcspike");
    const { code, stderr } = await new Running(process.execPath, [
      join(home, "bin", "gcspike.js"),
      "record",
      "-o",
      recording,
      "--",
      "node",
      "--expose-gc",
      "-e",
      "gc()",
    ]).ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/Recorded \d+ pauses? in 1 isolate/);
    expect(stderr).not.toContain("Recorded 0 pauses");
  });

  test("arguments arrive as they are", async () => {
    const odd = ["--spike", "-o", "a b", "", "$HOME", "*", "--", "ü\n"];
    const { stdout } = await runGcspike([
      ...evaluate("console.log(JSON.stringify(process.argv.slice(1)))"),
      "--",
      ...odd,
    ]);
    expect(JSON.parse(stdout)).toEqual(odd);
  });

  test("a gcspike inside a recorded program records, too", async () => {
    const inner = newRecording();
    const { code } = await runGcspike(
      record("node", join(ROOT, "bin", "gcspike.js"), "record", "-o", inner, "--", "node", "-e", "process.exit(6)"),
    );
    expect(code).toBe(6);
    expect(readdirSync(inner)).toContain("manifest.json");
  });
});

describe("a command that cannot be run is wrong usage, and leaves nothing behind", () => {
  test.each([
    ["that does not exist", "no-such-program", /"no-such-program": there is no such program/],
    ["that is not executable", "./notes.txt", /"\.\/notes\.txt": it is not executable/],
  ])("one %s", async (_name, program, message) => {
    const here = temporaryFolder();
    try {
      writeFileSync(join(here.path, "notes.txt"), "mine");
      chmodSync(join(here.path, "notes.txt"), 0o644);
      const { code, stdout, stderr } = await runGcspike(["record", "--", program], { cwd: here.path });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(message);
      expect(stderr).toContain("Nothing was run");
      expect(readdirSync(here.path)).toEqual(["notes.txt"]);
    } finally {
      here.remove();
    }
  });

  test("a folder that is not empty is not recorded into", async () => {
    const here = temporaryFolder();
    try {
      writeFileSync(join(here.path, "mine.txt"), "mine");
      const { code, stdout, stderr } = await runGcspike(["record", "-o", here.path, "--", "node", "-p", "1"]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("exists already and is not empty");
      expect(readdirSync(here.path)).toEqual(["mine.txt"]);
    } finally {
      here.remove();
    }
  });
});

test("a program that was started in a session of its own is not waited for", async () => {
  const code = `require("node:child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 6e4)"], { detached: true, stdio: "ignore" }).unref(); setTimeout(() => {}, 700)`;
  const words = evaluate(code);
  const running = startGcspike(words);
  const { code: exitCode, stderr } = await running.ended;
  const pids = readdirSync(words[2] ?? "")
    .flatMap((name) => /^(\d+)-0\.json$/.exec(name)?.[1] ?? [])
    .map(Number);
  const left = pids.filter((pid) => {
    try {
      return process.kill(pid, "SIGKILL");
    } catch {
      return false;
    }
  });
  expect(exitCode).toBe(0);
  expect(left).toHaveLength(1);
  expect(stderr).toContain(`1 recorded process was still running when the program ended (${left[0]})`);
});
