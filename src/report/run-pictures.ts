/** The series behind the pictures of one run in a comparison. */
import { gcTime } from "../analysis/gc-time.ts";
import { heapSeries } from "../analysis/heap-series.ts";
import { sumOverTime } from "../analysis/statistics.ts";
import { PAUSE_KINDS, type PauseColumns, type Recording } from "../recording/model.ts";
import { largestPerColumn, type Range, thinSeries } from "./charts/decimate.ts";
import { percentileCurve } from "./percentile-curve.ts";
import type { IsolateView, PauseSeries, Series } from "./view-model.ts";

/** A comparison of ten recordings is ten times as much as a report: of more pauses than this, each moment keeps its longest. */
const MAX_PAUSES = 60_000;
const MAX_POINTS = 8000;

export interface RunPictures {
  /** Name of the recording's folder. */
  readonly title: string;
  readonly durationMs: number;
  /** Pauses of all isolates, in order of time. */
  readonly pauses: PauseSeries;
  /** How many pauses there were, where `pauses` has only the longest of each moment. */
  readonly pauseCount: number;
  /** Over all pauses of all isolates. */
  readonly percentiles: IsolateView["percentiles"];
  /** Used heap of all isolates together. */
  readonly heapUsed: Series;
}

export function runPictures({ path, durationMs, isolates }: Recording): RunPictures {
  const pauses = allPauses(isolates.map((isolate) => isolate.pauses));
  const range = { from: 0, to: durationMs };
  const heap = sumOverTime(
    isolates.map((isolate) => {
      const { fromMs, toMs } = gcTime(isolate);
      return { fromMs, toMs, ...heapSeries(isolate, "used") };
    }),
  );
  return {
    title: path.split(/[\\/]/).findLast((part) => part !== "") ?? path,
    durationMs,
    pauses: thinPauses(pauses, range),
    pauseCount: pauses.startMs.length,
    percentiles: percentileCurve(pauses.durationMs.slice().sort()),
    heapUsed:
      heap === null ? { timeMs: new Float64Array(0), value: new Float64Array(0) } : thinSeries(heap, range, MAX_POINTS),
  };
}

function allPauses(columns: readonly PauseColumns[]): PauseSeries {
  const [only] = columns;
  if (only !== undefined && columns.length === 1) return only;
  const all = columns.flatMap((pauses) =>
    Array.from(pauses.startMs, (startMs, i) => ({
      startMs,
      durationMs: pauses.durationMs[i] ?? 0,
      kind: pauses.kind[i] ?? 0,
    })),
  );
  return seriesOf(all.sort((a, b) => a.startMs - b.startMs));
}

interface Pause {
  readonly startMs: number;
  readonly durationMs: number;
  readonly kind: number;
}

function seriesOf(pauses: readonly Pause[]): PauseSeries {
  return {
    startMs: Float64Array.from(pauses, ({ startMs }) => startMs),
    durationMs: Float64Array.from(pauses, ({ durationMs }) => durationMs),
    kind: Uint8Array.from(pauses, ({ kind }) => kind),
  };
}

/** The longest pause of each kind at each of so many moments that a wide screen shows no fewer of them. */
function thinPauses(pauses: PauseSeries, range: Range): PauseSeries {
  const { startMs, durationMs, kind } = pauses;
  if (startMs.length <= MAX_PAUSES) return { startMs, durationMs, kind };
  const kinds = PAUSE_KINDS.length;
  const kept = largestPerColumn(startMs, durationMs, kind, kinds, range, Math.floor(MAX_PAUSES / kinds));
  return seriesOf(
    kept
      .flatMap((points, of) => points.map(({ x, y }) => ({ startMs: x, durationMs: y, kind: of })))
      .sort((a, b) => a.startMs - b.startMs),
  );
}
