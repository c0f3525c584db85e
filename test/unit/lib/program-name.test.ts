import { expect, test } from "vitest";
import { programName } from "../../../src/lib/program-name.ts";

test.each([
  [["node", "server.js", "--port", "80"], "server.js"],
  [["/usr/bin/node", "--max-old-space-size=64", "/srv/app/server.js"], "server.js"],
  [["node", "--require", "./x.js", "src/server.mjs", "--port", "1"], "server.mjs"],
  [["node22", "-r", "ts-node/register", "--import", "./x.js", "app.ts"], "app.ts"],
  [["C:\\node\\node.exe", "C:\\app\\server.js"], "server.js"],
  [["/usr/bin/node", "-e", "work()"], "node"],
  [["npx", "--yes", "vitest", "run"], "vitest"],
  [["./bin/tool", "x.js"], "tool"],
  [["npm", "test"], "npm"],
  [["node"], "node"],
  [["node", "/"], ""],
  [[], ""],
])("%j is called %s", (command, expected) => {
  expect(programName(command)).toBe(expected);
});
