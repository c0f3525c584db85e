/**
 * What the rules judge by, of some spikes of programs with a known answer: fixtures/golden/spike-facts.json. Rules can be tried on it in
 * milliseconds. It is made from recordings that `bench/attribution.mjs --corpus CORPUS --keep DIR` left, of fixtures/causes and of any other
 * programs, whose folders are CORPORA, as far as `bench/corpus-proof.mjs --corpus CORPUS` says that they have their fault; both lists are
 * separated by commas:
 *
 *     UPDATE_GOLDENS=1 RECORDINGS=DIR,DIR CORPORA=DIR,DIR npx vitest run test/unit/analysis/calibration.test.ts
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Answer, readCorpus } from "../../bench/lib/corpus.mjs";
import type { SpikeFacts } from "../../src/analysis/causes/facts.ts";
import { observe } from "../../src/analysis/observed.ts";
import { type FoundStop, factsOf, findStops } from "../../src/analysis/stops.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { ROOT } from "./cli.ts";

const FILE = join(ROOT, "fixtures", "golden", "spike-facts.json");
/** Of a run, spread over the time that its spikes took. */
const SPIKES_A_RUN = 4;
/** While a program builds what it works with, nothing has gone wrong yet. */
const STARTING_MS = 1000;
const DIGITS = 3;
/** Shorter phases decide nothing, ms. */
const SHORTEST_PHASE_MS = 0.2;

interface WrittenRun {
  readonly program: string;
  readonly node: string;
  /** Null: fixtures/causes has it. */
  readonly answer: Pick<Answer, "cause" | "contributing"> | null;
  readonly spikes: readonly SpikeFacts[];
}

export interface RecordedRun {
  readonly program: string;
  readonly node: string;
  /** Of a program of fixtures/causes what stands there; of others what stood beside them. */
  readonly answer: Pick<Answer, "cause" | "contributing" | "sites">;
  readonly spikes: readonly SpikeFacts[];
}

export function readRuns(): readonly RecordedRun[] {
  const own = new Map(readCorpus().map(({ name, answer }) => [name, answer]));
  const written: readonly WrittenRun[] = JSON.parse(readFileSync(FILE, "utf8"), revive);
  return written.map((run) => {
    const answer = run.answer === null ? own.get(run.program) : { ...run.answer, sites: [] };
    if (answer === undefined) throw new Error(`${run.program} is no program of fixtures/causes any more`);
    return { ...run, answer };
  });
}

/** One run for each recording in the folders: NAME-NODE-RUN.gcspike. `corpora`: where programs stand that fixtures/causes has not. */
export async function writeRuns(folders: readonly string[], corpora: readonly string[]): Promise<void> {
  const own = new Set(readCorpus().map(({ name }) => name));
  const answers = new Map(corpora.flatMap((folder) => readCorpus(folder)).map(({ name, answer }) => [name, answer]));
  const lines: string[] = [];
  for (const path of folders.flatMap((folder) =>
    readdirSync(folder)
      .sort()
      .map((name) => join(folder, name)),
  )) {
    const [, program, node] = /([^/]+)-(\d+)-\d+\.gcspike$/.exec(path) ?? [];
    if (program === undefined || node === undefined) continue;
    const known = answers.get(program);
    if (known === undefined && !own.has(program)) throw new Error(`no answer to ${path}`);
    const answer = known === undefined ? null : { cause: known.cause, contributing: known.contributing };
    lines.push(JSON.stringify({ program, node, answer, spikes: await someSpikes(path) }, shorten));
  }
  writeFileSync(FILE, `[\n${lines.join(",\n")}\n]\n`);
}

async function someSpikes(path: string): Promise<readonly SpikeFacts[]> {
  const recording = await readRecording(path);
  const { options, machine } = recording.manifest;
  const terms = { spikeMs: options.spikeMs, pageFaultNs: machine.pageFaultNs };
  const stops = findStops(observe(recording), terms.spikeMs);
  const later = stops.filter(({ observed, startMs }) => startMs >= observed.isolate.startMs + STARTING_MS);
  return some(later).map((stop) => factsOf(stop, terms));
}

/** As many of the long ones as they have of the time: what a program's answer is about. */
function some(stops: readonly FoundStop[]): readonly FoundStop[] {
  const totalMs = stops.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const chosen = new Set<FoundStop>();
  let untilMs = 0;
  for (const stop of stops) {
    untilMs += stop.durationMs;
    if (untilMs >= (totalMs * (chosen.size + 0.5)) / SPIKES_A_RUN) chosen.add(stop);
  }
  return [...chosen];
}

/** JSON has neither NaN nor Map. Names of functions and files are nobody's business here. */
function shorten(key: string, value: unknown): unknown {
  if (key === "trigger") return null;
  if (value instanceof Map) {
    return { map: Object.fromEntries([...value].filter(([, ms]) => ms >= SHORTEST_PHASE_MS)) };
  }
  if (typeof value !== "number") return value;
  return Number.isNaN(value) ? "NaN" : Number(value.toPrecision(DIGITS));
}

function revive(_: string, value: unknown): unknown {
  if (value === "NaN") return Number.NaN;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "map")) return value;
  return new Map(Object.entries((value as { readonly map: Readonly<Record<string, number>> }).map));
}
