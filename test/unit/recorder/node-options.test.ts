import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GcspikeError } from "../../../src/lib/errors.ts";
import {
  isNode,
  leadingOptions,
  permissionToRead,
  planNodeArguments,
  quoteNodeOption,
  splitNodeOptions,
  targetNodeOptions,
} from "../../../src/recorder/node-options.ts";

describe("quoting for NODE_OPTIONS", () => {
  test("what is quoted comes back as one word", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(splitNodeOptions("--node-args", words.map(quoteNodeOption).join(" "))).toEqual(words);
      }),
    );
  });

  test("Node itself loads a file whose path has spaces, quotes and backslashes", () => {
    const folder = mkdtempSync(join(tmpdir(), 'gcspike "quoted" \\ back '));
    try {
      const preload = join(folder, "pre load.cjs");
      writeFileSync(preload, "console.log('loaded');");
      const env = { ...process.env, NODE_OPTIONS: targetNodeOptions(preload, undefined, []) };
      expect(execFileSync(process.execPath, ["-e", "0"], { env, encoding: "utf8" })).toBe("loaded\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("an open quote is a usage error that names the flag", () => {
    expect(() => splitNodeOptions("--node-args", '--title="x')).toThrow(/--node-args has a double quote/);
  });
});

describe("options for the target's Node", () => {
  test("the agent comes first, then what was there, then what is added", () => {
    expect(targetNodeOptions("/a/preload.cjs", "--require ./x.cjs", ["--max-semi-space-size=1"])).toBe(
      '--require "/a/preload.cjs" --require ./x.cjs "--max-semi-space-size=1"',
    );
  });

  test("an agent that is there already, from a gcspike around this one, is not loaded twice", () => {
    const outer = targetNodeOptions("/a/preload.cjs", "--no-warnings", []);
    expect(targetNodeOptions("/a/preload.cjs", outer, [])).toBe('--require "/a/preload.cjs" --no-warnings');
  });

  test("NODE_OPTIONS takes what Node allows there; the rest stands behind node", () => {
    const words = ["--max-semi-space-size=64", "--trace-gc", "--require", "./x.cjs", "--no-opt"];
    expect(planNodeArguments(words, "node")).toEqual({
      environment: ["--max-semi-space-size=64", "--require", "./x.cjs"],
      commandLine: ["--trace-gc", "--no-opt"],
    });
  });

  test("an option for node's own command line cannot reach Node through another program", () => {
    expect(() => planNodeArguments(["--trace-gc"], "npx")).toThrow(GcspikeError);
    expect(() => planNodeArguments(["--trace-gc"], "npx")).toThrow(/cannot pass --trace-gc to "npx"/);
    expect(planNodeArguments(["--max-old-space-size=99"], "npx").environment).toEqual(["--max-old-space-size=99"]);
  });

  test("a word that is no option cannot come first", () => {
    expect(() => planNodeArguments(["64", "--trace-gc"], "node")).toThrow(/--node-args cannot hold "64"/);
  });

  test.each([
    ["node", true],
    ["/usr/local/bin/node", true],
    ["nodejs", true],
    [process.execPath, true],
    ["nodemon", false],
    ["npx", false],
  ])("%s is Node: %s", (program, expected) => {
    expect(isNode(program)).toBe(expected);
  });
});

describe("a program under Node 20's permission model", () => {
  const paths = ["/opt/gcspike/dist/agent/*"];
  const given = (...words: string[]) => permissionToRead(leadingOptions(words), paths);

  test("may read what records it", () => {
    expect(given("--experimental-permission", "--allow-fs-read=/srv/*", "server.js")).toEqual([
      "--allow-fs-read=/opt/gcspike/dist/agent/*",
    ]);
  });

  test("is one where Node gets the option, not the script", () => {
    expect(given("server.js", "--experimental-permission")).toEqual([]);
    expect(given("--no-warnings", "server.js")).toEqual([]);
    expect(given()).toEqual([]);
  });
});
