/** What this machine has room for. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { getHeapStatistics } from "node:v8";
import { memAvailable } from "../lib/mem-available.ts";
import type { Room } from "./txpool/fits.ts";

export function roomHere(): Room {
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 ? constrained : Number.POSITIVE_INFINITY;
  return {
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    availableBytes: Math.min(memAvailable() ?? freemem(), limit),
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
