export interface DetailedCollection {
  readonly pid: number;
  readonly isolate: string;
  readonly atMs: number;
  readonly kind: "scavenge" | "minor-mark-sweep" | "mark-compact";
  readonly pauseMs: number;
  readonly reason: string | null;
  readonly values: Readonly<Record<string, number>>;
  readonly spacesKb: Readonly<Record<string, number>>;
  readonly availableKb: number;
  readonly externalKb: number;
}
export function parseTraceGcDetails(text: string): readonly DetailedCollection[];
