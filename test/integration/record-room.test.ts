/** Files of what has ended take no more room than they need, and files of what still runs are left alone. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { NODES } from "../support/nodes.ts";
import { fixture, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
afterAll(() => workplace.remove());

test.each(NODES)("of a worker that ended, at once ($version)", async ({ path }) => {
  const { code, stdout } = await workplace.record([path, fixture("churn.cjs")]);
  expect(code).toBe(0);
  expect(Number(stdout)).toBeGreaterThan(10);
  expect(Number(stdout)).toBeLessThan(150);
});

test("of a child process that ended, while the program runs", async () => {
  const code = `
    const { execFileSync } = require("node:child_process");
    const { readdirSync, statSync } = require("node:fs");
    const folder = process.env.GCSPIKE_RECORDING;
    const kib = () => readdirSync(folder).filter((name) => !name.startsWith(process.pid + "-") && /^\\d+-/.test(name))
      .reduce((sum, name) => sum + statSync(folder + "/" + name).blocks / 2, 0);
    execFileSync(process.execPath, ["-e", "0"]);
    const timer = setInterval(() => { if (kib() < 150) { clearInterval(timer); console.log("trimmed"); } }, 100);`;
  const { stdout } = await workplace.record([process.execPath, "-e", code]);
  expect(stdout).toBe("trimmed\n");
});

const mayUnshare = spawnSync("unshare", ["-pf", "true"]).status === 0;

test.skipIf(!mayUnshare)("a process of another PID namespace outlives the recording", async () => {
  const result = workplace.path("exit-code");
  const code = `
    let kept = [];
    const end = Date.now() + 2500;
    const timer = setInterval(() => {
      for (let i = 0; i < 20000; i++) kept.push({ i });
      if (kept.length > 400000) kept = [];
      if (Date.now() > end) clearInterval(timer);
    }, 5);`;
  const survivor = `unshare -pf "${process.execPath}" -e "${code.replaceAll("\n", " ")}"`;
  const { recording } = await workplace.record(["sh", "-c", `(${survivor}; echo $? >"${result}") & sleep 1`]);
  expect(recording.isolates).toHaveLength(1);
  await expect.poll(() => existsSync(result) && readFileSync(result, "utf8"), { timeout: 20_000 }).toBe("0\n");
});
