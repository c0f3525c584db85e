/** Runs that are kept to compare with later: a summary, in one file, of recordings that need not be kept. */
import { readFileSync, statSync } from "node:fs";
import type { CheckedRun } from "../analysis/check/check.ts";
import { type GcspikeError, usageError } from "../lib/errors.ts";

const SCHEMA = "gcspike.baseline/1";
/** Of runs with all their sites, some thousand. */
const MOST_BYTES = 256 * 1024 * 1024;

interface BaselineFile {
  readonly schema: typeof SCHEMA;
  readonly createdAt: string;
  readonly runs: readonly CheckedRun[];
}

export function encodeBaseline(runs: readonly CheckedRun[], now: Date): Uint8Array {
  const file: BaselineFile = { schema: SCHEMA, createdAt: now.toISOString(), runs };
  return new TextEncoder().encode(`${JSON.stringify(file)}\n`);
}

/** @throws a usage error for a file that is no such summary */
export function readBaseline(path: string): readonly CheckedRun[] {
  const no = (why: string): GcspikeError =>
    usageError(`--baseline ${path} ${why}.`, "Make one: gcspike check --save-baseline FILE -- COMMAND");
  if (statSync(path).size > MOST_BYTES) throw no("is too large to be a baseline");
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw no("is not a baseline: it holds no JSON");
  }
  const { schema, runs } = (parsed ?? {}) as Partial<BaselineFile>;
  if (schema !== SCHEMA) throw no(`is not a baseline: its schema is not ${SCHEMA}`);
  if (!Array.isArray(runs) || runs.length === 0 || !runs.every(isRun)) throw no("is damaged");
  return runs;
}

/** Is everything there that a check reads, of the right type? */
function isRun(value: unknown): value is CheckedRun {
  const { run, sites, work } = (value ?? {}) as Partial<CheckedRun>;
  if (typeof run !== "object" || run === null || !Array.isArray(sites) || !(Number(work) > 0)) return false;
  const texts: readonly unknown[] = [run.recording, run.node, run.v8];
  const lists: readonly unknown[] = [run.metrics, run.command, run.execArgv, run.collectors, run.warnings];
  return (
    texts.every((text) => typeof text === "string") &&
    lists.every(Array.isArray) &&
    typeof run.machine === "object" &&
    run.machine !== null &&
    Number.isFinite(run.durationMs) &&
    run.metrics.every(
      (one) => typeof one?.metric === "string" && typeof one.unit === "string" && Number.isFinite(one.value),
    ) &&
    run.warnings.every((one) => typeof one?.code === "string" && typeof one.message === "string") &&
    sites.every(
      (site) => typeof site?.file === "string" && typeof site.function === "string" && Number.isFinite(site.allocated),
    )
  );
}
