/** Signals reach the program exactly once, and gcspike outlives it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GCSPIKE, Running, runGcspike, startGcspike, temporaryFolder } from "../support/cli.ts";

/** Prints each signal it gets; SIGTERM ends it a moment later, so that a second delivery would be printed too. */
const LISTENER = `
for (const signal of ["SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGCONT", "SIGALRM"]) {
  process.on(signal, () => console.log("got " + signal));
}
process.on("SIGTERM", () => { console.log("got SIGTERM"); setTimeout(() => process.exit(9), 300); });
setInterval(() => {}, 1000);
console.log("ready");
`;
const IN_TERMINAL = new URL("../support/in-terminal.py", import.meta.url).pathname;

let folder: ReturnType<typeof temporaryFolder>;
let listener: string;
let count = 0;
beforeAll(() => {
  folder = temporaryFolder();
  listener = join(folder.path, "listener.cjs");
  writeFileSync(listener, LISTENER);
});
afterAll(() => folder.remove());

const newRecording = (): string => join(folder.path, `${count++}.gcspike`);

/** Runs gcspike in a terminal. `actions`: text to wait for, and what is typed then. */
function inTerminal(
  actions: readonly (readonly [string, string])[],
  words: readonly string[],
  env = {},
  [rows, columns] = [24, 100],
): Running {
  const command = [
    "python3",
    IN_TERMINAL,
    `${rows}`,
    `${columns}`,
    JSON.stringify(actions),
    "--",
    process.execPath,
    GCSPIKE,
    ...words,
  ];
  return new Running("env", command, { env: { TERM: "xterm-256color", ...env } });
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe("signals to gcspike alone", () => {
  test.each(["SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGCONT", "SIGALRM"] as const)(
    "%s is passed on",
    async (signal) => {
      const running = startGcspike(["record", "-o", newRecording(), "--", "node", listener]);
      await running.waitFor("ready");
      running.process.kill(signal);
      await running.waitFor(`got ${signal}`);
      running.process.kill("SIGTERM");
      const { code, stdout } = await running.ended;
      expect(code).toBe(9);
      expect(stdout).toBe(`ready\ngot ${signal}\ngot SIGTERM\n`);
    },
  );

  test("a program that ends by the signal gives 128 + its number and a complete summary", async () => {
    const running = startGcspike([
      "record",
      "-o",
      newRecording(),
      "--",
      "node",
      "-e",
      "console.log('ready'); setInterval(() => {}, 1e3)",
    ]);
    await running.waitFor("ready");
    running.process.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toContain("ended by SIGINT");
  });

  test("kill -9 leaves the program alone, and a recording that reads as cut", async () => {
    const recording = newRecording();
    const proof = join(folder.path, "proof.txt");
    const program = join(folder.path, "survivor.cjs");
    // Goes on when its parent is gone.
    writeFileSync(
      program,
      `const parent = process.ppid;
       gc();
       console.log("ready");
       const timer = setInterval(() => {
         if (process.ppid === parent) return;
         clearInterval(timer);
         gc();
         require("node:fs").writeFileSync(${JSON.stringify(proof)}, String(process.pid));
       }, 20);`,
    );
    const running = startGcspike(["record", "-o", recording, "--", "node", "--expose-gc", program]);
    await running.waitFor("ready");
    running.process.kill("SIGKILL");
    expect((await running.ended).signal).toBe("SIGKILL");
    // stdout closed only when the program, which had it too, was over.
    expect(readFileSync(proof, "utf8")).toMatch(/^\d+$/);
    const report = await runGcspike(["report", recording, "--format", "json"]);
    expect(report.code).toBe(0);
    const { recording: read, summary } = JSON.parse(report.stdout);
    expect(read.complete).toBe(false);
    expect(summary.pauses.count).toBeGreaterThanOrEqual(2);
    expect(read.warnings.length).toBeGreaterThan(0);
  });
});

describe("in a terminal", () => {
  test("Ctrl-C reaches the program exactly once, and gcspike outlives it", async () => {
    const words = ["record", "-o", newRecording(), "--", "node", listener];
    const running = inTerminal(
      [
        ["ready", "\u0003"],
        ["got SIGINT", "\u0003"],
        ["got SIGINT", "\u001c"],
      ],
      words,
    );
    await running.waitFor("got SIGQUIT");
    // Time for a signal that came twice to show.
    await setTimeout(300);
    const pid = Number(/\(pid (\d+)\)/.exec(running.stdout)?.[1]);
    process.kill(pid, "SIGTERM");
    const { code, stdout } = await running.ended;
    expect(code).toBe(9);
    expect(occurrences(stdout, "got SIGINT")).toBe(2);
    expect(occurrences(stdout, "got SIGQUIT")).toBe(1);
    expect(stdout).toContain("ended with exit code 9");
  });

  test("a program that Ctrl-C ends leaves a complete recording", async () => {
    const recording = newRecording();
    const words = ["record", "-o", recording, "--", "node", "-e", "console.log('ready'); setInterval(() => {}, 1e3)"];
    const { code, stdout } = await inTerminal([["ready", "\u0003"]], words).ended;
    expect(code).toBe(130);
    expect(stdout).toContain("ended by SIGINT");
    expect(JSON.parse(readFileSync(join(recording, "manifest.json"), "utf8"))).toMatchObject({
      state: "finished",
      exit: { code: null, signal: "SIGINT" },
    });
  });

  test("the live line shows, and the terminal is whole again before the summary", async () => {
    const program = "gc(); gc(); process.stdin.once('data', () => process.exit())";
    const words = ["record", "-o", newRecording(), "--", "node", "--expose-gc", "-e", program];
    const { stdout } = await inTerminal([["00:01   pauses ", "\n"]], words).ended;
    expect(stdout).toMatch(/recording node \(pid \d+\) {3}00:01 {3}pauses [1-9]\d* {3}worst [\d.,]+ (us|ms)/);
    const lastRegion = stdout.lastIndexOf("\u001b[1;23r");
    const wholeAgain = stdout.lastIndexOf("\u001b[r");
    expect(lastRegion).toBeGreaterThan(0);
    expect(wholeAgain).toBeGreaterThan(lastRegion);
    expect(stdout.indexOf("node ended")).toBeGreaterThan(wholeAgain);
    // The cursor stays visible.
    expect(stdout).not.toContain("\u001b[?25l");
  });

  test.each([
    ["CI", "true"],
    ["NO_COLOR", "1"],
    ["TERM", "dumb"],
  ])("%s=%s: no escape sequence from gcspike", async (name, value) => {
    const words = ["record", "-o", newRecording(), "--", "node", "-e", "setTimeout(() => {}, 1200)"];
    const { stdout } = await inTerminal([], words, { [name]: value }).ended;
    expect(stdout).toContain("node ended");
    expect(stdout).not.toContain("\u001b");
  });

  test("a terminal whose size was never set: nothing is drawn on it", async () => {
    const words = ["record", "-o", newRecording(), "--", "node", "-e", "setTimeout(() => {}, 1200)"];
    const { stdout } = await inTerminal([], words, {}, [0, 0]).ended;
    expect(stdout).toContain("node ended");
    expect(stdout.length).toBeLessThan(2000);
  });

  test("a last line that the program left open stays", async () => {
    const code = "process.stdout.write('no newline'); setTimeout(() => {}, 300)";
    const { stdout } = await inTerminal([], ["record", "-o", newRecording(), "--", "node", "-e", code]).ended;
    const behind = stdout.slice(stdout.indexOf("no newline") + "no newline".length);
    // The spinner takes away the line that it stands in: another one by then.
    expect(behind.indexOf("\n")).toBeGreaterThanOrEqual(0);
    expect(behind.indexOf("Reading the recording")).toBeGreaterThan(behind.indexOf("\n"));
  });

  test("the summary names the recording as a shell takes it, quoted once", async () => {
    const path = join(folder.path, "with space.gcspike");
    const { stderr } = await startGcspike(["record", "-o", path, "--", "node", "-e", ""]).ended;
    expect(stderr).toContain(`gcspike report '${path}'`);
    expect(stderr).not.toContain("\\''");
  });
});
