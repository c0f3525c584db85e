/** Which processes of this machine are Node, and what the system says of them. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { nodeProcesses } from "../../../src/recorder/processes/list.ts";
import { isNode } from "../../../src/recorder/processes/node-process.ts";
import { parseStat, procProcesses } from "../../../src/recorder/processes/proc.ts";
import { parsePs, psProcesses } from "../../../src/recorder/processes/ps.ts";

test.each([
  ["node", true],
  ["nodejs", true],
  ["node-22", true],
  ["node20.1", true],
  ["nodemon", false],
  ["snode", false],
])("%s: %s", (name, expected) => {
  expect(isNode(name)).toBe(expected);
});

describe("/proc/PID/stat and status", () => {
  const STAT = "4121 (a) (b c) S 77 1 1 0 -1 0 0 0 0 0 250 50 0 0 20 0 11 0 987654 9 9";

  test("a name with parentheses and spaces", () => {
    expect(parseStat(STAT, "Name:\ta\nVmRSS:\t  2048 kB\n")).toEqual({
      parentPid: 77,
      cpuTicks: 300,
      threads: 11,
      startTicks: 987_654,
      rssBytes: 2 * 1024 ** 2,
    });
  });

  test("what has ended and was not waited for is none", () => {
    expect(parseStat(STAT.replace(") S", ") Z"), "")).toBeNull();
  });
});

describe("ps", () => {
  const NOW = Date.parse("2026-11-28T12:00:00");

  test("macOS and Linux write times in their own ways", () => {
    const table = [
      "  501  1  81920   3:04.56 Sat Nov 28 11:59:00 2026 /usr/local/bin/node server.js --port 80",
      "  502  1    512 1-02:03:04 Sun Nov  1 12:00:00 2026     node",
      "  503  1    512   0:00.01 Sat Nov 28 11:59:00 2026 /Applications/Some App/nodemon x",
      "nonsense",
    ].join("\n");
    expect(parsePs(table, new Set(), NOW)).toEqual([
      {
        pid: 501,
        parentPid: 1,
        began: "Sat Nov 28 11:59:00 2026",
        command: ["/usr/local/bin/node", "server.js", "--port", "80"],
        ageMs: 60_000,
        rssBytes: 80 * 1024 ** 2,
        cpuMs: 184_560,
        threads: null,
      },
      expect.objectContaining({ pid: 502, cpuMs: 93_784_000, command: ["node"] }),
    ]);
    expect(parsePs(table, new Set([503]), NOW).map(({ pid }) => pid)).toEqual([501, 502, 503]);
  });
});

const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

test("a real process, from both sources; this one and its children are not listed", async () => {
  // A shell between them: it is not this process's own child.
  const shell = spawn(
    "sh",
    ["-c", `"${process.execPath}" -e 'setInterval(() => {}, 1e6); console.log(process.pid)'; true`],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  children.push(shell);
  const [printed] = await once(shell.stdout, "data");
  const pid = Number(String(printed));
  try {
    for (const list of [procProcesses(new Set()), await psProcesses(new Set())]) {
      const found = list.find((one) => one.pid === pid);
      expect(found?.parentPid).toBe(shell.pid);
      expect(found?.command.slice(0, 2)).toEqual([process.execPath, "-e"]);
      expect(found?.rssBytes).toBeGreaterThan(10 * 1024 ** 2);
      expect(found?.ageMs).toBeLessThan(600_000);
      expect(list.some((one) => one.pid === process.pid)).toBe(true);
    }
    const listed = (await nodeProcesses(new Set())).map((one) => one.pid);
    expect(listed).toContain(pid);
    expect(listed).not.toContain(process.pid);
  } finally {
    execFileSync("kill", ["-KILL", String(pid)]);
  }
});
