/** Completion in real shells, and the man page that is made from the same outline. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS, createProgram } from "../../src/cli/main.ts";
import { flatten, outlineOf } from "../../src/cli/outline.ts";
import { ROOT, runGcspike, temporaryFolder } from "../support/cli.ts";
import { fakeTerminal } from "../support/terminal.ts";
import { Tmux } from "../support/tmux.ts";

const SHELLS = ["bash", "zsh", "fish"];
const outline = flatten(outlineOf(createProgram({ terminal: fakeTerminal(), finish: () => {} })));

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(async () => {
  folder = temporaryFolder();
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await runGcspike(["completion", shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    writeFileSync(join(folder.path, shell), stdout);
  }
});
afterAll(() => folder.remove());

/** What bash offers for the last of these words. */
function bash(...words: readonly string[]): string[] {
  const program = [
    'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gcspike',
    `for word in "\${COMPREPLY[@]}"; do printf "%s\\n" "$word"; done`,
  ].join("; ");
  const script = join(folder.path, "bash");
  return execFileSync("bash", ["--norc", "-c", program, "bash", script, "gcspike", ...words], { encoding: "utf8" })
    .split("\n")
    .filter((word) => word !== "");
}

/** What fish offers, without descriptions. */
function fish(line: string): string[] {
  const program = "source $argv[1]; complete -C $argv[2]";
  return execFileSync("fish", ["--no-config", "-c", program, join(folder.path, "fish"), line], { encoding: "utf8" })
    .split("\n")
    .filter((word) => word !== "")
    .map((word) => word.split("\t")[0] ?? "");
}

describe("bash", () => {
  test("commands, and those of a command", () => {
    expect(bash("")).toEqual(COMMANDS.map(({ name }) => name));
    expect(bash("rep")).toEqual(["report"]);
    expect(bash("simulate", "")).toEqual(["txpool", "sessions"]);
  });

  test("every option of every command", () => {
    for (const { path, options } of outline) {
      const words = path === "" ? [] : path.split(" ");
      expect(bash(...words, "-").sort()).toEqual(options.flatMap(({ names }) => names).sort());
    }
  });

  test("values that are one of a few", () => {
    expect(bash("record", "--collector", "")).toEqual(["probe", "perf_hooks"]);
    expect(bash("report", "x.gcspike", "--format", "m")).toEqual(["markdown"]);
    expect(bash("completion", "")).toEqual(SHELLS);
  });

  test("a program behind --, and then nothing of ours", () => {
    expect(bash("record", "--", "bas")).toContain("bash");
    expect(bash("record", "--", "node", "--")).toEqual([]);
  });

  test("the name of a command as a value is no command", () => {
    expect(bash("report", "-o", "record", "--spike-")).toEqual(["--spike-id"]);
  });
});

describe("fish", () => {
  test("commands, and those of a command", () => {
    expect(fish("gcspike ").sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
    expect(fish("gcspike simulate ").sort()).toEqual(["sessions", "txpool"]);
  });

  test("every option of every command", () => {
    for (const { path, options } of outline) {
      const line = `gcspike ${path === "" ? "" : `${path} `}--`;
      const long = options.flatMap(({ names }) => names).filter((name) => name.startsWith("--"));
      expect(fish(line)).toEqual(expect.arrayContaining(long));
    }
  });

  test("values that are one of a few", () => {
    expect(fish("gcspike record --collector ").sort()).toEqual(["perf_hooks", "probe"]);
  });

  test("nothing of ours behind --", () => {
    expect(fish("gcspike record -- node --coll")).toEqual([]);
  });
});

describe("zsh", () => {
  test("commands, options and values, on Tab", async () => {
    const terminal = new Tmux({ width: 120, rows: 40, cwd: folder.path });
    try {
      terminal.type("PS1='zsh> ' zsh -f");
      await terminal.waitFor("zsh>");
      terminal.type("autoload -U compinit && compinit -D -u && source ./zsh && print loaded-$?");
      await terminal.waitFor("loaded-0");
      for (const [typed, completed] of [
        ["gcspike rep", "gcspike report "],
        ["gcspike simulate tx", "gcspike simulate txpool "],
        ["gcspike record --collector perf", "gcspike record --collector perf_hooks "],
        ["gcspike record --live", "gcspike record --live-heap "],
      ] as const) {
        terminal.press("C-u");
        terminal.press(...[...typed].map((letter) => (letter === " " ? "Space" : letter)), "Tab");
        await terminal.waitFor((screen) => `${screen.trimEnd()} `.endsWith(completed));
      }
    } finally {
      terminal.close();
    }
  });
});

describe("the man page", () => {
  const path = join(ROOT, "dist", "gcspike.1");

  test("names every command and every option", () => {
    const page = readFileSync(path, "utf8").replaceAll("\\-", "-");
    for (const { path: command, options } of outline) {
      expect(page).toContain(command === "" ? ".SH OPTIONS" : `.SS gcspike ${command}\n`);
      for (const name of options.flatMap(({ names }) => names)) expect(page).toContain(`\\fB${name}\\fR`);
    }
  });

  test("groff reads it without a complaint, and shows what was written", () => {
    const shown = execFileSync("groff", ["-man", "-ww", "-Tascii", "-P-c", path], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(shown).toContain("gcspike record --trigger 'pause>50ms'");
    expect(execFileSync("sh", ["-c", 'groff -man -ww -Tascii -z "$1" 2>&1', "sh", path], { encoding: "utf8" })).toBe(
      "",
    );
  });
});
