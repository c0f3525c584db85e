/** gcspike.report/1: the shape of `report --format json` (docs/report.schema.json). Types only. */
import type { Collector, Warning } from "../recording/spec.ts";

export type Cause =
  | "survivor-copy"
  | "old-growth"
  | "large-objects"
  | "external-memory"
  | "explicit"
  | "heap-limit"
  | "weak-processing"
  | "allocation-burst"
  | "compaction"
  | "descheduled"
  | "page-faults"
  | "unknown";

export type ReportPauseKind = "scavenge" | "minor-mark-sweep" | "mark-compact" | "incremental-start" | "weak-callbacks";

/** Quantiles are exact, nearest-rank; null where there is no pause. */
export interface PauseStatistics {
  readonly count: number;
  readonly totalMs: number;
  readonly cpuMs: number | null;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  readonly maxMs: number | null;
}

export interface GcSummary {
  /** Time over which this was observed: what the shares are shares of. Summed over isolates in the overall summary. */
  readonly observedMs: number;
  readonly pauses: PauseStatistics;
  readonly byKind: Partial<Record<ReportPauseKind, PauseStatistics>>;
  readonly outsidePausesMs: number | null;
  /** GC on the isolate's thread, in pauses and outside them, over `observedMs`. */
  readonly wallShare: number;
  readonly mmu: readonly { readonly windowMs: number; readonly utilization: number }[];
  readonly peakHeapUsedBytes: number | null;
  readonly peakRssBytes: number | null;
  readonly peakExternalBytes: number | null;
  readonly allocatedBytes: number | null;
  readonly promotedBytes: number | null;
}

export interface ReportIsolate {
  readonly id: string;
  readonly pid: number;
  readonly threadId: number;
  readonly name: string;
  readonly kind: "main" | "worker" | "child";
  readonly gc: GcSummary;
  /** How many there were, and how many of them with an allocation burst, with a heap and with a P99 over their thresholds. */
  readonly seconds: {
    readonly all: number;
    readonly bursts: number;
    readonly growing: number;
    readonly slow: number;
  };
}

/**
 * What a site's share is a share of: bytes that were allocated, that a young collection found alive, that are kept since the last full
 * collection, or that lie outside the heap; asked: it is who asked for the collection.
 */
export type SiteMeasure = "allocated" | "survived" | "retained" | "external" | "asked";

export interface Site {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly column: number | null;
  readonly share: number;
  readonly measure: SiteMeasure;
  /** Functions that the optimiser inlined are told apart from their callers; false: the caller may stand for them. */
  readonly exact: boolean;
  readonly bytes: number | null;
  readonly survivedBytes: number | null;
}

/** A mark, tag, request or context's label in the 3 s before a spike, or going on when it began. */
export interface SpikeTag {
  readonly name: string;
  readonly count: number;
  /** Its rate there over its rate in the rest of the isolate's time; null: too little is known of that. */
  readonly lift: number | null;
  /** From the beginning of the last one to that of the spike. */
  readonly lastBeforeMs: number | null;
}

/**
 * Of the memory outside the heap when a spike began (right behind a full collection: when that began), how much is known by who
 * allocated it.
 */
export interface ExternalShare {
  /** As V8 counts it. */
  readonly countedBytes: number;
  /** Estimated: what the sampled Buffers and ArrayBuffers stand for that no collection had found dead. null: none were sampled. */
  readonly accountedBytes: number | null;
  /** 0..1, of `countedBytes`; an estimate above it, which chance may give, is 1. */
  readonly share: number;
}

export interface Evidence {
  readonly signal: string;
  readonly value: number;
  readonly unit: string;
  readonly text: string;
}

export interface Spike {
  readonly id: string;
  readonly isolate: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly cpuMs: number | null;
  readonly kind: ReportPauseKind | "incremental-steps";
  readonly reason: string | null;
  readonly phases: readonly { readonly name: string; readonly ms: number }[];
  readonly cause: Cause;
  readonly confidence: number;
  readonly contributing: readonly Cause[];
  readonly headline: string;
  readonly sites: readonly Site[];
  /** Where external memory is the cause or contributed; null elsewhere, and where it is not known how much there was. */
  readonly external: ExternalShare | null;
  readonly tags: readonly SpikeTag[];
  readonly evidence: readonly Evidence[];
  readonly advice: readonly { readonly text: string; readonly flag?: string }[];
}

/** What times and rates are held against. */
export interface Thresholds {
  /** A stop this long is a spike. */
  readonly spikeMs: number;
  /** A second is marked whose P99 pause, over the ten seconds that end with it, is this long. */
  readonly p99Ms: number;
  /** A second is marked in which the heap grows faster, bytes a second. */
  readonly growthBytes: number;
}

/** The spikes of one cause together. */
export interface CauseSum {
  readonly cause: Cause;
  readonly spikes: number;
  readonly totalMs: number;
  /** Mean of the spikes' confidences, weighted by their time. */
  readonly confidence: number;
  /** The longest of them; null where they are not described. */
  readonly worstSpike: string | null;
  /** Over all of them. */
  readonly sites: readonly Site[];
  /** Mean of `external.share` over those that have one, weighted by their time; null for other causes than external memory. */
  readonly externalShare: number | null;
  /** That of the longest. */
  readonly advice: Spike["advice"];
}

export interface ReportDump {
  /** In order of time. */
  readonly triggers: readonly { readonly trigger: string; readonly atMs: number; readonly what: string }[];
  /** How many more fired. */
  readonly untold: number;
  /** What was to be kept before and behind a trigger. */
  readonly keepMs: number;
  readonly afterMs: number;
}

export interface Report {
  readonly schema: "gcspike.report/1";
  readonly recording: {
    readonly command: readonly string[];
    readonly startedAt: string;
    readonly durationMs: number;
    readonly node: string;
    readonly v8: string;
    readonly arch: string;
    readonly platform: string;
    readonly cpus: number;
    readonly heapLimitBytes: number | null;
    readonly semiSpaceBytes: number | null;
    readonly collectors: readonly Collector[];
    readonly complete: boolean;
    readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
    /** Only of a flight recorder's dump: why it was written. */
    readonly dump?: ReportDump;
    readonly warnings: readonly Warning[];
  };
  readonly thresholds: Thresholds;
  readonly isolates: readonly ReportIsolate[];
  readonly summary: GcSummary;
  readonly spikes: readonly Spike[];
  readonly causes: readonly CauseSum[];
}
