/** What people write of metrics: names, shares, limits. */
import type { Budget } from "../analysis/check/check-types.ts";
import { parseComparison } from "../lib/comparisons.ts";
import { usageError } from "../lib/errors.ts";
import { parseDuration, parseShare, parseSize } from "../lib/units.ts";

const STATISTIC = "(?:p50|p90|p99|p999|max|total|count)";
const METRIC = new RegExp(
  `^(?:pause\\.(?:(?:cpu|scavenge|mark-compact)\\.)?${STATISTIC}|gc\\.(?:share|outside)|mmu\\.(?:10|50|100)ms|(?:heap|rss|external)\\.peak|rss\\.growth|(?:alloc|survived|promoted)\\.bytes|latency\\.p\\d+|throughput)$`,
);

/** @throws a usage error for a name that no recording has; `flag` is where it stands */
export function requireMetric(flag: string, name: string): string {
  if (METRIC.test(name)) return name;
  throw usageError(
    `${flag} names a metric "${name}", which there is not.`,
    "There are pause.p99, pause.cpu.p99, pause.scavenge.max, gc.share, mmu.50ms, heap.peak, alloc.bytes, ...: docs/metrics.md",
  );
}

/** "pause.p99<5ms", "mmu.50ms>60%". @throws a usage error */
export function parseBudget(text: string): Budget {
  const written = parseComparison(text);
  if (written === null) {
    throw usageError(`--budget cannot be "${text}".`, "Give a metric and its limit: --budget 'pause.p99<5ms'");
  }
  const metric = requireMetric("--budget", written.name);
  return { metric, comparison: written.comparison, limit: parseLimit(metric, written.limit) };
}

function parseLimit(metric: string, value: string): number {
  if (/bytes$|peak$|growth$/.test(metric)) return parseSize("--budget", value);
  if (/share$|^mmu/.test(metric)) return parseShare("--budget", value);
  if (/^pause.*(?<!count)$|outside$|^latency/.test(metric)) return parseDuration("--budget", value);
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value);
  throw usageError(`--budget ${metric} has no limit "${value}".`, "Give a number.");
}
