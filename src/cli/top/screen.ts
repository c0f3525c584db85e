/** The screen of `gcspike top`: lines of styled text for a terminal of some size. Pure. */
import { HISTORY_SECONDS, type LiveFigures, type LivePause, WINDOW_MS } from "../../analysis/live-figures.ts";
import { locationText } from "../../analysis/phrases.ts";
import { cutToWidth, displayWidth, fitToWidth, wrapToWidth } from "../../lib/display-width.ts";
import { programName } from "../../lib/program-name.ts";
import { cutStart, plainText, plural } from "../../lib/text.ts";
import { formatBytes, formatMs, formatShare } from "../../lib/units.ts";
import { formatElapsed } from "../recording-summary.ts";
import { type Row, type Sort, selectedRow, type TopState } from "./state.ts";

export interface Size {
  readonly width: number;
  readonly rows: number;
}

type Style = "plain" | "bold" | "dim" | "yellow" | "red";
export interface Part {
  readonly text: string;
  readonly style: Style;
}
/** Parts together are at most as wide as the screen. */
export interface Line {
  readonly parts: readonly Part[];
  readonly isSelected?: true;
}

/** A pause that people feel, and one that they complain about. */
const SPIKE_MS = 10;
const LONG_MS = 50;
/** A program that gives more than this to its collector has a problem with it. */
const MUCH_GC = 0.1;
const NEAR_LIMIT = 0.8;

const MARK = "> ";
const GAP = "  ";
const MIN_PROGRAM = 10;
const MAX_PROGRAM = 32;
const MIN_SITE = 24;
const MOST_SITES = 3;

interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: "left" | "right";
  readonly cell: (row: Row) => { readonly text: string; readonly style?: Style };
  readonly sort?: Sort;
}

const dash = <T>(value: T | null | undefined, text: (value: T) => string): string =>
  value === null || value === undefined ? "-" : text(value);

const LARGER: Readonly<Record<string, readonly [bytes: number, unit: string]>> = {
  KiB: [1024 ** 2, "MiB"],
  MiB: [1024 ** 3, "GiB"],
};

/** In eight characters: "1,010 MiB" has nine. */
function cellBytes(bytes: number): string {
  const text = formatBytes(bytes);
  const larger = text.includes(",") ? LARGER[text.slice(-3)] : undefined;
  return larger === undefined ? text : `${(bytes / larger[0]).toFixed(2)} ${larger[1]}`;
}

const COLUMNS = {
  state: { title: "STATE", width: 9, align: "left", cell: (row) => ({ text: stateWord(row) }) },
  cpu: {
    title: "CPU",
    width: 5,
    align: "right",
    sort: "cpu",
    cell: ({ cpuShare, endedMs }) => ({
      text: dash(endedMs === null ? cpuShare : null, (share) => `${Math.round(share * 100)} %`),
    }),
  },
  memory: {
    title: "MEMORY",
    width: 8,
    align: "right",
    sort: "memory",
    cell: ({ process }) => ({ text: cellBytes(process.rssBytes) }),
  },
  p99: {
    title: "P99 10 s",
    width: 8,
    align: "right",
    sort: "pause",
    cell: ({ figures }) => ({ text: dash(figures?.p99Ms, formatMs), style: pauseStyle(figures?.p99Ms ?? 0) }),
  },
  gc: {
    title: "GC",
    width: 6,
    align: "right",
    cell: ({ figures }) => ({
      text: dash(figures?.gcShare, formatShare),
      style: (figures?.gcShare ?? 0) >= MUCH_GC ? "yellow" : "plain",
    }),
  },
  heap: {
    title: "HEAP",
    width: 8,
    align: "right",
    cell: ({ figures }) => ({
      text: dash(figures?.heapBytes, cellBytes),
      style: (figures?.limitShare ?? 0) >= NEAR_LIMIT ? "red" : "plain",
    }),
  },
  rate: {
    title: "ALLOC",
    width: 10,
    align: "right",
    cell: ({ figures }) => ({ text: dash(figures?.allocationRate, (bytes) => `${cellBytes(bytes)}/s`) }),
  },
} as const satisfies Readonly<Record<string, Column>>;

const SHOWN = ["state", "cpu", "memory", "p99", "gc", "heap", "rate"] as const;
/** Which columns a narrow screen keeps: the first ones. */
const MATTER = ["p99", "gc", "cpu", "heap", "state", "rate", "memory"] as const;
const PID_WIDTH = 7;

interface Layout {
  readonly columns: readonly Column[];
  readonly programWidth: number;
  /** 0: the worst sites have no column. */
  readonly siteWidth: number;
}

function layoutFor(width: number): Layout {
  const fixed = MARK.length + PID_WIDTH + GAP.length;
  let room = width - fixed - MIN_PROGRAM;
  const kept = new Set<string>();
  for (const name of MATTER) {
    const needed = COLUMNS[name].width + GAP.length;
    if (needed > room) break;
    kept.add(name);
    room -= needed;
  }
  const hasSite = room >= MIN_SITE + GAP.length;
  const programWidth = Math.max(
    0,
    MIN_PROGRAM + (hasSite ? Math.min(MAX_PROGRAM - MIN_PROGRAM, room - MIN_SITE - GAP.length) : room),
  );
  return {
    columns: SHOWN.filter((name) => kept.has(name)).map((name) => COLUMNS[name]),
    programWidth,
    siteWidth: hasSite ? room - (programWidth - MIN_PROGRAM) - GAP.length : 0,
  };
}

/** How many processes a screen has room for, and how many lines for the selected one. */
interface Split {
  readonly list: number;
  readonly detail: number;
}

/** Title, head of the table, keys. */
const FIXED_ROWS = 3;
const LEAST_LIST = 4;

function split(state: TopState, { width, rows }: Size): Split {
  const room = Math.max(1, rows - FIXED_ROWS);
  const wanted = detailLines(state, width).length + 1;
  const most = room < 6 ? 0 : room < 12 ? 2 : room - Math.max(LEAST_LIST, Math.min(state.rows.length, room >> 1));
  const detail = Math.min(wanted, most);
  return { list: room - detail, detail };
}

/** Room for processes on a screen of this size. */
export function listRoom(state: TopState, size: Size): number {
  return split(state, size).list;
}

/** As many lines as the screen has, none wider than it. */
export function screen(state: TopState, size: Size): readonly Line[] {
  const { width, rows } = size;
  const layout = layoutFor(width);
  const { list, detail } = split(state, size);
  const shown = state.rows.slice(state.first, state.first + list).map((row) => rowLine(row, state, layout, width));
  const details = detail === 0 ? [] : detailLines(state, width).slice(0, detail);
  // Where there is room for more than two, a line of nothing parts them from the list.
  const parted = detail > 2 ? [EMPTY, ...details.slice(0, detail - 1)] : details;
  const all = [
    title(state, width),
    head(state, layout, width),
    ...filled(state.rows.length === 0 ? [line(width, ["  No Node process runs here.", "dim"])] : shown, list),
    ...filled(parted, detail),
    keyLine(state, width),
  ];
  return all.slice(0, rows);
}

const EMPTY: Line = { parts: [] };

function filled(lines: readonly Line[], count: number): readonly Line[] {
  return Array.from({ length: count }, (_, index) => lines[index] ?? EMPTY);
}

/** Texts one behind the other, cut at the screen's edge. */
function line(width: number, ...texts: readonly (readonly [text: string, style: Style])[]): Line {
  let room = width;
  const parts: Part[] = [];
  for (const [text, style] of texts) {
    if (room <= 0) break;
    const cut = cutToWidth(text, room);
    parts.push({ text: cut, style });
    room -= displayWidth(cut);
  }
  return { parts };
}

function title(state: TopState, width: number): Line {
  const running = state.rows.filter(({ endedMs }) => endedMs === null);
  const seen = running.filter(({ figures }) => figures !== null).length;
  const left = ` gcspike top   `;
  const counted = `${plural(running.length, "Node process", "Node processes")}, ${seen} measured`;
  const space = width - displayWidth(left) - displayWidth(counted) - state.clock.length - 1;
  return space < 1
    ? line(width, [left, "bold"], [counted, "plain"])
    : line(width, [left, "bold"], [counted, "plain"], [" ".repeat(space) + state.clock, "dim"]);
}

function head({ sort }: TopState, { columns, programWidth, siteWidth }: Layout, width: number): Line {
  const style = (own: Sort | undefined): Style => (own === sort ? "bold" : "dim");
  return line(
    width,
    [`${" ".repeat(MARK.length)}${fitToWidth("PID", PID_WIDTH, "right")}${GAP}`, style("pid")],
    [fitToWidth("PROGRAM", programWidth), "dim"],
    ...columns.map(
      (column) => [GAP + fitToWidth(column.title, column.width, column.align), style(column.sort)] as const,
    ),
    ...(siteWidth > 0 ? [[GAP + fitToWidth("MOST OF WHAT SURVIVES", siteWidth), "dim"] as const] : []),
  );
}

function nameOf({ process }: Row): string {
  return plainText(programName(process.command), 200) || "node";
}

function rowLine(row: Row, state: TopState, { columns, programWidth, siteWidth }: Layout, width: number): Line {
  const isSelected = row.key === state.selected;
  const base: Style = row.endedMs === null ? "plain" : "dim";
  const cells = columns.map((column): readonly [string, Style] => {
    const { text, style = "plain" } = column.cell(row);
    return [GAP + fitToWidth(text, column.width, column.align), base === "dim" || text === "-" ? "dim" : style];
  });
  const site = row.figures?.sites[0];
  const { parts } = line(
    width,
    [isSelected ? MARK : " ".repeat(MARK.length), "bold"],
    [`${fitToWidth(String(row.process.pid), PID_WIDTH, "right")}${GAP}`, base],
    [fitToWidth(nameOf(row), programWidth), base],
    ...cells,
    ...(siteWidth > 0 && site !== undefined ? [[GAP + siteCell(site, siteWidth), base] as const] : []),
  );
  return isSelected ? { parts, isSelected } : { parts };
}

function stateWord({ watch, endedMs }: Row): string {
  if (endedMs !== null) return "ended";
  switch (watch.is) {
    case "unwatched":
      return "";
    case "elsewhere":
      return "recorded";
    case "attached":
      return watch.keep ? "recording" : "attached";
    default:
      return watch.is;
  }
}

function pauseStyle(ms: number): Style {
  return ms >= LONG_MS ? "red" : ms >= SPIKE_MS ? "yellow" : "plain";
}

/** Everything about the selected process, the most important first. */
function detailLines(state: TopState, width: number): readonly Line[] {
  const row = selectedRow(state);
  if (row === undefined) return [];
  const prose = (text: string, style: Style = "plain"): readonly Line[] =>
    wrapToWidth(text, Math.max(1, width - 2)).map((one) => line(width, [` ${one}`, style]));
  const { figures } = row;
  const name = line(width, [` ${nameOf(row)}`, "bold"], [`  ${identity(row, state)}`, "plain"]);
  const message = state.message === null ? [] : prose(state.message, "yellow");
  const note = row.note === null ? [] : prose(plainText(row.note, 600), "yellow");
  const command = line(width, [` ${plainText(row.process.command.join(" "), 400)}`, "dim"]);
  const watched = prose(watchText(row, state));
  if (figures === null) return [name, ...message, ...note, ...watched, command];
  return [
    name,
    ...message,
    ...note,
    ...pauseLines(figures, state, width),
    ...heapTexts(figures).flatMap((text) => prose(text)),
    history(figures, width),
    ...siteLines(figures, width),
    ...watched,
    command,
  ];
}

function identity({ process, endedMs, figures }: Row, { nowMs }: TopState): string {
  const { pid, ageMs, threads, rssBytes } = process;
  if (endedMs !== null) {
    return `pid ${pid}, ended ${agoText(nowMs - endedMs)}${figures === null ? "" : "; its last figures:"}`;
  }
  return [
    `pid ${pid}`,
    `${formatBytes(rssBytes)} resident`,
    ...(threads === null ? [] : [plural(threads, "thread")]),
    `up ${formatMs(wholeSeconds(ageMs))}`,
  ].join(", ");
}

function agoText(ms: number): string {
  return ms < 1000 ? "just now" : `${formatMs(wholeSeconds(ms))} ago`;
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

const KIND_WORDS: Readonly<Record<LivePause["kind"], string>> = {
  scavenge: "scavenge",
  "minor-mark-sweep": "minor mark-sweep",
  "mark-compact": "mark-compact",
  "incremental-start": "start of marking",
  "weak-callbacks": "weak callbacks",
};

function pauseLines({ pauses, p99Ms, worst, open }: LiveFigures, { nowMs }: TopState, width: number): readonly Line[] {
  const going =
    open === null
      ? []
      : [
          line(width, [
            ` Stopped for ${formatMs(open.durationMs)} now: ${KIND_WORDS[open.kind]}.`,
            pauseStyle(open.durationMs),
          ]),
        ];
  const window = formatMs(WINDOW_MS);
  if (worst === null) return [...going, line(width, [` No pause in the last ${window}.`, "plain"])];
  return [
    ...going,
    line(
      width,
      [` ${plural(pauses, "pause")} in ${window}: P99 `, "plain"],
      [dash(p99Ms, formatMs), pauseStyle(p99Ms ?? 0)],
      [", worst ", "plain"],
      [formatMs(worst.durationMs), pauseStyle(worst.durationMs)],
      [` (${KIND_WORDS[worst.kind]}, ${agoText(nowMs - worst.endMs)})`, "plain"],
    ),
  ];
}

/** Who takes the main thread's time, and where the memory goes. */
function heapTexts(figures: LiveFigures): readonly string[] {
  const { gcShare, heapBytes, limitShare, allocationRate, loopDelayMs } = figures;
  const limit = limitShare === null ? "" : ` (${formatShare(limitShare)} of its limit)`;
  return [
    [
      gcShare === null ? null : `GC takes ${formatShare(gcShare)} of the main thread`,
      loopDelayMs === null ? null : `loop delay up to ${formatMs(loopDelayMs)}`,
    ],
    [
      heapBytes === null ? null : `Heap ${formatBytes(heapBytes)}${limit}`,
      allocationRate === null ? null : `${formatBytes(allocationRate)}/s allocated`,
    ],
  ].map((facts) => facts.filter((fact) => fact !== null).join(", "));
}

/** The worst pause of each second, in the marks of a report's timeline; as much of a minute as there is room for. */
function history({ worstBySecond }: LiveFigures, width: number): Line {
  const legend = `  . under ${formatMs(SPIKE_MS / 10)}   : under ${formatMs(SPIKE_MS)}   # a spike`;
  const seconds = Math.max(0, Math.min(HISTORY_SECONDS, width - 12));
  const mark = (ms: number): readonly [string, Style] =>
    ms < 0
      ? [" ", "plain"]
      : ms < SPIKE_MS / 10
        ? [".", "dim"]
        : ms < SPIKE_MS
          ? [":", "plain"]
          : ["#", pauseStyle(ms)];
  const marks = Array.from(worstBySecond.slice(worstBySecond.length - seconds), mark);
  const room = width - seconds - 11;
  return line(
    width,
    [` -${seconds} s |`, "dim"],
    ...marks,
    ["|", "dim"],
    ...(room >= legend.length ? [[legend, "dim"] as const] : []),
  );
}

interface SiteTexts {
  readonly name: string;
  /** "src/cart.ts:112" */
  readonly place: string;
  readonly share: string;
}

function siteTexts({ frame, share }: LiveFigures["sites"][number]): SiteTexts {
  const name = plainText(frame.function, 60) || "(anonymous)";
  const place = frame.file === "" ? "evaluated code" : locationText(frame.file, frame.line);
  return { name, place, share: `${Math.round(share * 100)} %` };
}

function siteCell(site: LiveFigures["sites"][number], width: number): string {
  const { name, place, share } = siteTexts(site);
  return cutToWidth(`${fitToWidth(share, 5, "right")}  ${name}  ${place.replace(/^.*[\\/]/, "")}`, width);
}

function siteLines({ sites }: LiveFigures, width: number): readonly Line[] {
  if (sites.length === 0) return [];
  const shown = sites.slice(0, MOST_SITES).map(siteTexts);
  const nameWidth = Math.min(Math.max(...shown.map(({ name }) => displayWidth(name))), width >> 1);
  return [
    line(width, [" Most of what survives comes from", "plain"]),
    ...shown.map(({ name, place, share }) => {
      const left = ` ${fitToWidth(share, 6, "right")}  ${fitToWidth(name, nameWidth)}  `;
      // Of a path the end says most.
      return line(width, [left, "plain"], [cutStart(place, Math.max(0, width - displayWidth(left))), "plain"]);
    }),
  ];
}

function watchText({ watch, endedMs, note }: Row, { nowMs }: TopState): string {
  if (endedMs !== null) return "";
  switch (watch.is) {
    case "unwatched":
      return note === null
        ? 'What it collects shows from inside only: Enter attaches. Node then prints "Debugger listening" on its stderr, and its inspector is open for some hundredths of a second, on this machine only. Leaving lets go of it. r records it as well.'
        : "";
    case "attaching":
      return "Attaching ...";
    case "leaving":
      return "Letting go ...";
    case "elsewhere":
      return `${watch.recorderPid === null ? "Another gcspike" : `gcspike ${watch.recorderPid}`} records it into ${plainText(watch.folder, 300)}. r makes a recording of your own.`;
    case "attached":
      return watch.keep
        ? `Recorded for ${formatElapsed(nowMs - watch.sinceMs)} into ${plainText(watch.folder, 300)}; r ends that.`
        : "r keeps what is seen here, from its beginning on, as a recording.";
  }
}

function canRecord(watch: Row["watch"] | null): boolean {
  return watch?.is === "unwatched" || watch?.is === "elsewhere" || (watch?.is === "attached" && !watch.keep);
}

/** What keys do, of which the last ones go where there is no room. */
function keyLine(state: TopState, width: number): Line {
  if (state.isLeaving) return line(width, [" Letting go of what was attached to ...", "yellow"]);
  const row = selectedRow(state);
  const watch = row === undefined || row.endedMs !== null ? null : row.watch;
  const isAttached = watch?.is === "attached";
  const keys: readonly (readonly [key: string, text: string])[] = [
    ["q", "leave"],
    ...(isAttached && !watch.keep ? [["Enter", "let go"] as const] : []),
    ...(watch?.is === "unwatched" ? [["Enter", "attach"] as const] : []),
    ...(isAttached && watch.keep ? [["r", "end recording"] as const] : []),
    ...(canRecord(watch) ? [["r", "record"] as const] : []),
    ["s", `sort by ${state.sort}`],
    ["up down", "select"],
  ];
  const parts = keys.flatMap(([key, text]): readonly (readonly [string, Style])[] => [
    [` ${key} `, "bold"],
    [`${text}  `, "dim"],
  ]);
  let used = 0;
  let fitting = 0;
  for (let i = 0; i + 1 < parts.length; i += 2) {
    used += displayWidth(parts[i]?.[0] ?? "") + displayWidth(parts[i + 1]?.[0].trimEnd() ?? "");
    if (used > width) break;
    fitting = i + 2;
    used += 2;
  }
  return line(width, ...parts.slice(0, fitting));
}

const SGR: Readonly<Record<Exclude<Style, "plain">, string>> = { bold: "1", dim: "2", yellow: "33", red: "31;1" };

/** A line as a terminal takes it; without `color` as plain text. A selected one is inverse over the whole width. */
export function paint({ parts, isSelected }: Line, width: number, color: boolean): string {
  const text = parts.map((part) => part.text).join("");
  if (!color) return text.trimEnd();
  const rest = isSelected ? " ".repeat(Math.max(0, width - displayWidth(text))) : "";
  return [...parts, { text: rest, style: "plain" } as const]
    .map((part) => {
      const codes = [...(isSelected ? ["7"] : []), ...(part.style === "plain" ? [] : [SGR[part.style]])];
      const isInvisible = isSelected === undefined && part.text.trim() === "";
      return codes.length === 0 || isInvisible ? part.text : `\u001b[${codes.join(";")}m${part.text}\u001b[0m`;
    })
    .join("");
}
