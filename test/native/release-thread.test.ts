/** native/slab-pool/release_thread.cc by itself, under the sanitizers. */
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT, temporaryFolder } from "../support/cli.ts";

const folder = temporaryFolder("gcspike-release-");
afterAll(() => folder.remove());

const SOURCES = ["release_thread.cc", "idle_thread.cc", "mapping.cc"].map((name) =>
  join(ROOT, "native", "slab-pool", name),
);

test.runIf(process.platform === "linux").each(["address,undefined", "thread"])(
  "ranges of a loop that waits and runs in turn go back in the order in which they were queued (%s)",
  (sanitizers) => {
    const program = join(folder.path, sanitizers);
    const flags = ["-std=c++20", "-g", "-O1", `-fsanitize=${sanitizers}`, "-fno-sanitize-recover=all", "-pthread"];
    const include = `-I${join(ROOT, "native", "slab-pool")}`;
    const driver = join(ROOT, "test", "native", "release-thread-driver.cc");
    execFileSync("g++", [...flags, include, ...SOURCES, driver, "-o", program], { stdio: "inherit" });
    const { status, signal, stdout, stderr } = spawnSync(program, { encoding: "utf8" });
    expect({ status, signal, stdout, stderr }).toEqual({
      status: 0,
      signal: null,
      stdout: "out of turn 0\nmapped 1\n",
      stderr: "",
    });
  },
);
