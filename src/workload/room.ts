/** What this machine has room for. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { Room } from "./txpool/fits.ts";

export function roomHere(): Room {
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 ? constrained : Number.POSITIVE_INFINITY;
  return {
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    availableBytes: Math.min(memAvailable(), limit),
    hugePageBytes: freeHugePages() * HUGE_PAGE_BYTES,
  };
}

const HUGE_PAGE_BYTES = 2 ** 21;

function freeHugePages(): number {
  try {
    return Number(readFileSync("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "utf8"));
  } catch {
    // No Linux, or a kernel without them.
    return 0;
  }
}

/** Free, or used for what can be dropped at once. */
function memAvailable(): number {
  try {
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    if (kib !== undefined) return Number(kib) * 1024;
  } catch {
    // No Linux.
  }
  return freemem();
}
