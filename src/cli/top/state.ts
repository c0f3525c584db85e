/** What `gcspike top` knows and shows, and what keys and news make of it. Pure: what is to be done about it is returned. */
import type { LiveFigures } from "../../analysis/live-figures.ts";
import type { NodeProcess } from "../../recorder/processes/node-process.ts";
import type { Key } from "./keys.ts";

/** How a process is watched. What is attached to, others may record as well. */
export type Watch =
  | { readonly is: "unwatched" }
  /** `keep`: into a recording that stays. */
  | { readonly is: "attaching"; readonly keep: boolean }
  /** `watched`: it was attached to for its figures, before it was to be recorded. */
  | {
      readonly is: "attached";
      readonly folder: string;
      readonly sinceMs: number;
      readonly keep: boolean;
      readonly watched: boolean;
    }
  /** `again`: it is attached to anew afterwards. */
  | { readonly is: "leaving"; readonly again: boolean }
  /** Another gcspike records it. */
  | { readonly is: "elsewhere"; readonly folder: string; readonly recorderPid: number | null };

export interface Row {
  /** The process and its beginning. */
  readonly key: string;
  readonly process: NodeProcess;
  /** Processor time over time since the last look; above 1 with several threads busy. Null: looked at once. */
  readonly cpuShare: number | null;
  readonly watch: Watch;
  /** Null: nobody is attached, or nothing is known yet. What has ended keeps its last ones. */
  readonly figures: LiveFigures | null;
  /** What happened with it last: why it cannot be attached to, where its recording is. */
  readonly note: string | null;
  readonly endedMs: number | null;
}

const SORTS = ["pause", "cpu", "memory", "pid"] as const;
export type Sort = (typeof SORTS)[number];

export interface TopState {
  /** On the monotonic clock. */
  readonly nowMs: number;
  /** "12:41:07" */
  readonly clock: string;
  /** When the processes were looked at. */
  readonly lookedMs: number;
  /** In the order in which they are shown. */
  readonly rows: readonly Row[];
  /** Key of a row; null: there is none. */
  readonly selected: string | null;
  readonly sort: Sort;
  /** The first row that is shown, and how many there is room for. */
  readonly first: number;
  readonly room: number;
  /** What the last key did, until the next one. */
  readonly message: string | null;
  readonly isLeaving: boolean;
}

export const START: TopState = {
  nowMs: 0,
  clock: "",
  lookedMs: 0,
  rows: [],
  selected: null,
  sort: "pause",
  first: 0,
  room: 1,
  message: null,
  isLeaving: false,
};

export interface Elsewhere {
  readonly folder: string;
  readonly recorderPid: number | null;
}

/** By key of a row. */
type ByKey<T> = ReadonlyMap<string, T>;

export type News =
  | { readonly is: "key"; readonly key: Key }
  /** All that run. */
  | { readonly is: "processes"; readonly processes: readonly NodeProcess[] }
  | { readonly is: "clock"; readonly nowMs: number; readonly clock: string }
  /** Of those that are recorded, by whomever; and who is recorded by others. */
  | { readonly is: "figures"; readonly figures: ByKey<LiveFigures>; readonly elsewhere: ByKey<Elsewhere> }
  | { readonly is: "attached"; readonly row: string; readonly folder: string }
  /** It is let go of, or could not be attached to; `note` says so. */
  | { readonly is: "released"; readonly row: string; readonly note: string | null }
  | { readonly is: "select"; readonly pid: number };

export type Effect =
  | { readonly do: "attach"; readonly row: string; readonly keep: boolean }
  /** The recording that is being made stays. */
  | { readonly do: "keep"; readonly row: string }
  | { readonly do: "release"; readonly row: string }
  | { readonly do: "leave" }
  | { readonly do: "suspend" }
  | { readonly do: "redraw" };

export interface Next {
  readonly state: TopState;
  readonly effects: readonly Effect[];
}

/** Short-lived processes would fill the screen: one without figures goes so long after its end. */
const ENDED_MS = 5000;
const MOST_ENDED = 20;

export function keyOf({ pid, began }: NodeProcess): string {
  return `${pid} ${began}`;
}

export function selectedRow({ rows, selected }: TopState): Row | undefined {
  return rows.find(({ key }) => key === selected);
}

export function update(state: TopState, news: News): Next {
  switch (news.is) {
    case "key":
      return press({ ...state, message: null }, news.key);
    case "clock":
      return only({ ...state, nowMs: news.nowMs, clock: news.clock });
    case "processes":
      return only(withProcesses(state, news.processes));
    case "figures":
      return only(sorted({ ...state, rows: state.rows.map((row) => withFigures(row, news.figures, news.elsewhere)) }));
    case "select":
      return only({ ...state, selected: state.rows.find(({ process }) => process.pid === news.pid)?.key ?? null });
    case "attached":
      return attached(state, news.row, news.folder);
    case "released":
      return released(state, news.row, news.note);
  }
}

function only(state: TopState): Next {
  return { state, effects: [] };
}

function change(state: TopState, key: string, changes: Partial<Row>): TopState {
  return { ...state, rows: state.rows.map((row) => (row.key === key ? { ...row, ...changes } : row)) };
}

function press(state: TopState, key: Key): Next {
  switch (key) {
    case "up":
      return only(move(state, -1));
    case "down":
      return only(move(state, 1));
    case "page-up":
      return only(move(state, -state.room));
    case "page-down":
      return only(move(state, state.room));
    case "home":
      return only(move(state, -state.rows.length));
    case "end":
      return only(move(state, state.rows.length));
    case "sort": {
      const sort = SORTS[(SORTS.indexOf(state.sort) + 1) % SORTS.length] ?? "pause";
      return only(sorted({ ...state, sort }));
    }
    case "leave":
      return state.isLeaving ? only(state) : { state: { ...state, isLeaving: true }, effects: [{ do: "leave" }] };
    case "suspend":
    case "redraw":
      return { state, effects: [{ do: key }] };
    case "attach":
    case "record": {
      const row = selectedRow(state);
      if (row === undefined || state.isLeaving) return only(state);
      return key === "attach" ? pressAttach(state, row) : pressRecord(state, row);
    }
  }
}

function move(state: TopState, by: number): TopState {
  const index = state.rows.findIndex(({ key }) => key === state.selected);
  const next = Math.min(state.rows.length - 1, Math.max(0, index + by));
  return { ...state, selected: state.rows[next]?.key ?? null };
}

function pressAttach(state: TopState, row: Row): Next {
  const { watch } = row;
  if (row.endedMs !== null) return says(state, "It has ended.");
  switch (watch.is) {
    case "unwatched":
      return startAttaching(state, row.key, false);
    case "attached":
      return watch.keep ? says(state, "It is being recorded: r ends that.") : startLeaving(state, row.key, false);
    case "elsewhere":
      return says(state, recordedText(watch));
    default:
      return only(state);
  }
}

/** Also beside another gcspike, whose recording is its own. */
function pressRecord(state: TopState, row: Row): Next {
  const { watch } = row;
  if (row.endedMs !== null) return says(state, "It has ended.");
  switch (watch.is) {
    case "unwatched":
    case "elsewhere":
      return startAttaching(state, row.key, true);
    case "attached":
      if (watch.keep) return startLeaving(state, row.key, watch.watched);
      return {
        state: change(state, row.key, { watch: { ...watch, keep: true } }),
        effects: [{ do: "keep", row: row.key }],
      };
    default:
      return only(state);
  }
}

function says(state: TopState, message: string): Next {
  return only({ ...state, message });
}

function recordedText({ recorderPid }: Elsewhere): string {
  return `${recorderPid === null ? "Another gcspike" : `gcspike ${recorderPid}`} records it, and its figures are here: r makes a recording of your own.`;
}

function startAttaching(state: TopState, key: string, keep: boolean): Next {
  return {
    state: change(state, key, { watch: { is: "attaching", keep }, note: null }),
    effects: [{ do: "attach", row: key, keep }],
  };
}

function startLeaving(state: TopState, key: string, again: boolean): Next {
  return {
    state: change(state, key, { watch: { is: "leaving", again } }),
    effects: [{ do: "release", row: key }],
  };
}

function attached(state: TopState, key: string, folder: string): Next {
  const row = state.rows.find((one) => one.key === key);
  if (row?.watch.is !== "attaching") return only(state);
  const { keep } = row.watch;
  const watch = { is: "attached", folder, sinceMs: state.nowMs, keep, watched: !keep } as const;
  return only(change(state, key, { watch }));
}

function released(state: TopState, key: string, note: string | null): Next {
  const row = state.rows.find((one) => one.key === key);
  if (row === undefined) return only(state);
  const isOver = row.endedMs !== null || state.isLeaving;
  // Its figures stay until the next look: what has ended keeps them.
  const next = change(state, key, { watch: { is: "unwatched" }, note: note ?? row.note });
  if (isOver || row.watch.is !== "leaving" || !row.watch.again) return only(next);
  const again = startAttaching(next, key, false);
  // What became of the recording stays to be read.
  return { ...again, state: change(again.state, key, { note }) };
}

function withFigures(row: Row, figures: ByKey<LiveFigures>, elsewhere: ByKey<Elsewhere>): Row {
  if (row.endedMs !== null) return row;
  const other = elsewhere.get(row.key);
  const isOurs = row.watch.is !== "unwatched" && row.watch.is !== "elsewhere";
  const watch: Watch = isOurs
    ? row.watch
    : other === undefined
      ? { is: "unwatched" }
      : { is: "elsewhere", folder: other.folder, recorderPid: other.recorderPid };
  const known = watch.is === "attached" || watch.is === "elsewhere";
  return { ...row, watch, figures: figures.get(row.key) ?? (known ? row.figures : null) };
}

function withProcesses(state: TopState, processes: readonly NodeProcess[]): TopState {
  const { nowMs, lookedMs } = state;
  const before = new Map(state.rows.map((row) => [row.key, row]));
  const running = processes.map((process): Row => {
    const key = keyOf(process);
    const row = before.get(key);
    if (row === undefined) return { ...NEW, key, process };
    const passedMs = nowMs - lookedMs;
    const cpuShare = passedMs > 0 ? Math.max(0, process.cpuMs - row.process.cpuMs) / passedMs : row.cpuShare;
    return { ...row, process, cpuShare };
  });
  const runs = new Set(running.map(({ key }) => key));
  const ended = state.rows
    .filter(({ key }) => !runs.has(key))
    .map((row) => ({ ...row, endedMs: row.endedMs ?? nowMs }))
    .filter((row) => row.figures !== null || row.watch.is !== "unwatched" || nowMs - row.endedMs < ENDED_MS)
    .sort((a, b) => b.endedMs - a.endedMs)
    .slice(0, MOST_ENDED);
  const next = sorted({ ...state, lookedMs: nowMs, rows: [...running, ...ended] });
  if (next.rows.some(({ key }) => key === state.selected)) return next;
  // It has gone: the one in its place is selected.
  const index = state.rows.findIndex(({ key }) => key === state.selected);
  return { ...next, selected: next.rows[Math.max(0, Math.min(index, next.rows.length - 1))]?.key ?? null };
}

const NEW: Omit<Row, "key" | "process"> = {
  cpuShare: null,
  watch: { is: "unwatched" },
  figures: null,
  note: null,
  endedMs: null,
};

/** Less than a percent more or less does not move a row. */
function cpuOf({ cpuShare }: Row): number {
  return Math.round((cpuShare ?? 0) * 100);
}

const ORDERS: Readonly<Record<Sort, (a: Row, b: Row) => number>> = {
  pause: (a, b) => (b.figures?.p99Ms ?? -1) - (a.figures?.p99Ms ?? -1) || Number(hasFigures(b)) - Number(hasFigures(a)),
  cpu: (a, b) => cpuOf(b) - cpuOf(a),
  memory: (a, b) => b.process.rssBytes - a.process.rssBytes,
  pid: () => 0,
};

function hasFigures({ figures }: Row): boolean {
  return figures !== null;
}

/** What has ended comes last. */
function sorted(state: TopState): TopState {
  const order = ORDERS[state.sort];
  const hasEnded = ({ endedMs }: Row): number => Number(endedMs !== null);
  const rows = [...state.rows].sort(
    (a, b) => hasEnded(a) - hasEnded(b) || order(a, b) || cpuBefore(state.sort, a, b) || a.process.pid - b.process.pid,
  );
  return { ...state, rows };
}

function cpuBefore(sort: Sort, a: Row, b: Row): number {
  return sort === "pause" ? cpuOf(b) - cpuOf(a) : 0;
}

/** Makes room for so many rows, of which the selected one is one. */
export function scrolled(state: TopState, room: number): TopState {
  const index = state.rows.findIndex(({ key }) => key === state.selected);
  const last = Math.max(0, state.rows.length - room);
  const first = Math.min(last, Math.max(index - room + 1, Math.min(state.first, Math.max(0, index))));
  return { ...state, room: Math.max(1, room), first };
}
