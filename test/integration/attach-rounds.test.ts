/** The agent that is loaded into a running program stops and starts again, and leaves nothing. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT, Running } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";
import { AGENT, fixture, Workplace } from "../support/recorded.ts";

const MIB = 1024 ** 2;
const workplace = new Workplace();
afterAll(() => workplace.remove());

/** A round takes a third of a second, for each of its recordings; one Node has them all. */
const ROUNDS = NODES.flatMap((node, index) => [
  { ...node, rounds: index === 0 ? 100 : 25, abreast: 1 },
  { ...node, rounds: index === 0 ? 20 : 6, abreast: 3 },
]);

test.each(ROUNDS)("$rounds rounds of $abreast leave a process as it was on $version", async (one) => {
  const { path, rounds, abreast } = one;
  const folder = workplace.path("rounds");
  mkdirSync(folder);
  const options = JSON.stringify({ ...AGENT, attachedBy: process.pid, loadedFirst: false });
  const agent = join(ROOT, "dist", "agent", "attach.cjs");
  // V8 takes a new space of its liking otherwise, also where nobody is attached.
  const words = ["--expose-gc", "--min-semi-space-size=1", "--max-semi-space-size=1", fixture("attached-rounds.cjs")];
  const given = [agent, folder, options, String(rounds), String(abreast)];
  const { code, stdout, stderr } = await new Running(path, [...words, ...given]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { before, after } = JSON.parse(stdout);
  const { anonymous: bytesBefore, ...has } = before;
  const { anonymous: bytesAfter, ...hasThen } = after;
  expect(hasThen).toEqual(has);
  // V8's own memory goes up and down by more than a round needs, which is 2 MiB.
  expect(bytesAfter - bytesBefore).toBeLessThan(24 * MIB);
});
