/** `gcspike check` as a person or a CI job starts it, in a real git repository. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(stdout.trimEnd().split("\n").at(-1));
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
    expect(stderr).toMatch(/is not in a git repository/);
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
