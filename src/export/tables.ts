/**
 * A recording as four tables, for databases: Parquet and CSV hold the same ones. docs/export.md describes every column in the words that
 * stand here.
 */
import { heapSeries } from "../analysis/heap-series.ts";
import type { Site, Spike } from "../analysis/report-types.ts";
import { MAX_SITES, overallSites } from "../analysis/sites.ts";
import { plainText } from "../lib/text.ts";
import { type HeapColumns, type IsolateData, PAUSE_KINDS, type Recording } from "../recording/model.ts";
import { type ExportInput, epochMs } from "./export-input.ts";
import type { TableName } from "./formats.ts";

/** `whole` is a whole number, `time` ms since 1970. */
export type ColumnType = "text" | "number" | "whole" | "time";
export type Cell = string | number | null;

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly meaning: string;
  /** One a row; null: not known. */
  readonly cells: readonly Cell[];
}

export interface Table {
  readonly name: TableName;
  readonly columns: readonly Column[];
}

export function tableOf(name: TableName, input: ExportInput): Table {
  switch (name) {
    case "pauses":
      return tabulate(name, PAUSE_COLUMNS, pauseRows(input), input);
    case "heap":
      return tabulate(name, HEAP_COLUMNS, heapRows(input), input);
    case "spikes":
      return tabulate(
        name,
        SPIKE_COLUMNS,
        input.report.spikes.map((spike) => ({ spike })),
        input,
      );
    case "sites":
      return tabulate(name, SITE_COLUMNS, siteRows(input), input);
  }
}

interface ColumnSpec<Row> {
  readonly name: string;
  readonly type: ColumnType;
  readonly meaning: string;
  readonly cell: (row: Row, input: ExportInput) => Cell | undefined;
}

function tabulate<Row>(
  name: TableName,
  specs: readonly ColumnSpec<Row>[],
  rows: readonly Row[],
  input: ExportInput,
): Table {
  return {
    name,
    columns: specs.map(({ name: column, type, meaning, cell }) => ({
      name: column,
      type,
      meaning,
      cells: rows.map((row) => cleaned(cell(row, input), type)),
    })),
  };
}

/** Longer texts are cut. */
const TEXT_LIMIT = 2000;

function cleaned(cell: Cell | undefined, type: ColumnType): Cell {
  if (cell === undefined || cell === null) return null;
  if (typeof cell === "string") return plainText(cell, TEXT_LIMIT);
  if (!Number.isFinite(cell)) return null;
  return type === "number" ? cell : Math.round(cell);
}

/** What every table begins with: which recording a row is of. */
function recordingColumns<Row>(): readonly ColumnSpec<Row>[] {
  return [
    {
      name: "recording",
      type: "text",
      meaning: "name of the recording's folder",
      cell: (_, { recording }) => nameOf(recording),
    },
    { name: "node", type: "text", meaning: "version of Node.js", cell: (_, { report }) => report.recording.node },
  ];
}

function nameOf({ path }: Recording): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? "";
}

interface PauseRow {
  readonly isolate: IsolateData;
  readonly i: number;
  readonly spike: Spike | undefined;
}

const columnOf =
  (name: Exclude<keyof IsolateData["pauses"], "count" | "spaces">) =>
  ({ isolate: { pauses }, i }: PauseRow) =>
    pauses[name][i];

const PAUSE_COLUMNS: readonly ColumnSpec<PauseRow>[] = [
  ...recordingColumns<PauseRow>(),
  {
    name: "isolate",
    type: "text",
    meaning: "the isolate's id: process id, thread id",
    cell: ({ isolate }) => isolate.id,
  },
  {
    name: "isolate_name",
    type: "text",
    meaning: "its name: main, or the worker's or child's",
    cell: ({ isolate }) => isolate.name,
  },
  { name: "pid", type: "whole", meaning: "process id", cell: ({ isolate }) => isolate.pid },
  {
    name: "time",
    type: "time",
    meaning: "calendar time at which the pause began, UTC, to the millisecond",
    cell: ({ isolate, i }, { recording }) => epochMs(recording, isolate.pauses.startMs[i] ?? 0),
  },
  { name: "start_ms", type: "number", meaning: "the same since the recording's start, ms", cell: columnOf("startMs") },
  { name: "duration_ms", type: "number", meaning: "wall time, ms", cell: columnOf("durationMs") },
  {
    name: "kind",
    type: "text",
    meaning: "scavenge, minor-mark-sweep, mark-compact, incremental-start or weak-callbacks",
    cell: ({ isolate, i }) => PAUSE_KINDS[isolate.pauses.kind[i] ?? 0],
  },
  {
    name: "reason",
    type: "text",
    meaning: "V8's reason for it",
    cell: ({ isolate, i }) => isolate.reasons[isolate.pauses.reason[i] ?? -1],
  },
  { name: "cpu_ms", type: "number", meaning: "processor time of the thread in it, ms", cell: columnOf("cpuMs") },
  {
    name: "run_queue_ms",
    type: "number",
    meaning: "time that the thread waited for a processor, ms",
    cell: columnOf("runQueueMs"),
  },
  {
    name: "minor_faults",
    type: "whole",
    meaning: "page faults of the thread, served from memory",
    cell: columnOf("minorFaults"),
  },
  {
    name: "major_faults",
    type: "whole",
    meaning: "page faults of the thread, served from a disk",
    cell: columnOf("majorFaults"),
  },
  {
    name: "involuntary_switches",
    type: "whole",
    meaning: "times that the thread was taken off its processor",
    cell: columnOf("involuntarySwitches"),
  },
  { name: "used_before_bytes", type: "whole", meaning: "used heap before", cell: columnOf("usedBefore") },
  { name: "used_after_bytes", type: "whole", meaning: "used heap after", cell: columnOf("usedAfter") },
  { name: "committed_after_bytes", type: "whole", meaning: "committed heap after", cell: columnOf("committedAfter") },
  {
    name: "external_after_bytes",
    type: "whole",
    meaning: "memory outside the heap that its objects own, after",
    cell: columnOf("externalAfter"),
  },
  {
    name: "promoted_bytes",
    type: "whole",
    meaning: "of a scavenge, what it moved to the old generation",
    cell: columnOf("promotedBytes"),
  },
  {
    name: "trigger_function",
    type: "text",
    meaning: "innermost function of the program that was running when it began",
    cell: (row) => triggerOf(row)?.function,
  },
  { name: "trigger_file", type: "text", meaning: "its file", cell: (row) => triggerOf(row)?.file },
  { name: "trigger_line", type: "whole", meaning: "its line", cell: (row) => triggerOf(row)?.line },
  { name: "spike", type: "text", meaning: "id of the spike that it is", cell: ({ spike }) => spike?.id },
  { name: "cause", type: "text", meaning: "that spike's cause", cell: ({ spike }) => spike?.cause },
];

function triggerOf({ isolate, i }: PauseRow) {
  return isolate.triggerStacks[isolate.pauses.triggerStack[i] ?? -1]?.find(({ origin }) => origin === "user");
}

/** In order of time. */
function pauseRows({ recording, report }: ExportInput): readonly PauseRow[] {
  const key = (isolate: string, startMs: number, kind: string | undefined) => `${isolate}\0${startMs}\0${kind}`;
  const spikes = new Map(report.spikes.map((spike) => [key(spike.isolate, spike.startMs, spike.kind), spike]));
  const rows = recording.isolates.flatMap((isolate) =>
    Array.from({ length: isolate.pauses.count }, (_, i) => {
      const { startMs, kind } = isolate.pauses;
      return { isolate, i, spike: spikes.get(key(isolate.id, startMs[i] ?? 0, PAUSE_KINDS[kind[i] ?? 0])) };
    }),
  );
  return rows.sort((a, b) => (a.isolate.pauses.startMs[a.i] ?? 0) - (b.isolate.pauses.startMs[b.i] ?? 0));
}

interface HeapTableRow {
  readonly isolate: IsolateData;
  readonly timeMs: number;
  readonly space: string | null;
  readonly usedBytes: number;
  readonly externalBytes: number;
  readonly committedBytes: number;
}

const HEAP_COLUMNS: readonly ColumnSpec<HeapTableRow>[] = [
  ...recordingColumns<HeapTableRow>(),
  { name: "isolate", type: "text", meaning: "the isolate's id", cell: ({ isolate }) => isolate.id },
  { name: "isolate_name", type: "text", meaning: "its name", cell: ({ isolate }) => isolate.name },
  { name: "pid", type: "whole", meaning: "process id", cell: ({ isolate }) => isolate.pid },
  {
    name: "time",
    type: "time",
    meaning: "calendar time, UTC, to the millisecond",
    cell: ({ timeMs }, { recording }) => epochMs(recording, timeMs),
  },
  {
    name: "time_ms",
    type: "number",
    meaning: "the same since the recording's start, ms",
    cell: ({ timeMs }) => timeMs,
  },
  { name: "space", type: "text", meaning: "heap space; null: the whole heap", cell: ({ space }) => space },
  {
    name: "used_bytes",
    type: "whole",
    meaning: "used heap; of the whole heap at every sample and before and after every pause",
    cell: ({ usedBytes }) => usedBytes,
  },
  {
    name: "committed_bytes",
    type: "whole",
    meaning: "committed heap, at samples of the whole heap",
    cell: ({ committedBytes }) => committedBytes,
  },
  {
    name: "external_bytes",
    type: "whole",
    meaning: "memory outside the heap, at samples of the whole heap",
    cell: ({ externalBytes }) => externalBytes,
  },
];

function heapRows({ recording }: ExportInput): readonly HeapTableRow[] {
  return recording.isolates.flatMap((isolate) => [...wholeHeap(isolate), ...heapSpaces(isolate, isolate.heap)]);
}

function wholeHeap(isolate: IsolateData): readonly HeapTableRow[] {
  const { heap } = isolate;
  const { timeMs, value } = heapSeries(isolate, "used");
  const sampleAt = new Map(Array.from({ length: heap.count }, (_, sample) => [heap.timeMs[sample] ?? 0, sample]));
  return Array.from(timeMs, (time, i) => {
    const sample = sampleAt.get(time) ?? -1;
    return {
      isolate,
      timeMs: time,
      space: null,
      usedBytes: value[i] ?? Number.NaN,
      committedBytes: heap.committed[sample] ?? Number.NaN,
      externalBytes: heap.external[sample] ?? Number.NaN,
    };
  });
}

function heapSpaces(
  isolate: IsolateData,
  { count, timeMs, spaceNames, spaceUsed }: HeapColumns,
): readonly HeapTableRow[] {
  return Array.from({ length: count }, (_, sample) =>
    spaceNames.map((space, index) => ({
      isolate,
      timeMs: timeMs[sample] ?? 0,
      space,
      usedBytes: spaceUsed[sample * spaceNames.length + index] ?? Number.NaN,
      committedBytes: Number.NaN,
      externalBytes: Number.NaN,
    })),
  ).flat();
}

interface SpikeRow {
  readonly spike: Spike;
}

const SPIKE_COLUMNS: readonly ColumnSpec<SpikeRow>[] = [
  ...recordingColumns<SpikeRow>(),
  { name: "spike", type: "text", meaning: "id; s1 is the longest", cell: ({ spike }) => spike.id },
  { name: "isolate", type: "text", meaning: "the isolate's id", cell: ({ spike }) => spike.isolate },
  {
    name: "time",
    type: "time",
    meaning: "calendar time at which it began, UTC, to the millisecond",
    cell: ({ spike }, { recording }) => epochMs(recording, spike.startMs),
  },
  {
    name: "start_ms",
    type: "number",
    meaning: "the same since the recording's start, ms",
    cell: ({ spike }) => spike.startMs,
  },
  {
    name: "duration_ms",
    type: "number",
    meaning: "wall time, ms; of a run of steps, of the steps alone",
    cell: ({ spike }) => spike.durationMs,
  },
  {
    name: "cpu_ms",
    type: "number",
    meaning: "processor time of the thread in it, ms",
    cell: ({ spike }) => spike.cpuMs,
  },
  { name: "kind", type: "text", meaning: "kind of the pause, or incremental-steps", cell: ({ spike }) => spike.kind },
  { name: "reason", type: "text", meaning: "V8's reason for it", cell: ({ spike }) => spike.reason },
  { name: "cause", type: "text", meaning: "docs/causes describes them", cell: ({ spike }) => spike.cause },
  { name: "confidence", type: "number", meaning: "how sure that is, 0 to 1", cell: ({ spike }) => spike.confidence },
  {
    name: "contributing",
    type: "text",
    meaning: "other causes, with a comma between them",
    cell: ({ spike }) => spike.contributing.join(","),
  },
  { name: "headline", type: "text", meaning: "what happened, in a sentence", cell: ({ spike }) => spike.headline },
  {
    name: "site_function",
    type: "text",
    meaning: "the function with the largest share of the bytes that the cause is about",
    cell: ({ spike }) => spike.sites[0]?.function,
  },
  { name: "site_file", type: "text", meaning: "its file", cell: ({ spike }) => spike.sites[0]?.file },
  { name: "site_line", type: "whole", meaning: "its line", cell: ({ spike }) => spike.sites[0]?.line },
  { name: "site_share", type: "number", meaning: "that share, 0 to 1", cell: ({ spike }) => spike.sites[0]?.share },
  {
    name: "tag",
    type: "text",
    meaning: "the tag that is most over-represented before it",
    cell: ({ spike }) => spike.tags[0]?.name,
  },
  { name: "advice", type: "text", meaning: "what helps", cell: ({ spike }) => spike.advice[0]?.text },
];

interface SiteRow {
  /** null: all that was allocated in the whole recording. */
  readonly spike: string | null;
  readonly cause: string | null;
  readonly site: Site;
}

const SITE_COLUMNS: readonly ColumnSpec<SiteRow>[] = [
  ...recordingColumns<SiteRow>(),
  {
    name: "spike",
    type: "text",
    meaning: "id of the spike; null: of a whole cause, or of the whole recording",
    cell: ({ spike }) => spike,
  },
  {
    name: "cause",
    type: "text",
    meaning: "the spike's or spikes' cause; null: all that was allocated in the whole recording",
    cell: ({ cause }) => cause,
  },
  { name: "function", type: "text", meaning: "name of the function", cell: ({ site }) => site.function },
  { name: "file", type: "text", meaning: "its file", cell: ({ site }) => site.file },
  { name: "line", type: "whole", meaning: "its line", cell: ({ site }) => site.line },
  {
    name: "measure",
    type: "text",
    meaning: "what the share is a share of: allocated, survived, retained, external, asked",
    cell: ({ site }) => site.measure,
  },
  { name: "share", type: "number", meaning: "0 to 1", cell: ({ site }) => site.share },
  {
    name: "bytes",
    type: "whole",
    meaning:
      "bytes of the measure, estimated; of a cause, added up over its spikes: what two collections copied counts in both",
    cell: ({ site }) => site.bytes,
  },
  {
    name: "survived_bytes",
    type: "whole",
    meaning: "of them, those that a collection found alive; null where that is not known",
    cell: ({ site }) => site.survivedBytes,
  },
];

/** Those that allocated most, and behind them those of which most survived. */
function sitesOfRun({ isolates }: Recording): readonly Site[] {
  const all = overallSites(isolates, Number.POSITIVE_INFINITY);
  const survivors = all
    .filter(({ survivedBytes }) => (survivedBytes ?? 0) > 0)
    .sort((a, b) => (b.survivedBytes ?? 0) - (a.survivedBytes ?? 0));
  return [...new Set([...all.slice(0, MAX_SITES), ...survivors.slice(0, MAX_SITES)])];
}

function siteRows({ recording, report }: ExportInput): readonly SiteRow[] {
  return [
    ...sitesOfRun(recording).map((site) => ({ spike: null, cause: null, site })),
    ...report.causes.flatMap(({ cause, sites }) => sites.map((site) => ({ spike: null, cause, site }))),
    ...report.spikes.flatMap(({ id, cause, sites }) => sites.map((site) => ({ spike: id, cause, site }))),
  ];
}
