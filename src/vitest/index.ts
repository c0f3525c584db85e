/** `import { expectPauses } from "gcspike/vitest"`: a budget for the pauses of one function, in a test. */
import { AssertionError } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { checkBudget } from "../analysis/check/budgets.ts";
import type { CheckedRun } from "../analysis/check/check.ts";
import type { CheckedBudget } from "../analysis/check/check-types.ts";
import type { SiteBytes } from "../analysis/check/site-bytes.ts";
import { parseBudget } from "../check/budget-words.ts";
import { runOnce } from "../check/side.ts";
import { usageError } from "../lib/errors.ts";
import { formatBytes, formatQuantity } from "../lib/units.ts";
import { writeChild } from "./child.ts";

export interface ExpectPausesOptions {
  /** How often it is run, each time in a process of its own; the median counts. 3 by default. */
  readonly runs?: number;
  /** More options for the child's Node, such as `--max-semi-space-size=16`. */
  readonly nodeArgs?: string;
  /** A run that takes longer fails, ms. 60,000 by default. */
  readonly timeoutMs?: number;
}

const DEFAULT_RUNS = 3;
const DEFAULT_TIMEOUT_MS = 60_000;
const MOST_SITES = 3;

/**
 * Runs `work` in a recorded child process, several times, and fails the test where the median of a metric breaks its budget
 * (`"pause.p99<5ms"`, `"alloc.bytes<20MiB"`; docs/metrics.md). It is the function's source that runs there, in the test file's folder:
 * what it needs it has to import itself, `await import("./parser.js")`, as a module that Node can run.
 *
 * @throws a GcspikeError where a budget cannot be read, or the function fails in the child
 */
export async function expectPauses(
  work: () => unknown,
  budgets: string | readonly string[],
  { runs = DEFAULT_RUNS, nodeArgs, timeoutMs = DEFAULT_TIMEOUT_MS }: ExpectPausesOptions = {},
): Promise<void> {
  const limits = [budgets].flat().map((budget) => parseBudget(budget));
  if (limits.length === 0) throw usageError("expectPauses has no budget to keep.", 'Give one: "pause.p99<5ms"');
  if (!(Number.isInteger(runs) && runs > 0))
    throw usageError(`expectPauses cannot make ${runs} runs.`, "Give 1 or more.");
  const folder = mkdtempSync(join(tmpdir(), "gcspike-expect-"));
  try {
    const program = writeChild(folder, work, expect.getState().testPath ?? join(process.cwd(), "test.js"));
    const side = {
      name: "function",
      command: [process.execPath, program],
      cwd: process.cwd(),
      env: process.env,
      root: process.cwd(),
      hint: "Its source runs alone: what it needs it has to import itself.",
    };
    const made: CheckedRun[] = [];
    for (let run = 1; run <= runs; run++) {
      const output = join(folder, `${run}.gcspike`);
      made.push(await runOnce(side, output, { nodeArgs, timeoutMs, work: { units: 1 } }));
    }
    const checked = limits.map((limit) =>
      checkBudget(
        limit,
        made.map(({ run }) => run.metrics),
      ),
    );
    const broken = checked.filter(({ ok }) => !ok);
    if (broken.length > 0) {
      throw new AssertionError({ message: failureText(broken, made), stackStartFn: expectPauses });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function brokenText({ metric, comparison, limit, value, unit }: CheckedBudget): string {
  const found = value === null ? "not known" : formatQuantity(value, unit);
  return `${metric} is ${found}, and should be ${comparison} ${formatQuantity(limit, unit)}`;
}

function failureText(broken: readonly CheckedBudget[], runs: readonly CheckedRun[]): string {
  const of = broken.some(({ metric }) => metric.startsWith("alloc")) ? "allocated" : "survived";
  const sites = sumSites(runs.flatMap((run) => run.sites))
    .filter((site) => site[of] > 0)
    .toSorted((a, b) => b[of] - a[of])
    .slice(0, MOST_SITES)
    .map(({ function: name, file, line, allocated, survived }) => {
      const place = file === "" ? "" : ` (${file}:${line})`;
      return `  ${name}${place}: allocated ${formatBytes(allocated)}, of which survived ${formatBytes(survived)}`;
    });
  const told = sites.length === 0 ? [] : ["Who allocates, over all runs:", ...sites];
  return [...broken.map(brokenText), ...told].join("\n");
}

type SummedSite = Pick<SiteBytes, "function" | "file" | "line"> & {
  readonly allocated: number;
  readonly survived: number;
};

function sumSites(sites: readonly SiteBytes[]): readonly SummedSite[] {
  const sums = new Map<string, SummedSite>();
  for (const site of sites) {
    const key = `${site.file}\0${site.function}`;
    const known = sums.get(key);
    const allocated = site.allocated + (known?.allocated ?? 0);
    sums.set(key, { ...site, allocated, survived: (site.survived ?? 0) + (known?.survived ?? 0) });
  }
  return [...sums.values()];
}
