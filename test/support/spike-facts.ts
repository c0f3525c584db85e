/**
 * What the rules judge by, of some spikes of every program of fixtures/causes: fixtures/golden/spike-facts.json. Rules can be tried on
 * it in milliseconds. It is made from recordings that `bench/attribution.mjs --keep DIR` left:
 *
 *     UPDATE_GOLDENS=1 RECORDINGS=DIR npx vitest run test/unit/analysis/calibration.test.ts
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SpikeFacts } from "../../src/analysis/causes/facts.ts";
import { observe } from "../../src/analysis/observed.ts";
import { factsOf, findStops } from "../../src/analysis/stops.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { ROOT } from "./cli.ts";

const FILE = join(ROOT, "fixtures", "golden", "spike-facts.json");
/** Spikes of a run: the longest, the shortest, and some between them. */
const SPIKES_A_RUN = 4;
const DIGITS = 4;
/** Shorter phases decide nothing, ms. */
const SHORTEST_PHASE_MS = 0.05;

export interface RecordedRun {
  readonly program: string;
  readonly node: string;
  readonly spikes: readonly SpikeFacts[];
}

export function readRuns(): readonly RecordedRun[] {
  return JSON.parse(readFileSync(FILE, "utf8"), revive);
}

/** One run for each recording in the folder: NAME-NODE-RUN.gcspike. */
export async function writeRuns(folder: string): Promise<void> {
  const lines: string[] = [];
  for (const name of readdirSync(folder).sort()) {
    const [, program, node] = /^(.+)-(\d+)-\d+\.gcspike$/.exec(name) ?? [];
    if (program === undefined || node === undefined) continue;
    const recording = await readRecording(join(folder, name));
    const { options, machine } = recording.manifest;
    const terms = { spikeMs: options.spikeMs, pageFaultNs: machine.pageFaultNs };
    const spikes = some(findStops(observe(recording), terms.spikeMs)).map((one) => factsOf(one, terms));
    lines.push(JSON.stringify({ program, node, spikes }, shorten));
  }
  writeFileSync(FILE, `[\n${lines.join(",\n")}\n]\n`);
}

function some<T>(all: readonly T[]): readonly T[] {
  if (all.length <= SPIKES_A_RUN) return all;
  return Array.from(
    { length: SPIKES_A_RUN },
    (_, i) => all[Math.round((i * (all.length - 1)) / (SPIKES_A_RUN - 1))],
  ).flatMap((one) => one ?? []);
}

/** JSON has neither NaN nor Map. Names of functions and files are nobody's business here. */
function shorten(key: string, value: unknown): unknown {
  if (key === "trigger") return null;
  if (value instanceof Map) {
    const long = [...value].filter(([, ms]) => ms >= SHORTEST_PHASE_MS);
    return { map: Object.fromEntries(long) };
  }
  if (typeof value !== "number") return value;
  return Number.isNaN(value) ? "NaN" : Number(value.toPrecision(DIGITS));
}

function revive(_: string, value: unknown): unknown {
  if (value === "NaN") return Number.NaN;
  const isMap = typeof value === "object" && value !== null && "map" in value;
  return isMap ? new Map(Object.entries(value.map as Readonly<Record<string, number>>)) : value;
}
