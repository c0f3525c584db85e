/** What a recorder sees of a program while it runs; times are ms on one clock, ends are never before starts. */

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface PauseEvent extends Span {
  readonly type: "pause";
  readonly isolate: string;
  /** "scavenge", "mark-compact", ...: the names of PAUSE_KINDS */
  readonly kind: string;
  readonly usedBeforeBytes: number;
  /** Of a full collection: the share of its limit that the old generation still takes; null of others. */
  readonly ofLimit: number | null;
}

/** A pause that goes on: it is told when it is over, what is nested in it before. */
export interface OpenPauseEvent {
  readonly type: "open";
  readonly isolate: string;
  /** When it began. */
  readonly atMs: number;
}

/** A span of V8's collector on an isolate's thread. */
export interface WorkEvent extends Span {
  readonly type: "work";
  readonly isolate: string;
  /** An incremental step; anything else that overlaps a pause belongs to that. */
  readonly isStep: boolean;
}

export interface HeapEvent {
  readonly type: "heap";
  readonly isolate: string;
  readonly atMs: number;
  readonly usedBytes: number;
}

export interface LoopEvent {
  readonly type: "loop";
  readonly isolate: string;
  readonly atMs: number;
  /** What an event could have had to wait. */
  readonly delayMs: number;
}

export type FlightEvent = PauseEvent | OpenPauseEvent | WorkEvent | HeapEvent | LoopEvent;
