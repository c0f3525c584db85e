/** All rules, in no order that matters. */
import { allocationBurst } from "./allocation-burst.ts";
import { compaction } from "./compaction.ts";
import { descheduled } from "./descheduled.ts";
import { explicit } from "./explicit.ts";
import { externalMemory } from "./external-memory.ts";
import { heapLimit } from "./heap-limit.ts";
import { largeObjects } from "./large-objects.ts";
import { oldGrowth } from "./old-growth.ts";
import { pageFaults } from "./page-faults.ts";
import type { Rule } from "./rule.ts";
import { survivorCopy } from "./survivor-copy.ts";
import { weakProcessing } from "./weak-processing.ts";

export const RULES: readonly Rule[] = [
  survivorCopy,
  oldGrowth,
  largeObjects,
  externalMemory,
  explicit,
  heapLimit,
  weakProcessing,
  allocationBurst,
  compaction,
  descheduled,
  pageFaults,
];
