/** `gcspike check` as a person or a CI job starts it, in a real git repository. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Check } from "../../src/analysis/check/check-types.ts";
import { runGcspike, startGcspike, temporaryFolder } from "../support/cli.ts";
import { expectValidCheck } from "../support/schema.ts";

let folder: ReturnType<typeof temporaryFolder>;

/** Allocates the same in each run; `keep` says how much of it lives. */
const program = (keep: number): string => `
  const kept = new Array(${keep});
  function remember(order, at) { kept[at % ${keep}] = { id: order.id, lines: order.lines.map((line) => ({ ...line })) }; }
  function order(id) { return { id, lines: Array.from({ length: 12 }, (_, n) => ({ n, sku: id + n, price: n * 1.5 })) }; }
  for (let i = 0; i < 40_000; i++) remember(order(i), i);
`;

const git = (...words: readonly string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...words], {
    cwd: folder.path,
    encoding: "utf8",
  });

/** gcspike's leavings in the folder for temporary files. */
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith("gcspike-check-"));

beforeAll(() => {
  folder = temporaryFolder();
  git("init", "-q", "-b", "main");
  writeFileSync(join(folder.path, "bench.js"), program(2));
  writeFileSync(join(folder.path, ".gitignore"), "check-*\nmade.txt\n");
  git("add", ".");
  git("commit", "-q", "-m", "first");
});
afterAll(() => folder.remove());
beforeEach(() => {
  git("checkout", "-q", "--", ".");
});

const check = (...words: readonly string[]) => runGcspike(["check", ...words], { cwd: folder.path });

describe("--against", () => {
  test("names the function that keeps more, in every format at once, and leaves no work tree behind", async () => {
    writeFileSync(join(folder.path, "bench.js"), program(20_000));
    const files = ["o.json", "o.md", "o.xml", "o.txt"].flatMap((name) => ["-o", join(folder.path, `check-${name}`)]);
    const words = [
      "--against",
      "main",
      "--runs",
      "3",
      "--metric",
      "survived.bytes",
      ...files,
      "--",
      "node",
      "bench.js",
    ];
    const { code, stdout, stderr } = await check(...words);
    expect({ code, stderr }).toMatchObject({ code: 1 });
    const result: Check = JSON.parse(readFileSync(join(folder.path, "check-o.json"), "utf8"));
    expectValidCheck(result);
    expect(result).toMatchObject({ verdict: "regression", decidedBy: "survived.bytes", pairs: 3 });
    expect(result.sites[0]?.file).toBe("bench.js");
    expect(result.sites.slice(0, 3).map((site) => site.function)).toContain("remember");
    expect(stdout).toMatch(/regression: survived\.bytes is .* higher than in main/);
    expect(readFileSync(join(folder.path, "check-o.md"), "utf8")).toMatch(/^## ❌ gcspike: regression/);
    expect(readFileSync(join(folder.path, "check-o.xml"), "utf8")).toContain('failures="1"');
    expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
    expect(leftovers()).toEqual([]);
  });

  test("passes what did not change, with the changes of the working tree that are not committed", async () => {
    writeFileSync(join(folder.path, "bench.js"), `${program(2)}// nothing\n`);
    const metric = ["--metric", "alloc.bytes=20%"];
    const { code, stdout } = await check("--against", "HEAD", "--runs", "3", ...metric, "--", "node", "bench.js");
    expect(stdout).toMatch(/pass: No regression against HEAD: alloc\.bytes\./);
    expect(code).toBe(0);
  });

  test("sets the commit up in its own folder", async () => {
    const setup = ["--setup", "pwd > made.txt && echo set up"];
    const words = ["--against", "main", ...setup, "--runs", "2", "--metric", "alloc.bytes=50%"];
    // Refuses where the work tree of the commit lacks it: it was made there, and only there.
    const { code, stderr } = await check(...words, "--", "node", "-e", 'require("node:fs").readFileSync("made.txt")');
    expect({ code, stderr }).toMatchObject({ code: 4 });
    expect(stderr).toMatch(/The candidate ended with exit code 1\. It said:/);
    expect(existsSync(join(folder.path, "made.txt"))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test("Ctrl-C ends the program, the work tree and the check", async () => {
    const running = startGcspike(["check", "--against", "main", "--", "node", "-e", "setInterval(() => {}, 1000)"], {
      cwd: folder.path,
    });
    while (leftovers().length === 0 || !running.stderr.includes("Warming up")) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    running.process.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/Stopped by SIGINT/);
    expect(leftovers()).toEqual([]);
    expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
  });
});

describe("the commit's side", () => {
  const few = ["--runs", "2", "--metric", "alloc.bytes=50%"];

  test("has the tools and the names of places of the commit, not those of the working tree, and nothing of a git hook", async () => {
    const tool = (says: string) =>
      `mkdir -p check-bin && printf '#!/bin/sh\\necho ${says}\\n' > check-bin/whose && chmod +x check-bin/whose`;
    execFileSync("sh", ["-c", tool("working")], { cwd: folder.path });
    writeFileSync(
      join(folder.path, "bench.js"),
      `const said = require("node:child_process").execFileSync("whose", { encoding: "utf8" }).trim();
       const { PWD, INIT_CWD, GIT_DIR, GIT_INDEX_FILE } = process.env;
       console.log(JSON.stringify({ said, isHere: [PWD, INIT_CWD].map((place) => place === process.cwd()), GIT_DIR, GIT_INDEX_FILE }));
       process.exitCode = Number(process.cwd() !== ${JSON.stringify(realpathSync(folder.path))});`,
    );
    git("add", ".");
    git("commit", "-q", "-m", "asks");
    const env = {
      PATH: `${join(folder.path, "check-bin")}:${process.env.PATH}`,
      PWD: folder.path,
      INIT_CWD: folder.path,
      GIT_DIR: join(folder.path, ".git"),
      GIT_INDEX_FILE: join(folder.path, ".git", "index"),
    };
    const words = ["check", "--against", "HEAD", "--setup", tool("committed"), ...few, "--", "node", "bench.js"];
    const { code, stderr } = await runGcspike(words, { cwd: folder.path, env });
    git("reset", "-q", "--hard", "HEAD~1");
    expect(stderr).toMatch(
      /The baseline ended with exit code 1\. It said:\n {4}\{"said":"committed","isHere":\[true,true\]\}/,
    );
    expect(code).toBe(4);
  });

  test("is made ready only in a folder that the commit has", async () => {
    mkdirSync(join(folder.path, "check-new"));
    const words = ["check", "--against", "main", "--setup", "true", ...few, "--", "node", "-e", "1"];
    const { code, stderr } = await runGcspike(words, { cwd: join(folder.path, "check-new") });
    expect(stderr).toMatch(/main has no folder check-new\./);
    expect(code).toBe(2);
    expect(leftovers()).toEqual([]);
  });

  test("need not have a folder that a word happens to name, and is not compared with a file of the working tree", async () => {
    mkdirSync(join(folder.path, "check-build"), { recursive: true });
    const { code, stderr } = await check("--against", "main", ...few, "--", "node", "bench.js", "check-build");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const link = join(folder.path, "check-link");
    symlinkSync(folder.path, link);
    const linked = await check("--against", "main", ...few, "--", "node", join(link, "bench.js"));
    expect(linked.stderr).toMatch(/both sides would run the same file\.\n.*: bench\.js/);
    expect(linked.code).toBe(2);
    const hook = await check(
      "--against",
      "main",
      ...few,
      "--",
      "node",
      `--require=${join(link, "bench.js")}`,
      "-e",
      "1",
    );
    expect(hook.stderr).toMatch(/both sides would run the same file\./);
  });

  test("is said not to be there where there is no place for it", async () => {
    const env = { TMPDIR: join(folder.path, "check-nowhere") };
    const words = ["check", "--against", "main", ...few, "--", "node", "bench.js"];
    const { code, stderr } = await runGcspike(words, { cwd: folder.path, env });
    expect(stderr).toMatch(/Cannot make a folder for temporary files in .*check-nowhere: ENOENT/);
    expect(code).toBe(4);
  });

  test("goes without the user's own work trees, also one whose disk is away", async () => {
    const own = join(folder.path, "check-own");
    git("worktree", "add", "-q", "--detach", own);
    renameSync(own, `${own}.away`);
    const { code } = await check("--against", "main", ...few, "--", "node", "bench.js");
    expect(code).toBe(0);
    expect(git("worktree", "list")).toMatch(/check-own/);
    rmSync(`${own}.away`, { recursive: true });
    git("worktree", "prune");
  });

  test("that cannot be removed is named, and the verdict stands (needs the right to mount a tmpfs)", async ({
    skip,
  }) => {
    const setup = ["--setup", "mkdir made && mount -t tmpfs tmpfs made || touch made/refused"];
    const { code, stderr } = await check("--against", "main", ...setup, ...few, "--", "node", "bench.js");
    const left = leftovers().map((name) => join(tmpdir(), name));
    for (const path of left) {
      spawnSync("umount", [join(path, "tree", "made")]);
      rmSync(path, { recursive: true, force: true });
    }
    git("worktree", "prune");
    skip(left.length === 0, "nothing could be mounted");
    expect(stderr).toMatch(/Cannot remove the temporary work tree .*: EBUSY\.\n.*git worktree prune/);
    expect(code).toBe(0);
  });
});

describe("Ctrl-C", () => {
  test("while git checks out ends it, and the check says that it was stopped", async () => {
    const marker = join(folder.path, "check-smudging");
    git("config", "filter.slow.smudge", `touch '${marker}'; sleep 60; cat`);
    writeFileSync(join(folder.path, ".gitattributes"), "bench.js filter=slow\n");
    git("add", ".gitattributes");
    git("commit", "-q", "-m", "slow");
    const running = startGcspike(["check", "--against", "HEAD", "--", "node", "bench.js"], { cwd: folder.path });
    while (!existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 50));
    // As a terminal does it: to everybody in its foreground.
    process.kill(-(running.process.pid ?? Number.NaN), "SIGINT");
    const { code, stderr } = await running.ended;
    git("config", "--unset", "filter.slow.smudge");
    git("reset", "-q", "--hard", "HEAD~1");
    expect(stderr).toMatch(/Stopped by SIGINT\.\n {2}Nothing was recorded\./);
    expect(code).toBe(130);
    expect(leftovers()).toEqual([]);
    expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
  });

  test("ends also a program that does not want to", async () => {
    const stubborn = `for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => {});
      setInterval(() => {}, 1000); require("node:fs").writeFileSync("check-up", "");`;
    const running = startGcspike(["check", "--budget", "alloc.bytes<1GiB", "--", "node", "-e", stubborn], {
      cwd: folder.path,
    });
    while (!existsSync(join(folder.path, "check-up"))) await new Promise((resolve) => setTimeout(resolve, 50));
    running.process.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect(stderr).toMatch(/Stopped by SIGINT/);
    expect(code).toBe(130);
  });
});

describe("what goes wrong at the end", () => {
  const alloc = ["--runs", "2", "--budget", "alloc.bytes<1GiB"];

  test("a job's summary that cannot be written changes no verdict, and stdout has the JSON alone", async () => {
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: join(folder.path, "check-nowhere", "summary.md") };
    const words = ["check", ...alloc, "--format", "json", "--", "node", "bench.js"];
    const { code, stdout, stderr } = await runGcspike(words, { cwd: folder.path, env });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expectValidCheck(JSON.parse(stdout));
    expect(stderr).toMatch(/Cannot write the job's summary, .*: ENOENT/);
  });

  test("a file that cannot be written any more costs no verdict and no other file", async () => {
    mkdirSync(join(folder.path, "check-out"));
    const takesAway = `require("node:fs").rmSync("check-out", { recursive: true, force: true }); require("./bench.js")`;
    const outputs = ["-o", "check-out/o.md", "-o", "check-other.md"];
    const { code, stdout, stderr } = await check(...alloc, ...outputs, "--", "node", "-e", takesAway);
    expect(stdout).toMatch(/pass: Within budget/);
    expect(stderr).toMatch(/Cannot write check-out\/o\.md: ENOENT/);
    expect(stderr).toMatch(/The recordings: {2}check-/);
    expect(code).toBe(4);
    expect(readFileSync(join(folder.path, "check-other.md"), "utf8")).toMatch(/gcspike: pass/);
  });

  test("processes that the program leaves behind are said, and are no fault of the check", async () => {
    const daemon = `require("node:fs").writeFileSync("check-daemon-" + process.ppid, "");
      setInterval(() => { if (require("node:fs").existsSync("check-stop")) process.exit(); }, 100);`;
    const leaves = `require("./bench.js");
      require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(daemon)}], { detached: true, stdio: "ignore" }).unref();
      const timer = setInterval(() => { if (require("node:fs").existsSync("check-daemon-" + process.pid)) clearInterval(timer); }, 50);`;
    const { code, stdout, stderr } = await check(...alloc, "--", "node", "-e", leaves);
    writeFileSync(join(folder.path, "check-stop"), "");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/In 2 of 2 runs the program left processes behind/);
  });
});

test("a branch that is called as the page calls the working tree is on the page beside it", async () => {
  git("branch", "now");
  const words = ["--against", "now", "--runs", "2", "--metric", "alloc.bytes=50%", "-o", "check-now.html"];
  const { code } = await check(...words, "--", "node", "bench.js");
  git("branch", "-D", "now");
  expect(code).toBe(0);
  expect(readFileSync(join(folder.path, "check-now.html"), "utf8")).toMatch(/"name":"now".*"name":"working tree"/s);
});

describe("a baseline that was kept", () => {
  test("is compared with, and refused where it is another machine's", async () => {
    const command = ["--runs", "3", "--metric", "alloc.bytes=20%", "--", "node", "bench.js"];
    expect(await check("--save-baseline", "check-base.json", ...command)).toMatchObject({ code: 0, stdout: "" });
    const same = await check("--baseline", "check-base.json", ...command);
    expect(same.stdout).toMatch(/pass: No regression against the baseline/);
    expect(same.code).toBe(0);
    const file = join(folder.path, "check-base.json");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(/"node":"[^"]*"/g, '"node":"18.0.0"'));
    const other = await check("--baseline", "check-base.json", ...command);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/The baseline was made with Node 18\.0\.0 .* and this is Node/);
    expect(await check("--baseline", "check-base.json", "--force", ...command)).toMatchObject({ code: 0 });
    const counted = await check("--baseline", "check-base.json", "--work", "1000", ...command);
    expect(counted.stderr).toMatch(/was made without --work, and this check is with --work units/);
    expect(counted.code).toBe(2);
  });
});

describe("a budget", () => {
  test.each([
    ["alloc.bytes<1GiB", 0, /pass: Within budget: alloc\.bytes/],
    ["alloc.bytes<1MiB", 1, /regression: alloc\.bytes is .*, and may be 1 MiB/],
  ])("%s", async (budget, expected, text) => {
    const { code, stdout } = await check("--budget", budget, "--runs", "3", "--", "node", "bench.js");
    expect({ code, stdout }).toMatchObject({ code: expected });
    expect(stdout).toMatch(text);
  });
});

describe("clear words", () => {
  const node = ["--", "node", "bench.js"];
  test.each([
    ["a commit that is not there", ["--against", "nowhere", ...node], 2, /knows no commit "nowhere".*\n.*git fetch/],
    ["nothing to check against", node, 2, /nothing to check against/],
    ["two at once", ["--against", "main", "--calibrate", ...node], 2, /--against and --calibrate do not go together/],
    ["a metric that is not there", ["--against", "main", "--metric", "pause.p98", ...node], 2, /a metric "pause\.p98"/],
    ["a budget without a unit", ["--budget", "pause.p99<5", ...node], 2, /--budget cannot be "5"/],
    ["a file of no format", ["--against", "main", "-o", "x.pdf", ...node], 2, /does not say which format/],
    ["a program that the commit lacks", ["--against", "main", "--", "node", "new.js"], 2, /main has no new\.js/],
    [
      "a program that fails",
      ["--budget", "alloc.bytes<1GiB", "--", "node", "-e", "process.exit(3)"],
      4,
      /ended with exit code 3\. It printed nothing/,
    ],
    [
      "a program that hangs",
      ["--budget", "alloc.bytes<1GiB", "--timeout", "1s", "--", "node", "-e", "setInterval(() => {}, 9)"],
      4,
      /still running after 1 s, and was ended/,
    ],
    [
      "setting up that fails",
      ["--against", "main", "--setup", "echo no luck; exit 7", ...node],
      4,
      /ended with exit code 7\. It said:\n {4}no luck/,
    ],
    [
      "setting up that hangs",
      ["--against", "main", "--setup", "echo waiting; sleep 60", "--timeout", "1s", ...node],
      4,
      /--setup 'echo waiting; sleep 60' was still running after 1 s, and was ended\. It said:\n {4}waiting/,
    ],
    ["a branch of a remote that was not fetched", ["--against", "origin/dev", ...node], 2, /git fetch origin dev /],
    [
      "a share that may be meant in percent",
      ["--against", "main", "--max-regression", "5", ...node],
      2,
      /cannot be "5"/,
    ],
    ["a time that no timer has", ["--against", "main", "--timeout", "600h", ...node], 2, /--timeout cannot be 600h/],
    ["no time at all", ["--against", "main", "--timeout", "0s", ...node], 2, /--timeout cannot be 0s/],
    ["a calibration as a page", ["--calibrate", "-o", "check-c.html", ...node], 2, /--calibrate has no html/],
    [
      "a calibration with a budget",
      ["--calibrate", "--budget", "pause.p99<5ms", ...node],
      2,
      /--calibrate judges nothing/,
    ],
    [
      "a baseline with a report",
      ["--save-baseline", "check-b.json", "--format", "json", ...node],
      2,
      /writes one file and no report/,
    ],
    [
      "what is no program of Node",
      ["--budget", "alloc.bytes<1GiB", "--", "sh", "-c", "true"],
      4,
      /started no Node\.js program/,
    ],
    [
      "a program that a signal ends",
      ["--budget", "alloc.bytes<1GiB", "--", "node", "-e", "process.kill(process.pid, 'SIGKILL')"],
      4,
      /The candidate ended with SIGKILL\. It printed nothing/,
    ],
    ["a work that never comes", ["--against", "main", "--work", "tag:never", ...node], 4, /never set the tag "never"/],
  ])("%s", async (_, words, expected, text) => {
    writeFileSync(join(folder.path, "new.js"), "");
    const { code, stderr } = await check(...words);
    expect(stderr).toMatch(text);
    expect({ code, stderr }).toMatchObject({ code: expected });
    expect(leftovers()).toEqual([]);
  });

  test("no repository", async () => {
    const elsewhere = temporaryFolder();
    const { code, stderr } = await runGcspike(["check", "--against", "main", ...node], { cwd: elsewhere.path });
    elsewhere.remove();
    expect(stderr).toMatch(/is in no work tree of git: fatal: not a git repository/);
    expect(code).toBe(2);
  });

  test("a program that ends before its first collection", async () => {
    const { stdout, code } = await check(
      "--against",
      "main",
      "--runs",
      "3",
      "--metric",
      "pause.p99",
      "--",
      "node",
      "-e",
      "1",
    );
    expect(stdout).toMatch(/ends before its first garbage collection/);
    expect(code).toBe(3);
  });
});
