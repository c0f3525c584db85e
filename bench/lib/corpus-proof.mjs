/**
 * Proof that a program of the corpus has the fault that its answer names, by what is not gcspike's: V8's own trace of its collections,
 * the kernel's counts, and the heap profiler of V8 in a run without inlining.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at } from "../../scripts/lib.mjs";
import { argumentsOf } from "./corpus.mjs";
import { parseTraceGcDetails } from "./trace-gc-details.mjs";

const MIB = 1024 * 1024;
const sum = (values) => values.reduce((total, value) => total + value, 0);
const timeOf = (collections) => sum(collections.map(({ pauseMs }) => pauseMs));
const percent = (share) => `${Math.round(share * 100)} %`;
const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

/** Runs Node over the program. Returns the collections that V8 printed and what the kernel counted. */
async function trace(node, program, flags, environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), "corpus-proof-"));
  try {
    const [printed, usage] = [join(folder, "stdout.txt"), join(folder, "usage.json")];
    const words = [...flags, "--require", at("bench", "lib", "usage.cjs"), ...(await argumentsOf(program))];
    const env = { ...process.env, CORPUS_USAGE: usage, ...environment };
    const stderr = openSync(join(folder, "stderr.txt"), "w");
    const [code] = await once(spawn(node, words, { env, stdio: ["ignore", openSync(printed, "w"), stderr] }), "exit");
    if (code !== 0)
      throw new Error(`${program.name} ended with ${code}:\n${readFileSync(join(folder, "stderr.txt"), "utf8")}`);
    return {
      collections: parseTraceGcDetails(readFileSync(printed, "utf8")),
      usage: JSON.parse(readFileSync(usage, "utf8")),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Those of the isolate with the most pause time, which is where the fault is. */
function busiestIsolate(collections) {
  const times = new Map();
  for (const { isolate, pauseMs } of collections) times.set(isolate, (times.get(isolate) ?? 0) + pauseMs);
  const [[busiest] = []] = [...times].sort(([, a], [, b]) => b - a);
  return collections.filter(({ isolate }) => isolate === busiest);
}

const survivedBytes = ({ values }) => (values.promoted ?? 0) + (values.new_space_survived ?? 0);
const usedAfter = ({ spacesKb }) => (spacesKb["All spaces"] ?? 0) * 1024;
const isFull = ({ kind }) => kind === "mark-compact";

function phases({ values }, name) {
  return sum(
    Object.entries(values)
      .filter(([key]) => name.test(key))
      .map(([, ms]) => ms),
  );
}

/** Share of the pauses' time in phases whose name matches. */
const phaseShare = (collections, name) => sum(collections.map((entry) => phases(entry, name))) / timeOf(collections);
/** Share of the pauses' time in collections that are so. */
const shareOf = (collections, isSo) => timeOf(collections.filter(isSo)) / timeOf(collections);

/** Bytes allocated until a collection: after an incremental start V8 prints the size of the whole heap instead. */
const allocatedBytes = ({ values }) => (values.mutator > 1e6 ? 0 : (values.allocated ?? 0));

/** Collections with less than `gapMs` between them, as one episode. */
function episodes(collections, gapMs) {
  return collections.reduce((list, entry) => {
    const last = list.at(-1)?.at(-1);
    if (last !== undefined && entry.atMs - last.atMs < gapMs) list.at(-1).push(entry);
    else list.push([entry]);
    return list;
  }, []);
}

/** By cause: {holds, figure} of the spikes, all collections of that isolate, and the kernel's counts. */
const PROOFS = {
  "survivor-copy": ({ spikes }) => {
    const young = spikes.filter((entry) => !isFull(entry));
    const share = timeOf(young) / timeOf(spikes);
    const bytes = sum(young.map(survivedBytes)) / young.length;
    const figure = `${percent(share)} of spike time in scavenges, each with ${mib(bytes)} of survivors`;
    return { holds: share > 0.6 && bytes > 4 * MIB, figure };
  },
  "old-growth": ({ spikes, collections }) => {
    const share = shareOf(spikes, isFull);
    const full = collections.filter(isFull);
    const growth = usedAfter(full.at(-1)) / usedAfter(full[0]);
    const large = sum(full.map(largeBytes)) / sum(full.map(usedAfter));
    const figure = `${percent(share)} of spike time in ${full.length} mark-compacts; ${growth.toFixed(1)} times as much is alive after the last as after the first, ${percent(large)} of it large objects`;
    return { holds: share > 0.6 && growth > 2 && large < 0.3, figure };
  },
  "large-objects": ({ spikes, collections }) => {
    const large = sum(spikes.map(largeBytes)) / sum(spikes.map(usedAfter));
    const share =
      timeOf(spikes.filter((entry) => entry.atMs > 1500 && largeBytes(entry) > usedAfter(entry) / 2)) / timeOf(spikes);
    const peak = Math.max(...collections.map(largeBytes));
    const figure = `large objects are ${percent(large)} of what is in use after a spike (${mib(peak)} at most); ${percent(share)} of spike time in collections of which that is more than half`;
    return { holds: large > 0.4 && peak > 16 * MIB, figure };
  },
  "external-memory": ({ spikes }) => {
    const external = sum(spikes.map(({ externalKb }) => externalKb * 1024)) / sum(spikes.map(usedAfter));
    const pressed = shareOf(spikes, ({ reason, externalKb }) => /external/.test(reason) || externalKb > 32 * 1024);
    const figure = `external memory is ${external.toFixed(1)} times the heap after a spike; ${percent(pressed)} of spike time for its sake or with more than 32 MiB of it`;
    return { holds: external > 1 && pressed > 0.6, figure };
  },
  explicit: ({ spikes }) => {
    const asked = shareOf(spikes, ({ reason }) => /testing|heap profiler|low memory notification/.test(reason));
    return {
      holds: asked > 0.6,
      figure: `${percent(asked)} of spike time in collections whose reason is that somebody asked`,
    };
  },
  "heap-limit": ({ collections, spikes }) => {
    const full = spikes.filter(isFull);
    const near = full.filter(
      ({ spacesKb, availableKb }) => availableKb < 0.33 * (availableKb + spacesKb["Memory allocator"]),
    );
    const share = timeOf(near) / timeOf(spikes);
    const last = collections.filter(isFull).at(-1);
    const figure = `${near.length} mark-compacts with less than a third of the heap's room left after them, ${percent(share)} of spike time; ${(last.availableKb / 1024).toFixed(1)} MiB of room after the last`;
    return { holds: near.length >= 4 && share > 0.4, figure };
  },
  "weak-processing": ({ spikes }) => {
    const share = phaseShare(spikes, /^(mark\.ephemeron\.linear|clear\.weak|clear\.js_weak|weakness)/);
    const marking = phaseShare(spikes, /^mark\.ephemeron\.marking/);
    const figure = `${percent(share)} of spike time in following ephemerons one by one and clearing weak references, ${percent(marking)} in marking with ephemerons`;
    return { holds: share + marking > 0.5 && share > 0.35, figure };
  },
  "allocation-burst": ({ collections, usage }) => {
    const bursts = episodes(collections, 400).filter((list) => list.some(({ pauseMs }) => pauseMs >= 10));
    const time = sum(bursts.map((list) => list.at(-1).atMs - list[0].atMs));
    const bytes = sum(bursts.flat().map(allocatedBytes)) / sum(collections.map(allocatedBytes));
    const share = time / usage.wallMs;
    return {
      holds: bytes > 0.8 && share < 0.35,
      figure: `${percent(bytes)} of the bytes in ${bursts.length} bursts, ${percent(share)} of the time`,
    };
  },
  compaction: ({ spikes }) => {
    const full = spikes.filter(isFull);
    const share = shareOf(spikes, isFull);
    const moved = phaseShare(full, /^evacuate$/);
    const marked = phaseShare(full, /^mark$/);
    const figure = `${percent(share)} of spike time in mark-compacts, ${percent(moved)} of that in evacuating and ${percent(marked)} in marking`;
    return { holds: share > 0.5 && moved > 0.4 && moved > marked, figure };
  },
  descheduled: ({ spikes, calm, usage }) => {
    const off = 1 - usage.ranMs / usage.wallMs;
    const calmOff = 1 - calm.usage.ranMs / calm.usage.wallMs;
    const figure = `off the processor ${percent(off)} of the time, waiting for it ${percent(usage.waitedMs / usage.wallMs)}; left alone ${percent(calmOff)}; ${spikes.length} spikes, left alone ${calm.spikes.length}`;
    // Where the machine is busy by itself, the program is never left alone.
    const isLess = timeOf(calm.spikes) < timeOf(spikes) / 3 || calmOff > 0.4;
    return { holds: spikes.length >= 4 && off > 0.4 && isLess, figure };
  },
  "page-faults": ({ collections, usage }) => {
    const inKernel = usage.systemMs / (usage.systemMs + usage.userMs);
    const faulted = (usage.faults * 4096) / sum(collections.map(survivedBytes));
    const figure = `${percent(inKernel)} of processor time in the kernel, for ${usage.faults} faults: ${percent(faulted)} of the bytes that collections copied`;
    return { holds: inKernel > 0.4 && faulted > 0.4, figure };
  },
  none: ({ collections, spikes }) => {
    const worst = Math.max(0, ...collections.map(({ pauseMs }) => pauseMs));
    const survived = sum(collections.map(survivedBytes)) / Math.max(1, collections.length);
    const figure = `${collections.length} collections, ${spikes.length} spikes, the longest ${worst.toFixed(1)} ms; ${mib(survived)} of survivors each`;
    // On a busy machine any pause can be long: what would make these long is not there.
    return { holds: survived < MIB, figure };
  },
};

function largeBytes({ spacesKb }) {
  return ((spacesKb["Large object space"] ?? 0) + (spacesKb["New large object space"] ?? 0)) * 1024;
}

/** Reasons are printed without phases, and phases without reasons before Node 26. */
const WITH_REASONS = new Set(["explicit", "external-memory"]);

/** {holds, figure}: is the program's fault there? `node` is a path. */
export async function proveCause(node, program) {
  const { cause, spike, calm } = program.answer;
  const flags = [WITH_REASONS.has(cause) ? "--trace-gc" : "--trace-gc-nvp", "--trace-gc-verbose"];
  const observe = async (environment) => {
    const { collections, usage } = await trace(node, program, flags, environment);
    const own = busiestIsolate(collections);
    return { collections: own, spikes: own.filter(({ pauseMs }) => pauseMs >= Number.parseFloat(spike)), usage };
  };
  const observed = await observe();
  if (cause !== null && observed.spikes.length < 2) return { holds: false, figure: `${observed.spikes.length} spikes` };
  return PROOFS[cause ?? "none"]({ ...observed, calm: calm === undefined ? null : await observe(calm) });
}

const COUNTED = {
  "external-memory": "buffers",
  "large-objects": "allocated",
  "allocation-burst": "allocated",
  "survivor-copy": "kept",
  "old-growth": "kept",
  "heap-limit": "kept",
  "weak-processing": "kept",
};

/**
 * {holds, figure}: do the functions that the answer names keep (or allocate, where that is what counts) most bytes of all functions
 * of the program? null where the answer names none, or bytes are not what it is about.
 */
export async function proveSites(node, program) {
  const { cause, sites } = program.answer;
  if (sites.length === 0 || COUNTED[cause] === undefined) return null;
  const folder = mkdtempSync(join(tmpdir(), "corpus-bytes-"));
  try {
    const words = ["--no-opt", "--no-maglev", "--require", at("bench", "lib", "count-bytes.cjs")];
    // A bundle keeps its functions' names where it is not minified.
    const script = await argumentsOf(program, { minify: false });
    const env = { ...process.env, CORPUS_COUNT: COUNTED[cause], CORPUS_BYTES: folder };
    await once(spawn(node, [...words, ...script], { env, stdio: ["ignore", "ignore", "inherit"] }), "exit");
    const counted = readdirSync(folder).flatMap((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
    const expected = sum(
      counted.filter((entry) => sites.some((site) => site.function === entry.function)).map(({ bytes }) => bytes),
    );
    const total = sum(counted.map(({ bytes }) => bytes));
    const [most] = counted.sort((a, b) => b.bytes - a.bytes);
    const figure = `${[...new Set(sites.map((site) => site.function))].join(", ")}: ${percent(expected / total)} of ${mib(total)} ${COUNTED[cause]}, most by ${most?.function}`;
    return { holds: sites.some((site) => site.function === most?.function), figure };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
