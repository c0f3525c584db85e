// What does a slot cost, next to what else there is? Everything in one run, interleaved: median of the rounds, with the lowest and the
// highest.
//
//   node bench/slab.mjs [--rounds 15]
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { SlabPool } from "../dist/slab.js";
import { median, quantile } from "./lib/statistics.mjs";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" }, fresh: { type: "string" } } });
const ROUNDS = Number(values.rounds);
const OPERATIONS = 2_000_000;
const BYTES = 256;

function timed(work, operations) {
  const start = process.hrtime.bigint();
  work(operations);
  return Number(process.hrtime.bigint() - start) / operations;
}

const spread = (all) =>
  `${median(all).toFixed(1)} ns   (${Math.min(...all).toFixed(1)} to ${Math.max(...all).toFixed(1)})`;

/** Each gets a function of its own: one that has seen several kinds of pool would be compiled for all of them. */
function contestants() {
  const local = SlabPool.open({ classes: [{ slotBytes: BYTES, slots: 100_000 }] });
  const shelf = local.shelf(BYTES);
  const shared = SlabPool.open({ classes: [{ slotBytes: BYTES, slots: 100_000 }], threads: 4 }).shelf(BYTES);
  const list = Array.from({ length: 1000 }, () => new Uint8Array(BYTES));
  const numbers = Int32Array.from({ length: 100_000 }, (_, i) => i);
  let top = numbers.length;
  let kept = null;
  return {
    "slab, one thread: shelf.alloc + free": (n) => {
      for (let i = 0; i < n; i++) shelf.free(shelf.alloc());
    },
    "slab, one thread: pool.alloc(bytes) + free": (n) => {
      for (let i = 0; i < n; i++) local.free(local.alloc(200));
    },
    "slab for several threads, alone": (n) => {
      for (let i = 0; i < n; i++) shared.free(shared.alloc());
    },
    "free list of integers in an Int32Array": (n) => {
      for (let i = 0; i < n; i++) {
        const one = numbers[--top];
        numbers[top++] = one;
      }
    },
    "free list of objects in an array": (n) => {
      for (let i = 0; i < n; i++) list.push(list.pop());
    },
    "Buffer.allocUnsafe(256)": (n) => {
      for (let i = 0; i < n / 10; i++) kept = Buffer.allocUnsafe(BYTES);
      return kept;
    },
    "new Uint8Array(256)": (n) => {
      for (let i = 0; i < n / 10; i++) kept = new Uint8Array(BYTES);
      return kept;
    },
  };
}

function oneThread() {
  const all = Object.entries(contestants());
  const results = new Map(all.map(([name]) => [name, []]));
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, work] of all) {
      const ns = timed(work, OPERATIONS) * (/allocUnsafe|Uint8Array\(/.test(name) ? 10 : 1);
      if (round >= 0) results.get(name).push(ns);
    }
  }
  console.log("get + put, one thread");
  for (const [name, ns] of results) console.log(`  ${name.padEnd(46)}${spread(ns)}`);
}

const WORKER = `
  import { parentPort, workerData } from "node:worker_threads";
  import { SlabPool } from ${JSON.stringify(new URL("../dist/slab.js", import.meta.url).href)};
  const shelf = SlabPool.attach(workerData.share).shelf(${BYTES});
  const handles = new Float64Array(workerData.batch);
  const { batch } = workerData;
  const single = (n) => { const own = shelf; for (let i = 0; i < n; i++) own.free(own.alloc()); };
  const batches = (n) => { for (let i = 0; i < n; i += batch) { for (let j = 0; j < batch; j++) handles[j] = shelf.alloc(); for (let j = 0; j < batch; j++) shelf.free(handles[j]); } };
  const work = batch === 1 ? single : batches;
  work(2_000_000);
  work(2_000_000);
  const go = new Int32Array(workerData.go);
  Atomics.add(go, 0, 1);
  while (Atomics.load(go, 0) < workerData.count);
  const start = process.hrtime.bigint();
  work(5_000_000);
  parentPort.postMessage(Number(process.hrtime.bigint() - start) / 5_000_000);`;

/** `batch` slots out, then as many back: 1 stays in the magazine, more than 64 go to the packets of all threads all the time. */
async function workers(count, batch) {
  const all = [];
  for (let round = 0; round < 5; round++) {
    const pool = SlabPool.open({ classes: [{ slotBytes: BYTES, slots: 100_000 }], threads: 3 });
    const go = new SharedArrayBuffer(4);
    const workerData = { share: pool.share(), go, batch, count };
    const started = Array.from({ length: count }, () => new Worker(WORKER, { eval: true, workerData }));
    all.push(...(await Promise.all(started.map(async (worker) => (await once(worker, "message"))[0]))));
    await Promise.all(started.map((worker) => worker.terminate()));
    pool.close();
  }
  return spread(all);
}

async function severalWorkers() {
  console.log("\nget + put in workers on the same slots");
  for (const batch of [1, 96]) {
    const how = batch === 1 ? "one at a time" : `${batch} out, ${batch} back`;
    console.log(`  one worker, ${how.padEnd(16)}${await workers(1, batch)}`);
    console.log(`  two at once, ${how.padEnd(15)}${await workers(2, batch)}`);
  }
}

/** In a process of its own: 10 million buffers of which the last 1,000 are kept. */
async function tenMillion(kind) {
  const count = 10_000_000;
  const keep = 1000;
  const collections = { count: 0 };
  const { PerformanceObserver } = await import("node:perf_hooks");
  const observer = new PerformanceObserver((list) => {
    collections.count += list.getEntries().length;
  });
  observer.observe({ entryTypes: ["gc"] });
  const shelf = SlabPool.open({ classes: [{ slotBytes: BYTES, slots: keep + 1 }] }).shelf(BYTES);
  const handles = new Float64Array(keep);
  const buffers = new Array(keep).fill(null);
  const make = {
    slab: (from, to) => {
      for (let i = from; i < to; i++) {
        if (i >= keep) shelf.free(handles[i % keep]);
        handles[i % keep] = shelf.alloc();
      }
    },
    "Buffer.allocUnsafe": (from, to) => {
      for (let i = from; i < to; i++) buffers[i % keep] = Buffer.allocUnsafe(BYTES);
    },
    "new Uint8Array": (from, to) => {
      for (let i = from; i < to; i++) buffers[i % keep] = new Uint8Array(BYTES);
    },
  }[kind];
  // Compiled and optimised first: what the interpreter makes is not the contestants'.
  const warm = 1_000_000;
  for (let i = 0; i < warm; i += warm / 10) make(i, i + warm / 10);
  await new Promise((resolve) => setTimeout(resolve, 50));
  collections.count = 0;
  const rss = process.memoryUsage.rss();
  let peak = rss;
  const start = process.hrtime.bigint();
  for (let i = warm; i < warm + count; i += 1_000_000) {
    make(i, i + 1_000_000);
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  const ns = Number(process.hrtime.bigint() - start) / count;
  peak = Math.max(peak, process.memoryUsage.rss());
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(JSON.stringify({ ns, collections: collections.count, grown: peak - rss }));
}

function tenMillionEach() {
  console.log("\n10 million buffers of 256 bytes, the last 1,000 kept");
  for (const kind of ["new Uint8Array", "Buffer.allocUnsafe", "slab"]) {
    const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--fresh", kind], {
      encoding: "utf8",
    });
    const { ns, collections, grown } = JSON.parse(stdout);
    console.log(
      `  ${kind.padEnd(20)}${ns.toFixed(1).padStart(7)} ns each   ${String(collections).padStart(5)} collections   ${(grown / 2 ** 20).toFixed(1).padStart(7)} MiB more resident`,
    );
  }
}

/**
 * What is lost of the memory that slots take, when batches come and whole batches leave at random: between the records' bytes and the
 * slots', and between the slots in use and the pages that hold them.
 */
function fragmentation() {
  console.log("\nfragmentation: records of 110 to 1,000 bytes, 40,000 alive, replaced a batch at a time");
  for (const batch of [32, 256]) {
    const classes = [128, 192, 256, 384, 512, 768, 1024].map((slotBytes) => ({ slotBytes, slots: 20_000 }));
    const pool = SlabPool.open({ classes, release: "immediate" });
    let random = 7;
    const next = () => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return random / 2 ** 32;
    };
    // What was never used is resident from the start: it goes back when it has been used once.
    for (const { slotBytes, slots } of classes) {
      const shelf = pool.shelf(slotBytes);
      for (const handle of Array.from({ length: slots }, () => shelf.alloc())) shelf.free(handle);
    }
    const batches = [];
    let recordBytes = 0;
    const add = () => {
      const own = [];
      for (let i = 0; i < batch; i++) {
        const bytes = Math.floor(110 + 890 * next() ** 3);
        recordBytes += bytes;
        const handle = pool.alloc(bytes);
        const offset = pool.offsetOf(handle);
        pool.bytes.fill(1, offset, offset + bytes);
        own.push([handle, bytes]);
      }
      batches.push(own);
    };
    while (batches.length * batch < 40_000) add();
    for (let n = 0; n < (10 * 40_000) / batch; n++) {
      const [gone] = batches.splice(Math.floor(next() * batches.length), 1);
      for (const [handle, bytes] of gone) {
        pool.free(handle);
        recordBytes -= bytes;
      }
      add();
    }
    const { bytesInUse, residentBytes } = pool.stats();
    const percent = (part, all) => `${((1 - part / all) * 100).toFixed(1)} %`;
    console.log(
      `  batches of ${String(batch).padEnd(4)} inside slots ${percent(recordBytes, bytesInUse)}, free slots in resident pages ${percent(bytesInUse, residentBytes)}`,
    );
    pool.close();
  }
}

/** How long a slot takes to be had and written after all of it was freed: where pages went back, page faults come. */
async function release() {
  console.log("\nalloc + write 4 KiB after everything was freed and 300 ms passed, 8,192 slots, microseconds");
  for (const policy of ["never", "deferred", "immediate"]) {
    const stalls = [];
    let released = 0;
    for (let round = 0; round < 5; round++) {
      const pool = SlabPool.open({ classes: [{ slotBytes: 4096, slots: 8192 }], release: policy });
      const shelf = pool.shelf(4096);
      const handles = Array.from({ length: 8192 }, () => shelf.alloc());
      const frees = [];
      for (const handle of handles) {
        const start = process.hrtime.bigint();
        shelf.free(handle);
        frees.push(Number(process.hrtime.bigint() - start) / 1000);
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (let i = 0; i < 4096; i++) {
        const start = process.hrtime.bigint();
        const offset = shelf.offsetOf(shelf.alloc());
        pool.bytes.fill(1, offset, offset + 4096);
        stalls.push(Number(process.hrtime.bigint() - start) / 1000 + (frees[i] ?? 0));
      }
      released += pool.stats().releasedBytes;
      pool.close();
    }
    stalls.sort((a, b) => a - b);
    const at = [0.5, 0.9, 0.99, 0.999, 1].map((q) => quantile(stalls, q).toFixed(1));
    console.log(
      `  ${policy.padEnd(10)} P50 ${at[0]}   P90 ${at[1]}   P99 ${at[2]}   P99.9 ${at[3]}   max ${at[4]}   (free included; ${(released / 5 / 2 ** 20).toFixed(1)} MiB given back a round)`,
    );
  }
}

if (values.fresh !== undefined) {
  await tenMillion(values.fresh);
} else {
  oneThread();
  await severalWorkers();
  tenMillionEach();
  fragmentation();
  await release();
  process.exit();
}
