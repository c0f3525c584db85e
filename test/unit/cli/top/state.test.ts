import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Effect,
  type News,
  START,
  scrolled,
  selectedRow,
  type TopState,
  update,
} from "../../../../src/cli/top/state.ts";
import { clock, figures, key, keyOf, nodeProcess, played } from "../../../support/top-screen.ts";

const SERVER = nodeProcess(4121, "server.js");
const WORKER = nodeProcess(4188, "worker.js");
const BUILD = nodeProcess(5000, "build.js");
const ROW = keyOf(SERVER);
const NOBODY = { figures: new Map(), elsewhere: new Map() };

const both: readonly News[] = [clock(1000), { is: "processes", processes: [SERVER, WORKER] }];

function effectsOf(state: TopState, news: News): readonly Effect[] {
  return update(state, news).effects;
}

function pids({ rows }: TopState): readonly number[] {
  return rows.map(({ process }) => process.pid);
}

test("the first one is selected, and stays so when the order changes", () => {
  const state = played(both);
  expect(selectedRow(state)?.process.pid).toBe(4121);
  const busy = { ...WORKER, cpuMs: 900 };
  const later = played([clock(2000), { is: "processes", processes: [SERVER, busy] }], state);
  expect(pids(later)).toEqual([4188, 4121]);
  expect(later.rows[0]?.cpuShare).toBeCloseTo(0.9);
  expect(selectedRow(later)?.process.pid).toBe(4121);
});

test("who has figures comes first, the longest pauses first of all; s sorts by something else", () => {
  const known = new Map([
    [keyOf(WORKER), figures({ p99Ms: 3 })],
    [keyOf(BUILD), figures({ p99Ms: 90 })],
  ]);
  const elsewhere = new Map([...known.keys()].map((row) => [row, { folder: "/r.gcspike", recorderPid: 9 }]));
  const big = { ...SERVER, rssBytes: 2 ** 40 };
  const state = played([
    clock(1000),
    { is: "processes", processes: [big, WORKER, BUILD] },
    { is: "figures", figures: known, elsewhere },
  ]);
  expect(pids(state)).toEqual([5000, 4188, 4121]);
  const byMemory = played([key("sort"), key("sort")], state);
  expect(byMemory.sort).toBe("memory");
  expect(pids(byMemory)[0]).toBe(4121);
  expect(pids(played([key("sort")], byMemory))).toEqual([4121, 4188, 5000]);
});

describe("Enter and r", () => {
  const attachedTo = (state: TopState): TopState => played([{ is: "attached", row: ROW, folder: "x.gcspike" }], state);

  test("Enter attaches, and lets go", () => {
    const state = played(both);
    expect(effectsOf(state, key("attach"))).toEqual([{ do: "attach", row: ROW, keep: false }]);
    const attaching = played([key("attach")], state);
    expect(effectsOf(attaching, key("attach"))).toEqual([]);
    const attached = attachedTo(attaching);
    expect(attached.rows[0]?.watch).toMatchObject({ is: "attached", keep: false });
    expect(effectsOf(attached, key("attach"))).toEqual([{ do: "release", row: ROW }]);
    const let_go = played([key("attach"), { is: "released", row: ROW, note: null }], attached);
    expect(let_go.rows[0]?.watch).toEqual({ is: "unwatched" });
  });

  test("r keeps what Enter began; r again ends the recording and goes back to watching", () => {
    const watched = attachedTo(played([...both, key("attach")]));
    expect(effectsOf(watched, key("record"))).toEqual([{ do: "keep", row: ROW }]);
    const recorded = played([key("record")], watched);
    expect(played([key("attach")], recorded).message).toBe("It is being recorded: r ends that.");
    expect(effectsOf(recorded, key("record"))).toEqual([{ do: "release", row: ROW }]);
    const over = played([key("record")], recorded);
    const next = update(over, { is: "released", row: ROW, note: "Its 72.4 s are in x.gcspike" });
    expect(next.effects).toEqual([{ do: "attach", row: ROW, keep: false }]);
    expect(next.state.rows[0]).toMatchObject({ watch: { is: "attaching" }, note: "Its 72.4 s are in x.gcspike" });
  });

  test("r alone records, and r again lets go", () => {
    const state = played(both);
    expect(effectsOf(state, key("record"))).toEqual([{ do: "attach", row: ROW, keep: true }]);
    const over = played([key("record")], attachedTo(played([key("record")], state)));
    const next = update(over, { is: "released", row: ROW, note: "x" });
    expect(next.effects).toEqual([]);
    expect(next.state.rows[0]?.watch).toEqual({ is: "unwatched" });
  });

  test("what cannot be attached to says why, and may be tried again", () => {
    const note = "Process 4121 belongs to another user.";
    const refused = played([...both, key("attach"), { is: "released", row: ROW, note }]);
    expect(refused.rows[0]).toMatchObject({ watch: { is: "unwatched" }, note });
    expect(effectsOf(refused, key("attach"))).toHaveLength(1);
  });

  test("what another gcspike records has figures without Enter; r records it beside that", () => {
    const elsewhere = new Map([[ROW, { folder: "/r.gcspike", recorderPid: 99 }]]);
    const state = played([...both, { is: "figures", figures: new Map([[ROW, figures()]]), elsewhere }]);
    expect(effectsOf(state, key("attach"))).toEqual([]);
    expect(played([key("attach")], state).message).toBe(
      "gcspike 99 records it, and its figures are here: r makes a recording of your own.",
    );
    expect(effectsOf(state, key("record"))).toEqual([{ do: "attach", row: ROW, keep: true }]);
    const recording = attachedTo(played([key("record"), { is: "figures", figures: new Map(), elsewhere }], state));
    expect(recording.rows[0]?.watch).toMatchObject({ is: "attached", keep: true });
    const ended = played([key("record"), { is: "released", row: ROW, note: null }], recording);
    expect(played([{ is: "figures", figures: new Map(), elsewhere }], ended).rows[0]?.watch).toMatchObject({
      is: "elsewhere",
      recorderPid: 99,
    });
    expect(played([{ is: "figures", ...NOBODY }], state).rows[0]).toMatchObject({
      watch: { is: "unwatched" },
      figures: null,
    });
  });

  test("q leaves once; nothing is attached to any more", () => {
    const state = played(both);
    expect(effectsOf(state, key("leave"))).toEqual([{ do: "leave" }]);
    const leaving = played([key("leave")], state);
    for (const name of ["leave", "attach", "record"] as const) expect(effectsOf(leaving, key(name))).toEqual([]);
  });
});

describe("what ends", () => {
  test("stays with its last figures, last in the list", () => {
    const known = new Map([[ROW, figures({ p99Ms: 500 })]]);
    const elsewhere = new Map([[ROW, { folder: "/r.gcspike", recorderPid: 99 }]]);
    const state = played([...both, { is: "figures", figures: known, elsewhere }]);
    const later = played(
      [clock(60_000), { is: "processes", processes: [WORKER] }, { is: "figures", ...NOBODY }],
      state,
    );
    expect(pids(later)).toEqual([4188, 4121]);
    expect(later.rows[1]).toMatchObject({ endedMs: 60_000, figures: { p99Ms: 500 } });
    expect(played([clock(1e7), { is: "processes", processes: [WORKER] }], later).rows).toHaveLength(2);
  });

  test("while it was attached to: its figures stay, whoever says so first", () => {
    const known = { is: "figures", figures: new Map([[ROW, figures()]]), elsewhere: new Map() } as const;
    const attached = played([...both, key("attach"), { is: "attached", row: ROW, folder: "x.gcspike" }, known]);
    const gone: News = { is: "processes", processes: [WORKER] };
    const said: News = { is: "released", row: ROW, note: "It ended" };
    for (const order of [
      [gone, said],
      [said, gone],
    ]) {
      const row = played(order, attached).rows.find((one) => one.key === ROW);
      expect(row).toMatchObject({ figures: { p99Ms: 36.2 }, note: "It ended", endedMs: 1000 });
    }
  });

  test("without figures goes after five seconds, and the one in its place is selected", () => {
    const state = played([...both, key("down")]);
    expect(selectedRow(state)?.process.pid).toBe(4188);
    const ended = played([clock(2000), { is: "processes", processes: [SERVER] }], state);
    expect(selectedRow(ended)?.endedMs).toBe(2000);
    const gone = played([clock(7001), { is: "processes", processes: [SERVER] }], ended);
    expect(pids(gone)).toEqual([4121]);
    expect(selectedRow(gone)?.process.pid).toBe(4121);
  });

  test("a number that is given again is another process", () => {
    const state = played(both);
    const again = played([clock(2000), { is: "processes", processes: [{ ...SERVER, began: "77" }, WORKER] }], state);
    expect(pids(again)).toEqual([4121, 4188, 4121]);
  });
});

test("whatever is pressed and happens, one row is selected where there are any, and it is in sight", () => {
  const processes = Array.from({ length: 30 }, (_, i) => nodeProcess(100 + i, `p${i}.js`));
  const keys = fc.constantFrom("up", "down", "page-up", "page-down", "home", "end", "sort", "attach", "record");
  const some = fc.subarray(processes);
  const news = fc.oneof(
    keys.map((name): News => key(name)),
    some.map((those): News => ({ is: "processes", processes: those })),
    fc.nat(100_000).map((ms) => clock(ms)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(news, fc.integer({ min: 1, max: 40 })), { maxLength: 60 }), (all) => {
      let state = START;
      for (const [one, room] of all) {
        state = scrolled(update(state, one).state, room);
        const index = state.rows.findIndex((row) => row.key === state.selected);
        expect(index >= 0).toBe(state.rows.length > 0);
        if (index < 0) continue;
        expect(index).toBeGreaterThanOrEqual(state.first);
        expect(index).toBeLessThan(state.first + room);
        expect(state.first === 0 || state.first + room <= state.rows.length).toBe(true);
      }
    }),
  );
});
