import { type IsolateData, PAUSE_KINDS } from "../recording/model.ts";
import { SPACE_UNIT } from "../recording/spec.ts";

const SCAVENGE = PAUSE_KINDS.indexOf("scavenge");
const YOUNG_SPACES: readonly string[] = ["new_space", "new_large_object_space"];

/**
 * Bytes that scavenges found alive, over all isolates: what each promoted, and what was in the young generation after it. What
 * survives two scavenges counts in both, as it is copied in both. null where no scavenge could tell, 0 where the probe saw none.
 */
export function survivedBytes(isolates: readonly IsolateData[]): number | null {
  let survived: number | null = isolates.length > 0 && isolates.every(hadNoScavenge) ? 0 : null;
  for (const { pauses } of isolates) {
    const { names, usedAfter } = pauses.spaces;
    const young = names.flatMap((name, space) => (YOUNG_SPACES.includes(name) ? [space] : []));
    if (young.length === 0) continue;
    for (let i = 0; i < pauses.count; i++) {
      const promoted = pauses.promotedBytes[i] ?? Number.NaN;
      if (pauses.kind[i] !== SCAVENGE || Number.isNaN(promoted)) continue;
      const stayed = young.reduce((sum, space) => sum + (usedAfter[i * names.length + space] ?? 0), 0);
      survived = (survived ?? 0) + promoted + stayed * SPACE_UNIT;
    }
  }
  return survived === null ? null : Math.round(survived);
}

function hadNoScavenge({ pauses, collectors }: IsolateData): boolean {
  return collectors.includes("probe") && !pauses.kind.subarray(0, pauses.count).includes(SCAVENGE);
}
