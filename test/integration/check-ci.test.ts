/** What a CI system makes of action.yml and of the examples in docs/check.md. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { GCSPIKE, ROOT, temporaryFolder } from "../support/cli.ts";
import { expectValidCheck } from "../support/schema.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly "working-directory"?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, string>>;
}

interface Action {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<
    Record<string, { readonly description: string; readonly required?: boolean; readonly default?: string }>
  >;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const ACTION: Action = parse(read("action.yml"));
/** Fenced blocks of docs/check.md. */
const BLOCKS = [...read("docs/check.md").matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text: text ?? "",
}));
const yamlBlock = (word: string) =>
  parse(BLOCKS.find(({ language, text }) => language === "yaml" && text.includes(word))?.text ?? "");

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder.path, "bin"));
});
afterAll(() => folder.remove());

/** Puts a program called npx into PATH. */
function fakeNpx(script: string): NodeJS.ProcessEnv {
  const path = join(folder.path, "bin", "npx");
  writeFileSync(path, `#!/bin/bash\n${script}\n`);
  chmodSync(path, 0o755);
  return { ...process.env, PATH: `${join(folder.path, "bin")}:${process.env.PATH}`, WORDS: join(folder.path, "words") };
}

/** As GitHub's runner starts a step with `shell: bash`. */
function runInBash(script: string, cwd: string, env: NodeJS.ProcessEnv) {
  const file = join(folder.path, "step.sh");
  writeFileSync(file, script);
  return spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", file], { cwd, env, encoding: "utf8" });
}

/** `${{ inputs.name }}` with what a workflow gave, or the default. */
function evaluated(text: string, given: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$\{\{ inputs\.([\w-]+) \}\}/g,
    (_, name: string) => given[name] ?? ACTION.inputs[name]?.default ?? "",
  );
}

function runAction(given: Readonly<Record<string, string>>, cwd: string, env: NodeJS.ProcessEnv) {
  const step = ACTION.runs.steps[0];
  const variables = Object.entries(step?.env ?? {}).map(([name, value]) => [name, evaluated(value, given)]);
  const place = resolve(cwd, evaluated(step?.["working-directory"] ?? ".", given));
  return runInBash(step?.run ?? "", place, { ...env, ...Object.fromEntries(variables) });
}

test("the action runs in the folder that it is told", () => {
  const place = join(folder.path, "packages");
  mkdirSync(place, { recursive: true });
  const given = { command: "x", against: "main", "working-directory": "packages" };
  const { status } = runAction(given, folder.path, fakeNpx(`pwd > "$WORDS"`));
  expect(status).toBe(0);
  expect(readFileSync(join(folder.path, "words"), "utf8").trim()).toBe(realpathSync(place));
  expect(evaluated(ACTION.runs.steps[1]?.with?.path ?? "", given)).toBe("packages/gcspike-check.*");
});

const KEEP_WORDS = `printf '%s\\0' "$@" > "$WORDS"`;
const keptWords = (): readonly string[] => readFileSync(join(folder.path, "words"), "utf8").split("\0").slice(0, -1);

describe("action.yml", () => {
  test("is a composite action in which every input is used and every step says its shell", () => {
    expect(ACTION.runs.using).toBe("composite");
    // Longer ones are refused by GitHub's marketplace.
    expect(ACTION.description.length).toBeLessThanOrEqual(125);
    const used = [...read("action.yml").matchAll(/\binputs\.([\w-]+)/g)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual(Object.keys(ACTION.inputs).sort());
    for (const { description, required, default: value } of Object.values(ACTION.inputs)) {
      expect(description).not.toBe("");
      expect(required === true || typeof value === "string").toBe(true);
    }
    for (const step of ACTION.runs.steps) expect(step.run === undefined ? step.uses : step.shell).toBeTruthy();
  });

  test("puts no input into the text of a script", () => {
    for (const { run } of ACTION.runs.steps) expect(run ?? "").not.toContain("${{");
  });

  const ends = ["-o", "gcspike-check.html", "-o", "gcspike-check.json", "--", "bash", "-eo", "pipefail", "-c"];
  const hostile = `it's "x" $(touch pwned) \`touch pwned\` \\ * ; touch pwned\nnext`;

  test.each([
    ["nothing but what is required", { command: "node bench.js", against: "main" }, [], "node bench.js"],
    [
      "inputs that hold quotes, spaces, $() and newlines",
      { command: hostile, against: hostile, setup: hostile, version: hostile },
      ["--setup", hostile],
      hostile,
    ],
    [
      "arguments with quotes, on two lines",
      {
        command: "x",
        against: "main",
        arguments: `--runs 15 --budget 'pause.p99<5ms'\n--node-args "--expose-gc --max-semi-space-size=16" `,
      },
      ["--runs", "15", "--budget", "pause.p99<5ms", "--node-args", "--expose-gc --max-semi-space-size=16"],
      "x",
    ],
    [
      "arguments that a shell would run or replace",
      { command: "x", against: "main", arguments: "$(touch pwned) `touch pwned` * ~ ; touch pwned" },
      ["$(touch", "pwned)", "`touch", "pwned`", "*", "~", ";", "touch", "pwned"],
      "x",
    ],
    ["arguments of blanks", { command: "x", against: "main", arguments: " \n " }, [], "x"],
  ])("%s", (_, given: Readonly<Record<string, string>>, words, command) => {
    const { status, stderr } = runAction(given, folder.path, fakeNpx(KEEP_WORDS));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(keptWords()).toEqual([
      "--yes",
      `gcspike@${given.version ?? "latest"}`,
      "check",
      "--against",
      given.against,
      ...words,
      ...ends,
      command,
    ]);
    expect(existsSync(join(folder.path, "pwned"))).toBe(false);
  });

  test("an open quote in the arguments fails the step, and runs no check without them", () => {
    const env = fakeNpx(KEEP_WORDS);
    writeFileSync(join(folder.path, "words"), "");
    const { status } = runAction(
      { command: "x", against: "main", arguments: "--budget 'pause.p99<5ms" },
      folder.path,
      env,
    );
    expect(status).not.toBe(0);
    expect(keptWords()).toEqual([]);
  });

  test("fails with the check, whose reports stand where the next step looks for them", () => {
    const cwd = join(folder.path, "a project");
    mkdirSync(cwd);
    writeFileSync(join(cwd, "bench.js"), "for (let i = 0; i < 1e6; i++) globalThis.last = { i, list: [i] };\n");
    const git = (...words: readonly string[]) =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...words], { cwd });
    git("init", "-q", "-b", "it's-$(main)");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    const given = {
      command: 'echo "it\'s" $(basename bench.js)\nnode bench.js',
      against: "it's-$(main)",
      setup: "echo 'set up'; touch made",
      arguments: "--runs 2 --metric alloc.bytes=50% --budget 'alloc.bytes<1KiB'",
    };
    const env = fakeNpx(`shift 2; exec ${process.execPath} ${GCSPIKE} "$@"`);
    const { status, stdout } = runAction(given, cwd, env);
    expect(stdout).toMatch(/regression: alloc\.bytes is .*, and may be 1 KiB/);
    expect(status).toBe(1);
    expect(evaluated(ACTION.runs.steps[1]?.with?.path ?? "", {})).toBe("./gcspike-check.*");
    expectValidCheck(JSON.parse(readFileSync(join(cwd, "gcspike-check.json"), "utf8")));
    expect(readFileSync(join(cwd, "gcspike-check.html"), "utf8")).toMatch(/^<!doctype html>/i);
    const failing = runAction({ ...given, command: "false\nnode bench.js" }, cwd, env);
    expect(failing.status).toBe(4);
  });
});

describe("docs/check.md", () => {
  test("GitHub's example gives the action what it takes, and a checkout that has the commit", () => {
    const { on, jobs } = yamlBlock("gcspike/gcspike@");
    expect(on).toBe("pull_request");
    const steps: readonly Step[] = jobs.pauses.steps;
    const inputs = steps.find(({ uses }) => uses?.startsWith("gcspike/gcspike@") === true)?.with ?? {};
    const required = Object.keys(ACTION.inputs).filter((name) => ACTION.inputs[name]?.required === true);
    expect(Object.keys(ACTION.inputs)).toEqual(expect.arrayContaining(Object.keys(inputs)));
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(required));
    expect(steps[0]).toMatchObject({ uses: expect.stringMatching(/^actions\/checkout@/), with: { "fetch-depth": 0 } });
  });

  test("GitLab's example starts a check that writes what the job keeps", () => {
    const { pauses } = yamlBlock("CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
    const script: string = pauses.script.find((line: string) => line.startsWith("npx gcspike check"));
    const branch = "feature/x $(touch pwned)";
    const env = { ...fakeNpx(KEEP_WORDS), CI_MERGE_REQUEST_TARGET_BRANCH_NAME: branch };
    expect(runInBash(script, folder.path, env).status).toBe(0);
    const words = keptWords();
    expect(words[words.indexOf("--against") + 1]).toBe(`origin/${branch}`);
    const outputs = words.filter((_, index) => words[index - 1] === "-o");
    expect(outputs.sort()).toEqual([...pauses.artifacts.paths, pauses.artifacts.reports.junit].sort());
    expect(existsSync(join(folder.path, "pwned"))).toBe(false);
    expectUnderstood(words.slice(1));
  });

  const commands = [...read("docs/check.md").matchAll(/(?:^|`)(gcspike check -[^`\n]*)/gm)].map(
    ([, text]) => text ?? "",
  );

  test("has examples", () => expect(commands.length).toBeGreaterThanOrEqual(3));

  test.each(commands)("%s", (text) => {
    const bin = join(folder.path, "bin", "gcspike");
    writeFileSync(bin, `#!/bin/bash\n${KEEP_WORDS}\n`);
    chmodSync(bin, 0o755);
    expect(runInBash(text, folder.path, fakeNpx("")).status).toBe(0);
    expectUnderstood(keptWords());
  });

  test("the test of a library passes, for a library that is calm", () => {
    const project = join(folder.path, "library");
    for (const name of ["", "src", "test", "node_modules"]) mkdirSync(join(project, name));
    symlinkSync(ROOT, join(project, "node_modules", "gcspike"));
    symlinkSync(join(ROOT, "node_modules", "vitest"), join(project, "node_modules", "vitest"));
    writeFileSync(join(project, "package.json"), '{"type":"module"}');
    writeFileSync(join(project, "src", "parser.js"), "export function parseAll(count) { return count; }\n");
    writeFileSync(join(project, "test", "calm.test.js"), BLOCKS.find(({ language }) => language === "js")?.text ?? "");
    const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
    const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, "run", "--root", project], {
      cwd: project,
      encoding: "utf8",
    });
    expect({ status, output: stdout + stderr }).toMatchObject({ status: 0, output: expect.stringMatching(/1 passed/) });
  });
});

/** Where there is neither a repository nor a program, a check that understands its words says that. */
function expectUnderstood(words: readonly string[]): void {
  const cwd = join(folder.path, "elsewhere");
  mkdirSync(cwd, { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, [GCSPIKE, ...words], { cwd, encoding: "utf8" });
  expect(stderr).toMatch(/is in no work tree of git|Cannot run "COMMAND": there is no such program/);
  expect(status).toBe(2);
}
