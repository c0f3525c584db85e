/** gcspike records, and reads what it recorded, on every Node version that it supports. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GCSPIKE, Running, temporaryFolder } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";

/** A main thread, a worker with a name and a child process; each collects on request, each kind of log gets something. */
const FAMILY = `
import { fork } from "node:child_process";
import { once } from "node:events";
import { isMainThread, Worker } from "node:worker_threads";
import { fileURLToPath } from "node:url";
let kept = [];
for (let i = 0; i < 30; i++) { for (let j = 0; j < 3e4; j++) kept.push({ j }); if (i % 10 === 9) { kept = []; gc(); } }
const here = fileURLToPath(import.meta.url);
if (isMainThread && process.argv[2] !== "child") {
  const worker = new Worker(here, { name: "mailer" });
  const child = fork(here, ["child"]);
  await Promise.all([once(worker, "exit"), once(child, "exit")]);
  process.exitCode = 4;
}
`;

let folder: ReturnType<typeof temporaryFolder>;
let program: string;
beforeAll(() => {
  folder = temporaryFolder();
  program = join(folder.path, "family.mjs");
  writeFileSync(program, FAMILY);
});
afterAll(() => folder.remove());

test.each(NODES)("$version", async ({ version, path }) => {
  const recording = join(folder.path, `${version}.gcspike`);
  const words = [GCSPIKE, "record", "-o", recording, "--", path, "--expose-gc", program];
  expect((await new Running(path, words).ended).code).toBe(4);
  const { code, stdout } = await new Running(path, [GCSPIKE, "report", recording, "--format", "json"]).ended;
  expect(code).toBe(0);
  const report = JSON.parse(stdout);
  expect(report.recording).toMatchObject({ node: version, complete: true, warnings: [] });
  expect(report.recording.collectors).toEqual(expect.arrayContaining(["probe", "phases", "heap", "allocations"]));
  const isolates: { kind: string; name: string; gc: { pauses: { count: number } } }[] = report.isolates;
  expect(isolates.map(({ kind }) => kind).sort()).toEqual(["child", "main", "worker"]);
  expect(isolates.find(({ kind }) => kind === "worker")?.name).toBe("mailer");
  // Three collections that the program asked for, and whatever V8 thought necessary.
  for (const { gc } of isolates) expect(gc.pauses.count).toBeGreaterThanOrEqual(3);
  expect(report.summary.outsidePausesMs).not.toBeNull();
});
