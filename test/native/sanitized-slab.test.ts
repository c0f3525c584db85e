/** The slab pool's addon, built with AddressSanitizer and UndefinedBehaviorSanitizer: they have nothing to say. */
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../support/cli.ts";

const BINARY = `slab-pool-${process.platform}-${process.arch}.node`;
let folder: string;
let runtime: string;

/** A package of its own with the sanitized binary in its place. */
beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, "scripts", "build.mjs"), "--sanitized"]);
  runtime = execFileSync("g++", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim();
  folder = mkdtempSync(join(tmpdir(), "gcspike-asan-"));
  for (const name of ["dist", "prebuilds"]) mkdirSync(join(folder, name));
  copyFileSync(join(ROOT, "package.json"), join(folder, "package.json"));
  cpSync(join(ROOT, "dist", "slab.js"), join(folder, "dist", "slab.js"));
  copyFileSync(join(ROOT, "build", "sanitized", BINARY), join(folder, "prebuilds", BINARY));
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [
    "pools that come and go, in every way of giving memory back",
    `
    for (let n = 0; n < 60; n++) {
      for (const release of ["never", "immediate", "deferred"]) {
        const pool = SlabPool.open({ classes: [{ slotBytes: 4096, slots: 64 }], release, hugePages: n % 2 ? "try" : "off", numaNode: "local" });
        const handles = Array.from({ length: 64 }, () => pool.alloc(4000));
        for (const handle of handles) pool.view(handle).fill(7);
        for (const handle of handles) pool.free(handle);
        pool.stats();
        if (n % 3) pool.close();
      }
      if (n % 20 === 0) { gc(); await new Promise((resolve) => setTimeout(resolve, 250)); }
    }`,
  ],
  [
    "workers that are terminated while they have a pool",
    `
    const { Worker } = await import("node:worker_threads");
    const pool = SlabPool.open({ classes: [{ slotBytes: 64, slots: 10_000 }], threads: 5 });
    for (let n = 0; n < 6; n++) {
      const worker = new Worker(\`
        import { parentPort, workerData } from "node:worker_threads";
        const { SlabPool } = await import(workerData.slab);
        const pool = SlabPool.attach(workerData.share);
        parentPort.postMessage(1);
        for (;;) { const handle = pool.alloc(64); pool.view(handle).fill(3); pool.free(handle); }\`,
        { eval: true, workerData: { slab: SLAB, share: pool.share() } });
      await new Promise((resolve) => worker.once("message", resolve));
      await worker.terminate();
    }
    pool.close();`,
  ],
])("%s", async (_, code) => {
  const slab = JSON.stringify(pathToFileURL(join(folder, "dist", "slab.js")).href);
  const source = `import { SlabPool } from ${slab};\nconst SLAB = ${slab};\n${code}\nconsole.log("done");`;
  const env = { ...process.env, LD_PRELOAD: runtime, ASAN_OPTIONS: "detect_leaks=0" };
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--expose-gc", "--input-type=module", "-e", source],
    { env },
  );
  expect(stderr).not.toMatch(/Sanitizer|runtime error/);
  expect(stdout).toBe("done\n");
});
