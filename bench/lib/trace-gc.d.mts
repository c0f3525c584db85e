export interface TracedCollection {
  readonly pid: number;
  readonly isolate: string;
  readonly atMs: number;
  readonly kind: "scavenge" | "minor-mark-sweep" | "mark-compact";
  readonly pauseMs: number;
  readonly stepsMs: number;
}
export interface Collected {
  readonly kind: string;
  readonly pauseMs: number;
}
export function parseTraceGc(text: string): readonly TracedCollection[];
export function pausesPrinted(text: string): readonly number[];
export function unknownLines(text: string): readonly string[];
export function pairCollections(
  truth: readonly Collected[],
  seen: readonly Collected[],
): readonly (readonly [number, number])[];
