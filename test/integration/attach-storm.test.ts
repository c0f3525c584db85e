/** An attach harms no program whose workers are just beginning or ending, in whatever way. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT, Running } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { AGENT, fixture, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
afterAll(() => workplace.remove());

const ROUNDS = 30;
const WORKERS_AT_ONCE = 6;

test.each(NODES)("workers that end in every way, $version", async ({ path }) => {
  const folder = workplace.path("storm");
  mkdirSync(folder);
  const options = JSON.stringify({ ...AGENT, attachedBy: process.pid });
  const agent = join(ROOT, "dist", "agent", "attach.cjs");
  const words = [fixture("attached-storm.cjs"), agent, folder, options, String(ROUNDS), String(WORKERS_AT_ONCE)];
  const { code, signal, stdout, stderr } = await new Running(path, words).ended;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  const { ended, failed, recorded } = JSON.parse(stdout);
  expect(failed).toBe(0);
  expect(ended).toBeGreaterThan(ROUNDS);
  expect(recorded).toBeGreaterThan(0);
});
