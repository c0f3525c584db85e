/** What there is to say of a store at the end of a run, a line each. */

import { formatBytes, formatShare } from "../../lib/units.ts";
import type { SlabPool } from "../../slab/slab-pool.ts";
import type { PooledStore } from "./pooled-store.ts";
import type { OpenedStore } from "./stores.ts";

export function describeStore(opened: OpenedStore): readonly string[] {
  switch (opened.mode) {
    case "naive":
      return [];
    case "pooled":
      return [describeSyncPool(opened.store)];
    case "mmap":
      return describeSlab(opened.slab);
  }
}

function describeSyncPool({ pool: { counters } }: PooledStore): string {
  const { made, put } = counters;
  const reused = counters.private + counters.shared + counters.stolen + counters.victim;
  const number = (value: number): string => value.toLocaleString("en-US");
  return `of the records that were asked for the sync.Pool had ${number(reused)} and made ${number(made)}; ${number(put)} were given back`;
}

/** What was granted, and what is used. */
function describeSlab(slab: SlabPool): readonly string[] {
  const { bytes, residentBytes, hugePageBytes, bytesInUse, slotsInUse, releasedBytes } = slab.stats();
  const resident = residentBytes === null ? "" : `, ${formatBytes(residentBytes)} of it resident`;
  const huge =
    hugePageBytes === null || residentBytes === null || residentBytes === 0
      ? ""
      : `, ${formatShare(hugePageBytes / residentBytes)} of that on 2 MiB pages`;
  return [
    `the slab has ${formatBytes(bytes)}${resident}${huge}`,
    `${(slotsInUse - 1).toLocaleString("en-US")} slots and the tables take ${formatBytes(bytesInUse)}; ${formatBytes(releasedBytes)} went back to the system`,
  ];
}
