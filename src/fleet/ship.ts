/**
 * A process of its own that ships one dump: `ship DUMP ID`. What a fleet asks questions of are tables and profiles, so those are what
 * leaves the machine; the dump itself stays where it was written.
 *
 *     <table>/service=NAME/version=VERSION/day=2026-11-28/ID.parquet
 *     <profile>/service=NAME/version=VERSION/day=2026-11-28/ID.pb.gz
 *
 * Engines that read folders by such names (DuckDB, ClickHouse, Trino, Spark) make columns of them.
 */
import { analyse } from "../analysis/analyse.ts";
import type { ExportInput } from "../export/export-input.ts";
import { TABLE_NAMES } from "../export/formats.ts";
import { exportParquet } from "../export/parquet.ts";
import { exportPprof } from "../export/pprof.ts";
import { tableOf } from "../export/tables.ts";
import { readRecording } from "../recording/read-recording.ts";
import { type Put, putTo } from "./destination.ts";
import { agentSettings, type Service, SHIP_TIMEOUT_MS, serviceOf } from "./settings.ts";

async function ship(dump: string, id: string): Promise<void> {
  const { ship: destination } = agentSettings(process.env);
  if (destination === null) throw new Error("it is not said where to");
  const put = putTo(destination, process.env);
  const recording = await readRecording(dump);
  // In the tables, a recording is called what an exemplar calls it.
  const input = { recording: { ...recording, path: id }, report: analyse(recording, {}) };
  const { command, startedAt } = recording.manifest;
  await putAll(input, put, `${partition(serviceOf(process.env, command), startedAt)}/${id}`);
}

async function putAll(input: ExportInput, put: Put, stem: string): Promise<void> {
  for (const name of TABLE_NAMES) {
    const table = tableOf(name, input);
    if (table.columns[0]?.cells.length !== 0) await put(`${name}/${stem}.parquet`, exportParquet(table));
  }
  const { isolates } = input.recording;
  if (isolates.some(({ pauses }) => pauses.count > 0)) {
    await put(`pause-profiles/${stem}.pb.gz`, exportPprof(input, "pauses"));
  }
  if (isolates.some(({ allocations }) => allocations !== null)) {
    await put(`heap-profiles/${stem}.pb.gz`, exportPprof(input, "heap"));
  }
}

function partition({ name, version }: Service, startedAt: string): string {
  return `service=${folderName(name)}/version=${folderName(version)}/day=${startedAt.slice(0, 10)}`;
}

/** Names that every file system and engine takes. */
function folderName(text: string): string {
  const safe = text.replaceAll(/[^\w.+-]+/g, "_").slice(0, 100);
  return safe === "" || /^\.+$/.test(safe) ? "unknown" : safe;
}

// The companion may be gone by then. Not process.exit: it waits for what Node's pool is at.
setTimeout(() => process.kill(process.pid, "SIGKILL"), SHIP_TIMEOUT_MS).unref();
const [dump = "", id = ""] = process.argv.slice(2);
try {
  await ship(dump, id);
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
