import { describe, expect, it } from "vitest";
import { withPreload, withRecording } from "../../../src/agent/propagation.ts";

const PRELOAD = "/opt/gcspike/dist/agent/preload.cjs";

describe("options of a worker", () => {
  it("stay the same objects where the worker inherits its environment", () => {
    for (const options of [undefined, null, { name: "w" }, { execArgv: ["--no-warnings"] }, { env: Symbol("SHARE_ENV") }]) {
      expect(withPreload(options, PRELOAD)).toBe(options);
    }
  });

  it("stay the same where the environment names the preload already", () => {
    const options = { env: { NODE_OPTIONS: `--require "${PRELOAD}"` } };
    expect(withPreload(options, PRELOAD)).toBe(options);
  });

  it("get the preload behind the worker's own flags where the environment lacks it", () => {
    const options = { env: { A: "1" }, execArgv: ["--no-warnings"], name: "w" };
    expect(withPreload(options, PRELOAD)).toEqual({ ...options, execArgv: ["--no-warnings", "--require", PRELOAD] });
    expect(options.execArgv).toEqual(["--no-warnings"]);
  });

  it("keep the process's flags where the worker names none", () => {
    expect(withPreload({ env: {} }, PRELOAD)).toEqual({ env: {}, execArgv: [...process.execArgv, "--require", PRELOAD] });
  });
});

describe("environment of a child", () => {
  const own = `--require "${PRELOAD}"`;

  it("stays the same object where it is recorded already", () => {
    const pairs = ["PATH=/bin", "GCSPIKE_RECORDING=/r"];
    expect(withRecording(pairs, "/other", own)).toBe(pairs);
  });

  it("gets both variables where it has none", () => {
    expect(withRecording(["PATH=/bin"], "/r", own)).toEqual([
      "PATH=/bin",
      "GCSPIKE_RECORDING=/r",
      `NODE_OPTIONS=${own}`,
    ]);
  });

  it("keeps NODE_OPTIONS of its own", () => {
    expect(withRecording(["NODE_OPTIONS=--no-warnings"], "/r", own)).toEqual([
      "GCSPIKE_RECORDING=/r",
      `NODE_OPTIONS=${own} --no-warnings`,
    ]);
  });
});
