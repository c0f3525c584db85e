// Every claim of the design notes about the transaction pool's modes, as measured here beside the claimed value, with the reason where it
// does not hold in V8.
//
//   node bench/modes.mjs [--runs 3] [--duration 60s] [--resident 60s] [--tps 10000] [--rows 1,3,...]
//
// With the defaults about 45 minutes. Rows are numbered as they are printed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { load } from "./lib/load.mjs";
import { median } from "./lib/statistics.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const GCSPIKE = join(here, "..", "bin", "gcspike.js");
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    duration: { type: "string", default: "60s" },
    resident: { type: "string", default: "60s" },
    tps: { type: "string", default: "10000" },
    rows: { type: "string" },
    program: { type: "string" },
  },
});
const LOAD = ["--tps", values.tps, "--resident", values.resident];
const folder = mkdtempSync(join(tmpdir(), "gcspike-modes-"));

function gcspike(words, options = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [GCSPIKE, ...words], {
    encoding: "utf8",
    cwd: folder,
    maxBuffer: 2 ** 28,
    ...options,
  });
  if (status !== 0 && status !== 1) throw new Error(`gcspike ${words.join(" ")}\n${stderr}`);
  return stdout;
}

let recordings = 0;
/** Records a workload; returns the recording's name. */
function record(workload, words, nodeArgs) {
  const name = `r${++recordings}.gcspike`;
  const more = nodeArgs === undefined ? [] : ["--node-args", nodeArgs];
  gcspike(["record", "--workload", workload, ...words, ...more, "-o", name]);
  return name;
}

/** Records each kind of run `runs` times, in turn; the medians of their metrics, by kind. */
function compared(kinds, runs = Number(values.runs)) {
  const names = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  for (let run = 0; run < runs; run++) for (const [kind, start] of Object.entries(kinds)) names[kind].push(start());
  const columns = Object.entries(names).map(([kind, all]) => `${kind}=${all.join(",")}`);
  const { rows } = JSON.parse(gcspike(["compare", ...columns, "--format", "json"]));
  const metric = (kind, name) =>
    rows.find((row) => row.metric === name)?.values.find(({ column }) => column === kind) ?? {
      median: Number.NaN,
      min: Number.NaN,
      max: Number.NaN,
    };
  return metric;
}

const ms = ({ median: value, min, max }) =>
  `${value.toPrecision(3)} ms (${min.toPrecision(3)} to ${max.toPrecision(3)})`;
const mib = ({ median: value }) => `${(value / 2 ** 20).toPrecision(3)} MiB`;
const share = (value) => `${(value * 100).toPrecision(3)} %`;

function row(number, claim, there, found, reason = "") {
  console.log(`\n${number}. ${claim}\n   claimed   ${there}`);
  for (const line of found) console.log(`   measured  ${line}`);
  if (reason !== "") console.log(`   ${reason}`);
}

const txpool = (mode, words = [], nodeArgs) =>
  record("txpool", ["--mode", mode, "--duration", values.duration, ...LOAD, ...words], nodeArgs);

function modes() {
  const metric = compared({
    pooled: () => txpool("pooled"),
    naive: () => txpool("naive"),
    mmap: () => txpool("mmap"),
  });
  const of = (name) => ["pooled", "naive", "mmap"].map((mode) => metric(mode, name));
  const line = (name, text) =>
    `${name}: ${["pooled", "naive", "mmap"].map((mode) => `${mode} ${text(metric(mode, name))}`).join("   ")}`;
  const [pooled, naive, mmap] = of("pause.p99");
  const [pooledHeap, naiveHeap, mmapHeap] = of("heap.peak");
  const [pooledCount, naiveCount, mmapCount] = of("pause.count");
  const less = (a, b) => share(1 - a.median / b.median);
  row(
    1,
    `P99 pause at ${values.tps} a second, pooled to mmap; heap peak`,
    "42 ms to 1.3 ms (32 times); heap peak -68 %",
    [
      line("pause.p99", ms),
      `ratio pooled / mmap ${(pooled.median / mmap.median).toPrecision(3)}, naive / mmap ${(naive.median / mmap.median).toPrecision(3)}`,
      `heap peak: pooled ${mib(pooledHeap)}, naive ${mib(naiveHeap)}, mmap ${mib(mmapHeap)}: ${less(mmapHeap, pooledHeap)} below pooled`,
      `collections: pooled ${pooledCount.median}, naive ${naiveCount.median}, mmap ${mmapCount.median}: ${less(mmapCount, pooledCount)} fewer than pooled`,
      line("pause.max", ms),
      line("latency.p50", ms),
      line("latency.p99", ms),
      line("latency.p999", ms),
      line("throughput", ({ median: value }) => `${value.toFixed(0)}/s`),
      line("light.time", ms),
      line("rss.peak", mib),
    ],
  );
  row(
    2,
    "a canary on a real node, 72 h",
    "P99 187.3 to 71.2 ms (-62 %); RSS growth 2.1 to 0.4 GB/h",
    [
      `P99 pause ${less(mmap, pooled)} lower`,
      `RSS growth in the second half of the run: ${line("rss.growth", ({ median: value }) => `${(value / 2 ** 30).toPrecision(3)} GiB/h`)}`,
    ],
    "Not the same thing: there is no real node here, and no 72 hours. In a run that only fills the pool, all that arrives stays, and the\n   heap grows by it; mmap has all its memory from the start.",
  );
}

function memory() {
  const lines = ["naive", "pooled", "mmap"].flatMap((mode) => {
    const text = gcspike([
      "simulate",
      "txpool",
      "--mode",
      mode,
      "--tps",
      "2000",
      "--duration",
      "5s",
      "--resident",
      "5s",
    ]);
    const [, block = ""] = /Memory of a transaction\n((?: {2}\S.*\n)+)/.exec(text) ?? [];
    return block
      .trim()
      .split("\n")
      .map((one) => `${mode.padEnd(7)}${one.trim()}`);
  });
  row(
    3,
    "memory a transaction and stage, bytes / references",
    "pending 320 / 2, validating 840 / 4, queued 1,120 / 5, evicted 0 / 0",
    lines,
    "By the stores' own layout, which the tests hold against a measured heap. Other objects than in the notes: the order of growth holds,\n   the numbers are V8's.",
  );
}

/** ns for a get of which a share finds something. */
async function poolGet() {
  const { SyncPool } = await load("src/workload", "sync-pool");
  const measured = [0.89, 0.41].map((reuse) => {
    const all = [];
    let found = 0;
    for (let round = 0; round < 9; round++) {
      const pool = new SyncPool(1, () => ({ a: 0, b: 0, c: 0, bytes: new Uint8Array(128) }));
      const count = 200_000;
      const out = new Array(64).fill(null);
      let random = 1;
      const start = process.hrtime.bigint();
      for (let i = 0; i < count; i++) {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
        const object = pool.get(0);
        if (random / 2 ** 32 < reuse) pool.put(0, object);
        else out[i & 63] = object;
      }
      all.push(Number(process.hrtime.bigint() - start) / count);
      found = 1 - pool.counters.made / count;
    }
    return `${median(all).toFixed(0)} ns at ${share(found)} reuse`;
  });
  row(
    4,
    "pool get (and put), web service against block execution",
    "23 ns at 89 % reuse, 156 ns at 41 % reuse",
    measured,
    "The cost of a get is the cost of making what is not there: it grows as reuse falls, here as there.",
  );
}

/** In a process of its own: a copy of each transaction's buffer, or a view. */
async function copyOrView(kind) {
  const { PerformanceObserver } = await import("node:perf_hooks");
  let collections = 0;
  new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  }).observe({ entryTypes: ["gc"] });
  const source = Buffer.alloc(2 ** 16, 7);
  const kept = new Array(50_000).fill(null);
  const offsets = new Int32Array(50_000);
  const count = 2_000_000;
  let sum = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    const at = (i * 251) & 0xff00;
    if (kind === "copy") {
      const copy = new Uint8Array(250);
      copy.set(source.subarray(at, at + 250));
      kept[i % 50_000] = copy;
      sum += copy[3];
    } else {
      offsets[i % 50_000] = at;
      sum += source[at + 3];
    }
    if (i % 100_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const us = Number(process.hrtime.bigint() - start) / 1000 / count;
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(JSON.stringify({ collections, us, sum }));
}

function own(kind) {
  const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--program", kind], {
    encoding: "utf8",
  });
  return JSON.parse(stdout);
}

function escapes() {
  const copy = own("copy");
  const view = own("view");
  row(
    5,
    "fixing the escape: a buffer copied a transaction, or a place in one that is there",
    "1,240 to 210 collections in 10 s; 18.7 to 2.3 us an allocation",
    [
      `2,000,000 transactions: ${copy.collections} to ${view.collections} collections; ${copy.us.toPrecision(3)} to ${view.us.toPrecision(3)} us each`,
    ],
    "A typed array costs V8 two allocations, one of them outside the heap; a place in a buffer costs none.",
  );
}

function sessions() {
  const seconds = 20;
  const run = (pool) => {
    const text = gcspike(["simulate", "sessions", "--pool", pool, "--duration", `${seconds}s`]);
    const [, collections, allocated] = /(\d+) garbage collections?, (\S+ \S+) allocated a second/.exec(text) ?? [];
    return `pool ${pool}: ${collections} collections in ${seconds} s (${Math.round((Number(collections) * 300) / seconds)} in 5 min), ${allocated} allocated a second`;
  };
  row(6, "sessions, no pool to pool", "87 to 12 collections in 5 min (-86 %); heap growth 1.42 to 0.19 MB/s", [
    run("off"),
    run("on"),
  ]);
}

function fresh() {
  const run = (kind) => {
    const { stdout } = spawnSync(process.execPath, [join(here, "slab.mjs"), "--fresh", kind], { encoding: "utf8" });
    const { ns, collections, grown } = JSON.parse(stdout);
    return `${kind}: ${ns.toPrecision(3)} ns, ${collections} collections, +${(grown / 2 ** 20).toFixed(1)} MiB`;
  };
  row(
    7,
    "10 M buffers, fresh to slab",
    "28 to 3.1 ns; 127 to 0 collections; +3.2 GB to +0 MB",
    ["new Uint8Array", "Buffer.allocUnsafe", "slab"].map(run),
    "V8's typed arrays are dearer than 28 ns. Memory does not grow by gigabytes, as the collector keeps up. 3.1 ns are not reached: a handle\n   of 53 bits is a double, and the way through memory from one free to the next alloc alone takes longer. bench/slab.mjs has more.",
  );
}

function batches() {
  const metric = compared({
    32: () => txpool("mmap", ["--batch", "32", "--duration", "15s"]),
    256: () => txpool("mmap", ["--batch", "256", "--duration", "15s"]),
  });
  row(
    8,
    "batch 32 to 256",
    "fragmentation 12 to 5 %; latency 8.2 to 6.7 us",
    [`felt latency P50: 32 ${ms(metric("32", "latency.p50"))}, 256 ${ms(metric("256", "latency.p50"))}`],
    "Felt latency counts waiting for the timer and for the batch's other transactions: a larger batch waits longer for its last one. For\n   fragmentation see bench/slab.mjs: slots of fixed sizes lose the same whatever the batch.",
  );
}

function releases() {
  const kinds = Object.fromEntries(
    ["never", "deferred", "immediate"].map((release) => [
      release,
      () => txpool("mmap", ["--release", release, "--duration", "20s", "--resident", "5s"]),
    ]),
  );
  const metric = compared(kinds);
  row(
    9,
    "releasing pages at once or deferred",
    "stalls of 50 to 200 us against next to none, for about 5 % more memory",
    Object.keys(kinds).map(
      (release) =>
        `${release}: latency P99 ${ms(metric(release, "latency.p99"))}, P99.9 ${ms(metric(release, "latency.p999"))}, resident peak ${mib(metric(release, "rss.peak"))}`,
    ),
    "A page fault is some microseconds and disappears in a latency of milliseconds; bench/slab.mjs shows them by themselves.",
  );
}

function thresholds() {
  const metric = compared({
    "16 MiB": () => txpool("naive", ["--duration", "20s"]),
    "1 MiB": () => txpool("naive", ["--duration", "20s"], "--max-semi-space-size=1"),
  });
  row(
    10,
    "a tighter collection threshold",
    "shorter stops, more of them",
    ["16 MiB", "1 MiB"].map(
      (size) =>
        `semi-space ${size}: ${metric(size, "pause.count").median} pauses, P50 ${ms(metric(size, "pause.p50"))}, P99 ${ms(metric(size, "pause.p99"))}, together ${ms(metric(size, "pause.total"))}`,
    ),
    "V8's threshold of young collections is the semi-space.",
  );
}

const ROWS = {
  1: modes,
  3: memory,
  4: poolGet,
  5: escapes,
  6: sessions,
  7: fresh,
  8: batches,
  9: releases,
  10: thresholds,
};

if (values.program !== undefined) {
  await copyOrView(values.program);
} else {
  console.log(
    `txpool, ${values.tps} a second, ${values.resident} of residents, runs of ${values.duration}, Node ${process.version}`,
  );
  const chosen = values.rows?.split(",") ?? Object.keys(ROWS);
  for (const number of chosen) await ROWS[number]();
}
rmSync(folder, { recursive: true, force: true });
