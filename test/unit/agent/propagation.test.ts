import { describe, expect, it } from "vitest";
import {
  membership,
  withAgent,
  withRecordedOptions,
  withRecording,
  withRecordingObject,
} from "../../../src/agent/propagation.ts";

const AGENT = `--require "/opt/gcspike/dist/agent/preload.cjs"`;
const TO = membership("/r", "/opt/gcspike/dist/agent/preload.cjs");

it("quotes the agent's path as NODE_OPTIONS wants it", () => {
  expect(TO.agentOption).toBe(AGENT);
  expect(membership("/r", 'a "b" \\c').agentOption).toBe('--require "a \\"b\\" \\\\c"');
});

describe("options of a worker", () => {
  it("stay the same objects where the worker inherits its environment", () => {
    for (const options of [
      undefined,
      null,
      { name: "w" },
      { execArgv: ["--no-warnings"] },
      { env: Symbol("SHARE_ENV") },
    ]) {
      expect(withAgent(options, TO)).toBe(options);
    }
  });

  it("stay the same where the environment loads the agent already", () => {
    const options = { env: { NODE_OPTIONS: `--no-warnings ${AGENT}` } };
    expect(withAgent(options, TO)).toBe(options);
  });

  it("get NODE_OPTIONS that load the agent where the environment lacks them", () => {
    const options = { env: { A: "1" }, execArgv: ["--no-warnings"], name: "w" };
    expect(withAgent(options, TO)).toEqual({ ...options, env: { A: "1", NODE_OPTIONS: AGENT } });
    expect(options.env).toEqual({ A: "1" });
  });

  it("keep NODE_OPTIONS of their own", () => {
    expect(withAgent({ env: { NODE_OPTIONS: "--no-warnings" } }, TO)).toEqual({
      env: { NODE_OPTIONS: `${AGENT} --no-warnings` },
    });
  });
});

describe.each([
  [
    "pairs",
    (env: Readonly<Record<string, string>>) => {
      const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      const recorded = withRecording(pairs, TO);
      return recorded === pairs ? env : Object.fromEntries(recorded.map((pair) => pair.split(/=(.*)/s)));
    },
  ],
  ["an object", (env: Readonly<Record<string, string>>) => withRecordingObject(env, TO)],
])("environment of a child, %s", (_name, recorded) => {
  it("stays the same where the child is recorded already", () => {
    const env = { PATH: "/bin", GCSPIKE_RECORDING: "/r", NODE_OPTIONS: `--no-warnings ${AGENT}` };
    expect(recorded(env)).toBe(env);
  });

  it("stays the same where the child belongs to another recording", () => {
    const env = { GCSPIKE_RECORDING: "/other" };
    expect(recorded(env)).toBe(env);
  });

  it("gets both variables where it has none", () => {
    expect(recorded({ PATH: "/bin" })).toMatchObject({ PATH: "/bin", GCSPIKE_RECORDING: "/r", NODE_OPTIONS: AGENT });
  });

  it("gets the agent before NODE_OPTIONS of its own, whether it has the folder or not", () => {
    const expected = { GCSPIKE_RECORDING: "/r", NODE_OPTIONS: `${AGENT} --no-warnings` };
    expect(recorded({ NODE_OPTIONS: "--no-warnings" })).toMatchObject(expected);
    expect(recorded({ NODE_OPTIONS: "--no-warnings", GCSPIKE_RECORDING: "/r" })).toMatchObject(expected);
  });

  it("gets the folder where it only has the agent", () => {
    expect(recorded({ NODE_OPTIONS: AGENT })).toMatchObject({ GCSPIKE_RECORDING: "/r", NODE_OPTIONS: AGENT });
  });
});

it("an environment that is an object gives its inherited variables too, and is not changed", () => {
  const env = Object.create({ INHERITED: "1" }) as Record<string, string>;
  env.OWN = "2";
  expect(withRecordingObject(env, TO)).toMatchObject({ INHERITED: "1", OWN: "2", NODE_OPTIONS: AGENT });
  expect(Object.keys(env)).toEqual(["OWN"]);
  expect(withRecordingObject(undefined, TO)).toBeUndefined();
});

describe("arguments of a function that waits for its child", () => {
  const recordedEnv = { NODE_OPTIONS: AGENT, GCSPIKE_RECORDING: "/r" };
  const withEnv = (words: readonly unknown[], inherited: Readonly<Record<string, string>>) =>
    withRecordedOptions(words, true, inherited, TO);

  it("stay the same where the child inherits what it needs", () => {
    for (const words of [["node"], ["node", ["a.js"]], ["node", ["a.js"], { cwd: "/" }], ["node", { cwd: "/" }]]) {
      expect(withEnv(words, recordedEnv)).toBe(words);
    }
  });

  it.each([
    [["node"], ["node", undefined, { env: recordedEnv }]],
    [
      ["node", ["a.js"]],
      ["node", ["a.js"], { env: recordedEnv }],
    ],
    [
      ["node", null, undefined],
      ["node", null, { env: recordedEnv }],
    ],
    [
      ["node", { cwd: "/" }],
      ["node", { cwd: "/", env: recordedEnv }],
    ],
    [
      ["node", ["a.js"], { cwd: "/", env: null }],
      ["node", ["a.js"], { cwd: "/", env: recordedEnv }],
    ],
    [
      ["node", ["a.js"], { env: { A: "1" } }],
      ["node", ["a.js"], { env: { A: "1", ...recordedEnv } }],
    ],
  ])("%j get it where the program's own environment lost it", (words, expected) => {
    expect(withEnv(words, {})).toEqual(expected);
  });

  it("have no list of arguments for execSync", () => {
    expect(withRecordedOptions(["ls"], false, {}, TO)).toEqual(["ls", { env: recordedEnv }]);
  });

  it("stay the same where Node will complain about them", () => {
    const words = ["node", [], "options"];
    expect(withEnv(words, {})).toBe(words);
  });
});
