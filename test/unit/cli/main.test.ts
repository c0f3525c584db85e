import { describe, expect, test } from "vitest";
import { createProgram, main } from "../../../src/cli/main.ts";
import { flatten, type OptionOutline, outlineOf } from "../../../src/cli/outline.ts";
import { fakeTerminal } from "../../support/terminal.ts";

const commands = flatten(outlineOf(createProgram({ terminal: fakeTerminal(), finish: () => {} }))).slice(1);
const hasName =
  (name: string) =>
  ({ names }: OptionOutline): boolean =>
    names.includes(name);

async function run(...words: readonly string[]) {
  const terminal = fakeTerminal();
  const exitCode = await main(words, terminal);
  return { exitCode, ...terminal.printed };
}

describe("help", () => {
  test("goes to stdout and lists the commands that exist", async () => {
    const { exitCode, out, err } = await run("--help");
    expect(exitCode).toBe(0);
    expect(err).toBe("");
    expect([...out.matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)].map((match) => match[1])).toEqual([
      "record",
      "attach",
      "top",
      "recover",
      "agent",
      "report",
      "compare",
      "check",
      "export",
      "simulate",
      "doctor",
      "completion",
    ]);
  });

  test("no command at all shows it too", async () => {
    expect(await run()).toEqual(await run("--help"));
  });

  test("so does a command that needs another word", async () => {
    expect(await run("simulate")).toEqual(await run("simulate", "--help"));
  });

  test.each(["record", "report", "compare", "simulate", "doctor"])("%s --help has an example", async (command) => {
    const { exitCode, out } = await run(command, "--help");
    expect(exitCode).toBe(0);
    expect(out).toMatch(new RegExp(`Example:\\n  gcspike ${command}`));
  });

  test("--version is the package's", async () => {
    expect((await run("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("--json", () => {
  const jsonOf = (path: string) => commands.find((one) => one.path === path)?.options.find(hasName("--json"));

  test("is on every command that has something to say to a script", () => {
    const without = commands.filter(({ commands: below }) => below.length === 0).filter(({ path }) => !jsonOf(path));
    expect(without.map(({ path }) => path)).toEqual(["agent", "completion"]);
  });

  test("is a switch, but where stdout is the program's", () => {
    const withFile = commands.filter(({ path }) => (jsonOf(path)?.value ?? null) !== null);
    expect(withFile.map(({ path }) => path)).toEqual(["record"]);
  });

  test("is --format json where there are formats", () => {
    const formatted = commands.filter(({ options }) => options.some((o) => o.value?.choices.includes("json")));
    expect(formatted.map(({ path }) => path)).toEqual(["report", "compare", "check", "doctor"]);
    for (const { path } of formatted) expect(jsonOf(path)?.description).toBe("the same as --format json");
  });

  test.each(["report", "compare", "check"])("of %s does not go with another format", async (command) => {
    const { exitCode, out, err } = await run(command, "--json", "--format", "markdown", "x");
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toMatch(/^gcspike: --json and --format markdown do not go together\.\n {2}Leave one out\.\n$/);
  });
});

describe("wrong usage is exit code 2, on stderr, with the accepted form", () => {
  test.each([
    [["recrd"], /Unknown command 'recrd'.*Did you mean record/, /gcspike --help/],
    [["record"], /Missing required argument 'command'/, /gcspike record --help/],
    [["record", "--spike", "10", "--", "node"], /--spike cannot be "10"/, /500us, 10ms, 2s or 5m/],
    [["record", "--spikes", "10ms", "--", "node"], /Unknown option '--spikes'.*Did you mean --spike/, /record --help/],
    [["record", "--collector", "magic", "--", "node"], /'magic' is invalid.*probe, perf_hooks/, /record --help/],
    [["record", "--node-args", "x", "--", "node"], /--node-args cannot hold "x"/, /--node-args "--max/],
    [["record", "--node-args", "--", "--", "node"], /--node-args cannot hold "--"/, /--node-args "--max/],
    [["record", "--", ""], /first word is empty/, /record -- node server.js/],
    [["record", "--", "node", "a\0b"], /NUL character/, /Take it out/],
    [["record", "-o", "", "--", "node"], /-o names no folder/, /-o DIR\.gcspike/],
    [["record", "-o"], /'-o, --output <DIR.gcspike>' argument missing/, /record --help/],
    [["report"], /Missing required argument 'recording'/, /report --help/],
    [["report", "a", "b"], /Too many arguments/, /report --help/],
    [["report", "a", "--p99", "5"], /--p99 cannot be "5"/, /500us, 10ms, 2s or 5m/],
    [["report", "a", "--growth", "50"], /--growth cannot be "50"/, /512KiB, 64MiB or 1GiB/],
    [["report", "a", "--format", "pdf"], /'pdf' is invalid.*terminal, json, markdown, html/, /report --help/],
    [["report", "a", "-o", "b.pdf"], /b\.pdf does not say which format/, /\.html, \.json, \.md or \.txt/],
    [["compare"], /no recording to compare/, /gcspike compare before\.gcspike after\.gcspike/],
    [["simulate", "pool"], /Unknown command 'pool'/, /simulate --help/],
    [["doctor", "now"], /Too many arguments/, /doctor --help/],
    [["doctor", "--json", "--format", "terminal"], /--json and --format terminal do not go together/, /Leave one out/],
    [["record", "--json", "--", "node"], /--json needs a file's name/, /--json recorded\.json -- node/],
    [
      ["record", "--json", "/nowhere/x.json", "--", "node"],
      /Cannot write \/nowhere\/x\.json.*Nothing was run/,
      /exists/,
    ],
    [
      ["top", "4121", "--json"],
      /With --json, gcspike top attaches to nothing/,
      /gcspike attach 4121 --duration 10s --json/,
    ],
    [["export", "a", "--format", "otlp", "--json"], /stdout is the export's own/, /-o FILE/],
  ])("%j", async (words, message, hint) => {
    const { exitCode, out, err } = await run(...words);
    expect(exitCode).toBe(2);
    expect(out).toBe("");
    const [first, second, ...rest] = err.split("\n");
    expect(first).toMatch(/^gcspike: [A-Z-]/);
    expect(first).toMatch(message);
    expect(second).toMatch(hint);
    expect(rest).toEqual([""]);
  });
});

test("a recording that is not there is gcspike's failure: exit code 4, no stack", async () => {
  const { exitCode, err } = await run("report", "/nowhere/x.gcspike");
  expect(exitCode).toBe(4);
  expect(err).toContain("/nowhere/x.gcspike");
  expect(err).not.toContain("    at ");
});

test.each([[["--verbose", "report", "/nowhere/x.gcspike"]], [["report", "--verbose", "/nowhere/x.gcspike"]]])(
  "--verbose prints the stack: %j",
  async (words) => {
    expect((await run(...words)).err).toMatch(/^ {4}at /m);
  },
);

test.each([
  [["report", "x.gcspike"], "gcspike report x.gcspike -o report.html"],
  [["compare", "a.gcspike", "b.gcspike"], "-o compare.html"],
  [["compare", "--workload", "txpool"], "-o compare.html"],
])("an HTML page of %j is not written into a terminal, and nothing is run for it", async (words, hint) => {
  const terminal = fakeTerminal({ outIsTerminal: true });
  expect(await main([...words, "--format", "html"], terminal)).toBe(2);
  expect(terminal.printed.err).toBe(`gcspike: An HTML page is not for a terminal.\n  Write it to a file: ${hint}\n`);
});
