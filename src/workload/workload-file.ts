/** What a workload measured itself, as JSON: `workload.json` in the recording's folder. docs/recording-format.md has its fields. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Metric {
  readonly metric: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  readonly value: number;
}

/** When the load began and ended, on process.hrtime's clock. */
export interface Load {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** One line. */
export function workloadJson(
  name: string,
  options: Readonly<Record<string, string | number | boolean>>,
  metrics: readonly Metric[],
  load: Load,
): string {
  const measured = { fromNs: String(load.fromNs), toNs: String(load.toNs) };
  return `${JSON.stringify({ schema: "gcspike.workload/1", name, options, metrics, measured })}\n`;
}

/** Writes it, whole or not at all, where this process is recorded. @throws what the file system throws */
export function writeWorkloadFile(json: string): void {
  const folder = process.env.GCSPIKE_RECORDING;
  if (folder === undefined || folder === "") return;
  const path = join(folder, "workload.json");
  writeFileSync(`${path}.tmp`, json);
  renameSync(`${path}.tmp`, path);
}
