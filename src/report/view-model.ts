/**
 * What every renderer draws: the report and the series behind its pictures. Built once by `buildView`; renderers only
 * format, they compute nothing that another renderer would have to compute again.
 */
import type { Report, Site } from "../analysis/report-types.ts";
import type { Seconds } from "../analysis/seconds.ts";
import type { SpikeFlames } from "../analysis/spike-flames.ts";
import type { TagLane } from "../analysis/tag-lanes.ts";

/** One point a pause. All arrays have the same length, in order of time. */
export interface PauseSeries {
  readonly startMs: Float64Array;
  readonly durationMs: Float64Array;
  /** Index into PAUSE_KINDS of recording/model. */
  readonly kind: Uint8Array;
}

export interface Series {
  readonly timeMs: Float64Array;
  readonly value: Float64Array;
}

export interface SpaceSeries {
  readonly name: string;
  readonly usedBytes: Float64Array;
}

export interface AllocationWindowView {
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
  /** Stacks of this window: index into `AllocationView.stacks`, bytes. */
  readonly stacks: readonly { readonly stack: number; readonly bytes: number }[];
}

/** Stacks and frames are shared by all windows; the HTML builds the flame graph of any range of windows from them. */
export interface AllocationView {
  readonly frames: readonly {
    readonly name: string;
    readonly location: string;
    readonly origin: "user" | "node" | "native" | "gcspike";
    /** It stands for that frame where the optimiser had put it into its caller. */
    readonly inlinedOf?: number;
  }[];
  /** Indices into frames, root first; of equal frames the first. */
  readonly stacks: readonly (readonly number[])[];
  readonly windows: readonly AllocationWindowView[];
}

export interface IsolateView {
  readonly id: string;
  readonly name: string;
  readonly kind: "main" | "worker" | "child";
  readonly pauses: PauseSeries;
  readonly heapUsed: Series;
  readonly heapLimitBytes: number | null;
  readonly external: Series;
  /** Used bytes of each heap space at `spacesTimeMs`. */
  readonly spacesTimeMs: Float64Array;
  readonly spaces: readonly SpaceSeries[];
  readonly loopDelayMs: Series;
  readonly loopUtilization: Series;
  /**
   * Main-thread GC work in equal buckets of time: inside pauses, and outside (incremental marking and sweeping steps).
   * null outside where no phases were recorded.
   */
  readonly gcWork: {
    readonly bucketMs: number;
    readonly insideMs: Float64Array;
    readonly outsideMs: Float64Array | null;
  };
  /** Pause duration at quantiles, for the percentile curve: q in 0..1, at most a few hundred points, denser at the tail. */
  readonly percentiles: readonly { readonly q: number; readonly ms: number }[];
  /** Logarithmic buckets of pause duration, by kind (index into PAUSE_KINDS). */
  readonly histogram: readonly {
    readonly fromMs: number;
    readonly toMs: number;
    readonly countByKind: readonly number[];
  }[];
  /** Minimum mutator utilisation over window lengths from 1 ms to the length of the recording. */
  readonly mmu: readonly { readonly windowMs: number; readonly utilization: number }[];
  readonly allocations: AllocationView | null;
  /** Allocation, growth and P99 second by second, and which seconds stand out. */
  readonly seconds: Seconds;
  /** The tags that come before spikes more often than elsewhere, in the same seconds; at most five. */
  readonly tagLanes: readonly TagLane[];
}

export interface ReportView {
  readonly report: Report;
  readonly isolates: readonly IsolateView[];
  readonly rss: readonly { readonly pid: number; readonly series: Series }[];
  /** Allocation sites of user code over the whole recording and all isolates, most bytes first, at most ten. */
  readonly sites: readonly Site[];
  /** Name of the recording's folder. */
  readonly title: string;
}

/** What the HTML page draws beside: it takes time to compute, and nothing else shows it. */
export interface PageView extends ReportView {
  /** Of the worst spikes; frames are those of the isolate's AllocationView. */
  readonly flames: readonly SpikeFlames[];
}
