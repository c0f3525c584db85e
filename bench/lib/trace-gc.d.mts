export interface TracedCollection {
  readonly pid: number;
  readonly isolate: string;
  readonly atMs: number;
  readonly kind: "scavenge" | "minor-mark-sweep" | "mark-compact";
  readonly pauseMs: number;
  readonly stepsMs: number;
}
export function parseTraceGc(text: string): readonly TracedCollection[];
export function pausesPrinted(text: string): readonly number[];
export function unknownLines(text: string): readonly string[];
export function pairCollections<T extends { readonly kind: string }, S extends { readonly kind: string }>(
  truth: readonly T[],
  seen: readonly S[],
  distance: (truth: T, seen: S) => number,
): readonly (readonly [number, number])[];
