import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawing } from "../../../../src/cli/top/full-screen.ts";
import type { TopState } from "../../../../src/cli/top/state.ts";
import { displayWidth } from "../../../../src/lib/display-width.ts";
import { expectGolden } from "../../../support/golden.ts";
import { clock, drawn, figures, key, keyOf, nodeProcess, played } from "../../../support/top-screen.ts";

const SERVER = nodeProcess(4121, "server.js");
const WORKER = nodeProcess(4188, "worker.js", { rssBytes: 80 * 1024 ** 2 });
const BUILD = nodeProcess(412_001, "a-build-with-a-very-long-name.config.mjs");
const ROW = keyOf(SERVER);

/** A server that is attached to, a worker that another gcspike records, a build that nobody looks into. */
function busy(): TopState {
  const known = new Map([
    [ROW, figures()],
    [keyOf(WORKER), figures({ p99Ms: 1.234, gcShare: 0.004, heapBytes: 31e6, allocationRate: 2e6, sites: [] })],
  ]);
  const elsewhere = new Map([[keyOf(WORKER), { folder: "/srv/worker.gcspike", recorderPid: 4100 }]]);
  return played([
    clock(10_000),
    { is: "processes", processes: [SERVER, WORKER, BUILD] },
    key("attach"),
    { is: "attached", row: ROW, folder: "server-2026-11-28T03-11-55.gcspike" },
    clock(20_000),
    {
      is: "processes",
      processes: [
        { ...SERVER, cpuMs: 3800 },
        { ...WORKER, cpuMs: 200 },
        { ...BUILD, cpuMs: 12_000 },
      ],
    },
    { is: "figures", figures: known, elsewhere },
  ]);
}

const STATES: Readonly<Record<string, () => TopState>> = {
  attached: busy,
  recording: () => played([key("record"), clock(92_000)], busy()),
  elsewhere: () => played([key("down")], busy()),
  unwatched: () => played([key("end")], busy()),
  ended: () => played([clock(32_000), { is: "processes", processes: [WORKER] }, key("end")], busy()),
  leaving: () => played([key("leave")], busy()),
  nothing: () => played([clock(1000)]),
};

const SIZES = [
  { width: 80, rows: 24 },
  { width: 40, rows: 10 },
  { width: 140, rows: 30 },
] as const;

describe.each(SIZES)("$width columns, $rows rows", (size) => {
  test.each(Object.keys(STATES))("%s", (name) => {
    const lines = drawn(STATES[name]?.() ?? busy(), size);
    expect(lines).toHaveLength(size.rows);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(size.width);
    expectGolden(`top/${name}-${size.width}x${size.rows}.txt`, Buffer.from(`${lines.join("\n")}\n`));
  });
});

test("colours", () => {
  const lines = drawn(played([key("down")], busy()), { width: 80, rows: 24 }, true);
  expectGolden("top/colours.txt", Buffer.from(`${lines.join("\n")}\n`));
});

test("names that would draw on the screen, and wide ones, change nothing but their own cell", () => {
  const hostile = nodeProcess(7, "\u001b[2J\u001b]0;x\u0007日本語のとても長いサーバ名\n.js");
  const state = played([clock(1), { is: "processes", processes: [hostile] }]);
  for (const size of SIZES) {
    const lines = drawn(state, size);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(size.width);
  }
});

test("a screen of any size is filled, and never overflows", () => {
  const states = fc.constantFrom(...Object.values(STATES));
  fc.assert(
    fc.property(states, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 60 }), (make, width, rows) => {
      const lines = drawn(make(), { width, rows });
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test("a collection that goes on is the first thing that is said", () => {
  const open = { kind: "mark-compact", durationMs: 3210, endMs: 20_000 } as const;
  const state = played([{ is: "figures", figures: new Map([[ROW, figures({ open })]]), elsewhere: new Map() }], busy());
  expect(drawn(state, { width: 80, rows: 24 }).join("\n")).toContain("Stopped for 3.21 s now: mark-compact.");
});

test("only lines that changed are drawn", () => {
  expect(drawing(["a", "b", "c"], ["a", "B", "c"])).toBe("\u001b[?2026h\u001b[2;1H\u001b[2KB\u001b[0m\u001b[?2026l");
  expect(drawing(["a"], ["a"])).toBe("");
});
