import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { originOf } from "../../../src/recording/frames.ts";
import { ROOT } from "../../support/cli.ts";

test("every script of the agent's is gcspike's own, wherever that is installed", () => {
  const scripts = readdirSync(join(ROOT, "dist", "agent"));
  expect(scripts).toContain("preload.cjs");
  for (const script of scripts)
    expect([script, originOf(`/opt/tools/dist/agent/${script}`, 7)]).toEqual([script, "gcspike"]);
});

test("a program's own agent is the program's", () => {
  expect(originOf("/srv/app/dist/agent/server.cjs", 7)).toBe("user");
  expect(originOf("/srv/app/agent/attach.cjs", 7)).toBe("user");
});
