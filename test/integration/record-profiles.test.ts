/** --live-heap and --cpu: profiles that other tools read, of the original source, without gcspike's own work in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { afterAll, describe, expect, test } from "vitest";
import { ROOT } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
afterAll(() => workplace.remove());
const ORDERS = join(ROOT, "fixtures", "typescript", "orders.js");

/** The profiles of a recording with one isolate: every function with its file. */
function functionsOf(path: string, kind: "live" | "wall"): readonly string[] {
  const [file = ""] = readdirSync(path).filter((name) => name.endsWith(`.${kind}.pb.gz`));
  const { stringTable, function: functions } = Profile.decode(gunzipSync(readFileSync(join(path, file))));
  return functions.map(({ name, filename }) => {
    return `${stringTable.strings[Number(name)]} ${stringTable.strings[Number(filename)]?.replace(/.*\//, "")}`;
  });
}

describe.each(NODES)("$version", ({ path }) => {
  test("a program that ends by itself has both profiles", async () => {
    const flags = ["--live-heap", "--cpu"];
    const recorded = await workplace.record([path, ORDERS], { flags, env: { FIXTURE_SECONDS: "1" } });
    expect(recorded.code).toBe(0);
    expect(recorded.recording.warnings.map(({ code }) => code)).not.toContain("profile-missing");
    expect(functionsOf(recorded.path, "live").join("\n")).toMatch(/^(turn|OrderBook\.remember|remember) orders\.ts$/m);
    const wall = functionsOf(recorded.path, "wall");
    expect(wall).toContain("turn orders.ts");
    expect(wall.filter((name) => /preload\.cjs|orders\.js$/.test(name))).toEqual([]);
    expect(readdirSync(recorded.path).filter((name) => /\.(live|wall)\.\d+\./.test(name))).toEqual([]);
    expect(recorded.stderr).toMatch(/Live heap: {2}go tool pprof -top \S+\.live\.pb\.gz\n {2}Wall-clock time:/);
  });

  test("a program that is killed at once has none, and the recording says so", async () => {
    const flags = ["--live-heap", "--cpu"];
    const recorded = await workplace.record([path, "-e", "process.kill(process.pid, 'SIGKILL')"], { flags });
    expect(recorded.code).toBe(137);
    const missing = recorded.recording.warnings.filter(({ code }) => code === "profile-missing");
    expect(missing.map(({ message }) => message.replace(/\d+-0/, "N"))).toEqual([
      "There is no live-heap profile of N.",
      "There is no wall-clock profile of N.",
    ]);
  });
});

test.each([
  ["perf_hooks", ["--collector", "perf_hooks"]],
  ["profiles", ["--live-heap", "--cpu"]],
])("with %s, a program with as many exit listeners as Node allows is not warned", async (_name, flags) => {
  const code = `for (let i = 0; i < 10; i++) process.on("exit", () => {}); console.error(process.listenerCount("exit") > 9)`;
  const recorded = await workplace.record([process.execPath, "-e", code], { flags });
  expect(recorded.stderr).toMatch(/^true\n/);
  expect(recorded.stderr).not.toContain("MaxListeners");
});
