import { expect, test } from "vitest";
import { shellWord } from "../../../src/lib/shell.ts";
import { programName } from "../../../src/report/phrases.ts";

test.each([
  [["node", "server.js", "--port", "80"], "server.js"],
  [["/usr/bin/node", "--max-old-space-size=64", "/srv/app/server.js"], "server.js"],
  [["node", "-r", "ts-node/register", "--import", "./x.js", "app.ts"], "app.ts"],
  [["node", "-e", "while(true);"], "node"],
  [["npm", "test"], "npm"],
  [["/opt/bin/tsc", "-p", "."], "tsc"],
  [[], "the program"],
])("%j runs %s", (command, name) => {
  expect(programName(command)).toBe(name);
});

test.each([
  ["runs/a.gcspike", "runs/a.gcspike"],
  ["my runs", "'my runs'"],
  ["it's", "'it'\\''s'"],
  ["$(rm -rf x)", "'$(rm -rf x)'"],
  ["", "''"],
])("a shell takes %s as one word", (word, quoted) => {
  expect(shellWord(word)).toBe(quoted);
});
