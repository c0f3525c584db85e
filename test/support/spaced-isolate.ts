/** An isolate whose pauses say how much each space held: one of 1 ms each 100 ms, in two spaces. */
import type { IsolateData, PauseColumns } from "../../src/recording/model.ts";
import { SPACE_UNIT } from "../../src/recording/spec.ts";
import { isolate, type PauseSpec, pauseColumns } from "./timeline.ts";

const MIB = 1024 ** 2;

/** Young and old space before and after, MiB. */
export type SpacedPause = readonly [
  kind: PauseSpec["kind"],
  sizes: readonly [youngBefore: number, oldBefore: number, youngAfter: number, oldAfter: number],
];

export function spacedIsolate(pauses: readonly SpacedPause[]): IsolateData {
  const columns = pauseColumns(pauses.map(([kind], i) => ({ kind, startMs: 100 * i, durationMs: 1 })));
  const units = (from: number): Uint32Array =>
    Uint32Array.from(
      pauses.flatMap(([, sizes]) => [sizes[from] ?? 0, sizes[from + 1] ?? 0].map((mib) => (mib * MIB) / SPACE_UNIT)),
    );
  const spaces: PauseColumns["spaces"] = {
    names: ["new_space", "old_space"],
    usedBefore: units(0),
    usedAfter: units(2),
    committedAfter: units(2),
  };
  return { ...isolate("-"), pauses: { ...columns, spaces } };
}
