/** The built slab pool in real threads, and what the collector notices of it. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { ROOT, temporaryFolder } from "../support/cli.ts";
import { NODES } from "../support/nodes.ts";

const run = promisify(execFile);
const SLAB = pathToFileURL(join(ROOT, "dist", "slab.js")).href;

/** Runs a module whose first line imports SlabPool. Returns what it printed as JSON in its last line, and all of its output. */
async function program(code: string, flags: readonly string[] = []): Promise<{ result: unknown; stdout: string }> {
  const source = `import { SlabPool } from ${JSON.stringify(SLAB)};\n${code}`;
  const { stdout } = await run(process.execPath, [...flags, "--input-type=module", "-e", source], {
    maxBuffer: 2 ** 26,
  });
  return { result: JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""), stdout };
}

/** In a worker: `await task(pool, workerData.arguments)`, and its value back. */
const WORKERS = `
import { once } from "node:events";
import { Worker } from "node:worker_threads";
const start = (pool, task, ...args) => new Worker(
  \`import { parentPort, workerData } from "node:worker_threads";
   const { SlabPool } = await import(${JSON.stringify(SLAB)});
   const pool = SlabPool.attach(workerData.share);
   parentPort.postMessage(await (\${task})(pool, ...workerData.args));\`,
  { eval: true, workerData: { share: pool.share(), args } });
const value = async (worker) => (await once(worker, "message"))[0];
`;

test("two workers that allocate, write, hand over and free never meet in a slot", async () => {
  const { result } = await program(`${WORKERS}
    const pool = SlabPool.open({ classes: [{ slotBytes: 64, slots: 4000 }, { slotBytes: 256, slots: 1000 }], threads: 3 });
    // Each slot holds who allocated it, a number, and their sum: a checksum that any other writer breaks.
    const task = (pool, me, mailbox) => {
      const words = new Uint32Array(pool.bytes.buffer);
      const boxes = new Float64Array(mailbox);
      const check = (handle) => {
        const at = pool.offsetOf(handle) >> 2;
        if ((words[at] + words[at + 1]) >>> 0 !== words[at + 2]) throw new Error("broken slot");
        return words[at];
      };
      const live = [];
      let random = me + 1, foreign = 0, exhausted = 0;
      for (let n = 0; n < 600_000; n++) {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
        if (random % 3 !== 0 || live.length === 0) {
          let handle;
          try { handle = pool.alloc(random % 200); } catch { exhausted++; }
          if (handle !== undefined) {
            const at = pool.offsetOf(handle) >> 2;
            words[at] = me; words[at + 1] = n; words[at + 2] = (me + n) >>> 0;
            live.push(handle);
          }
        }
        while (live.length > 1500) pool.free(live.splice(random % live.length, 1)[0]);
        if (random % 5 === 0 && live.length > 0) {
          const handle = live.splice(random % live.length, 1)[0];
          if (check(handle) !== me) throw new Error("not mine");
          // Into the other's box, where it is empty.
          const box = new Int32Array(mailbox, 16 + 4 * me, 1);
          if (Atomics.load(box, 0) === 0) { boxes[me] = handle; Atomics.store(box, 0, 1); } else pool.free(handle);
        }
        const box = new Int32Array(mailbox, 16 + 4 * (1 - me), 1);
        if (Atomics.load(box, 0) === 1) {
          const handle = boxes[1 - me];
          if (check(handle) !== 1 - me) throw new Error("not the other's");
          pool.free(handle);
          foreign++;
          Atomics.store(box, 0, 0);
        }
      }
      for (const handle of live) { if (check(handle) !== me) throw new Error("not mine"); pool.free(handle); }
      pool.close();
      return { foreign, exhausted };
    };
    const mailbox = new SharedArrayBuffer(32);
    const results = await Promise.all([0, 1].map((me) => value(start(pool, String(task), me, mailbox))));
    for (const me of [0, 1]) if (new Int32Array(mailbox, 16 + 4 * me, 1)[0] === 1) pool.free(new Float64Array(mailbox)[me]);
    console.log(JSON.stringify({ foreign: results.map((one) => one.foreign), inUse: pool.stats().slotsInUse }));
  `);
  const { foreign, inUse } = result as { foreign: readonly number[]; inUse: number };
  expect(inUse).toBe(0);
  for (const count of foreign) expect(count).toBeGreaterThan(100);
});

test("a thread that ends without closing gives its place back, and every slot can be had again", async () => {
  const { result } = await program(`${WORKERS}
    const pool = SlabPool.open({ classes: [{ slotBytes: 64, slots: 1000 }], threads: 2 });
    for (let n = 0; n < 20; n++) {
      const worker = start(pool, "(pool) => { for (let i = 0; i < 500; i++) pool.free(pool.alloc(64)); return true; }");
      await value(worker);
      await worker.terminate();
    }
    const handles = [];
    try { for (;;) handles.push(pool.alloc(64)); } catch (error) { console.log(error.name); }
    const error = await value(start(pool, "(pool) => { try { pool.alloc(64); return 'one'; } catch (error) { return error.name; } }"));
    console.log(JSON.stringify({ had: handles.length, error }));
  `);
  const { had } = result as { had: number };
  // What is ready for the place of the ended threads is theirs who take it next: 128 at most.
  expect(had).toBeGreaterThanOrEqual(1000 - 128);
});

test("workers that are terminated at any moment lose no slot", async () => {
  const { result } = await program(`${WORKERS}
    const pool = SlabPool.open({ classes: [{ slotBytes: 64, slots: 4096 }], threads: 3 });
    // More out and back than a magazine holds: packets move all the time. What a worker has when it ends stands in its box.
    const task = (pool, box) => {
      const shelf = pool.shelf(64);
      const handles = new Float64Array(box);
      for (;;) {
        for (let i = 0; i < handles.length; i++) handles[i] = shelf.alloc();
        for (let i = 0; i < handles.length; i++) { shelf.free(handles[i]); handles[i] = 0; }
      }
    };
    const errors = [];
    for (let n = 0; n < 100; n++) {
      const boxes = [0, 1].map(() => new Float64Array(new SharedArrayBuffer(8 * 200)));
      const workers = boxes.map((box) => start(pool, String(task), box.buffer).on("error", (error) => errors.push(error.message)));
      while (errors.length === 0 && boxes.some((box) => box[0] === 0)) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      await Promise.all(workers.map((worker) => worker.terminate()));
      for (const handle of boxes.flatMap((box) => [...box])) {
        try { if (handle !== 0) pool.free(handle); } catch (error) { if (!/DoubleFree|Stale/.test(error.name)) errors.push(error.message); }
      }
    }
    let had = pool.stats().slotsInUse;
    for (const one of [pool, SlabPool.attach(pool.share()), SlabPool.attach(pool.share())]) {
      try { for (;; had++) one.alloc(64); } catch (error) { if (error.name !== "ExhaustedError") errors.push(error.message); }
    }
    console.log(JSON.stringify({ errors, had, inUse: pool.stats().slotsInUse }));
  `);
  expect(result).toEqual({ errors: [], had: 4096, inUse: 4096 });
});

test("a worker that is terminated with pages to be given back leaves no memory behind", async () => {
  const { result } = await program(`${WORKERS}
    // 32 MiB, freed and queued for release; the event loop waits for nothing until the end.
    const source = \`
      const { SlabPool } = await import(${JSON.stringify(SLAB)});
      const { parentPort } = await import("node:worker_threads");
      const pool = SlabPool.open({ classes: [{ slotBytes: 4096, slots: 8192 }], release: "deferred" });
      const handles = Array.from({ length: 8192 }, () => pool.alloc(4096));
      for (const handle of handles) pool.free(handle);
      const start = Date.now();
      const spin = () => {
        for (const from = Date.now(); Date.now() - from < 60; );
        if (Date.now() - start < 400) return void setImmediate(spin);
        parentPort.postMessage("queued");
        for (;;);
      };
      spin();\`;
    const before = process.memoryUsage.rss();
    for (let n = 0; n < 4; n++) {
      const worker = new Worker(source, { eval: true });
      await value(worker);
      await worker.terminate();
    }
    console.log(JSON.stringify((process.memoryUsage.rss() - before) / 2 ** 20));
  `);
  // One pool's at most, where none went back.
  expect(result).toBeLessThan(64);
});

test.each(["never", "immediate", "deferred"])(
  "pools that nobody refers to any more are closed (release %s)",
  async (release) => {
    const { result } = await program(
      `const open = () => SlabPool.open({ classes: [{ slotBytes: 4096, slots: 16 }], release: "${release}" });
    const collect = async () => { for (let n = 0; n < 3; n++) { gc(); await new Promise((resolve) => setTimeout(resolve, 120)); } };
    // 255 can be open at once.
    for (let n = 0; n < 400; n++) { open(); if (n % 100 === 99) await collect(); }
    const { readFileSync } = await import("node:fs");
    const mappings = () => process.platform === "linux" ? readFileSync("/proc/self/maps", "latin1").split("\\n").length : 0;
    const before = mappings();
    for (let n = 0; n < 400; n++) { const pool = open(); pool.free(pool.alloc(1)); pool.close(); }
    await collect();
    console.log(mappings() - before);`,
      ["--expose-gc"],
    );
    // Of each pool that were one at least.
    expect(result).toBeLessThan(200);
  },
);

test("more threads than the pool was opened for are refused", async () => {
  const { result } = await program(`
    const pool = SlabPool.open({ classes: [{ slotBytes: 64, slots: 10 }], threads: 2 });
    const second = SlabPool.attach(pool.share());
    let message = "";
    try { SlabPool.attach(pool.share()); } catch (error) { message = error.message; }
    second.close();
    const third = SlabPool.attach(pool.share());
    const share = pool.share();
    pool.close();
    third.close();
    let closed = "";
    try { SlabPool.attach(share); } catch (error) { closed = error.message; }
    console.log(JSON.stringify({ message, closed }));
  `);
  expect(result).toEqual({
    message: "2 threads have this slab pool open, as many as it was opened for.",
    closed: "No thread has this slab pool open any more.",
  });
});

test.each([1, 2])("ten million get and put make no garbage collection, in a pool for %i threads", async (threads) => {
  const { result, stdout } = await program(
    `const shelf = SlabPool.open({ classes: [{ slotBytes: 256, slots: 100_000 }], threads: ${threads} }).shelf(256);
    const round = (n) => { let sum = 0; for (let i = 0; i < n; i++) { const handle = shelf.alloc(); sum ^= shelf.offsetOf(handle); shelf.free(handle); } return sum; };
    for (let i = 0; i < 3; i++) round(3_000_000);
    gc(); gc();
    console.log("begin");
    const sum = round(10_000_000);
    console.log("end");
    console.log(JSON.stringify(Number.isInteger(sum)));`,
    ["--expose-gc", "--trace-gc"],
  );
  expect(result).toBe(true);
  const [, measured = ""] = /begin\n([\s\S]*)end\n/.exec(stdout) ?? [];
  expect(measured).toBe("");
});

test.each([
  [
    "missing",
    (_binary: string) => {},
    /^There is no slab pool for .* is missing\.$/,
    "gcspike doctor compiles it where there is a C++ compiler.",
  ],
  [
    "damaged",
    (binary: string) => writeFileSync(binary, "none"),
    /^The slab pool does not load here: .*$/,
    "Install gcspike again on this machine.",
  ],
])("a binary that is %s is an error, and nothing is used in its place", async (_, put, message, hint) => {
  const folder = temporaryFolder("gcspike-slab-");
  try {
    for (const name of ["dist", "prebuilds"]) mkdirSync(join(folder.path, name));
    copyFileSync(join(ROOT, "package.json"), join(folder.path, "package.json"));
    copyFileSync(join(ROOT, "dist", "slab.js"), join(folder.path, "dist", "slab.js"));
    put(join(folder.path, "prebuilds", `slab-pool-${process.platform}-${process.arch}.node`));
    const source = `import { SlabPool } from ${JSON.stringify(pathToFileURL(join(folder.path, "dist", "slab.js")).href)};
      let error;
      try { SlabPool.open({ classes: [{ slotBytes: 64, slots: 1 }] }); } catch (thrown) { error = thrown; }
      console.log(JSON.stringify({ name: error?.name, message: error?.message, hint: error?.hint }));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", source]);
    expect(JSON.parse(stdout)).toEqual({
      name: "SlabMemoryError",
      message: expect.stringMatching(message),
      hint,
    });
  } finally {
    folder.remove();
  }
});

describe.each(NODES)("on $version", ({ path }) => {
  test("a pool whose buffer was transferred says so", async () => {
    const source = `import { SlabPool } from ${JSON.stringify(SLAB)};
      const pool = SlabPool.open({ classes: [{ slotBytes: 64, slots: 10 }] });
      const handle = pool.alloc(1);
      // Node 20 has no transfer.
      const buffer = pool.bytes.buffer.transfer?.();
      if (buffer === undefined) console.log("usage 64");
      else try { pool.view(handle); } catch (error) { console.log(error.code, pool.bytes.length + 64); }
      pool.close();
      console.log(buffer === undefined || new Uint8Array(buffer)[0] === 0);`;
    const { stdout } = await run(path, ["--input-type=module", "-e", source]);
    expect(stdout).toBe("usage 64\ntrue\n");
  });

  test.each([
    ["that is closed", "pool.close();"],
    ["that is left open", ""],
    [
      "that nobody refers to any more",
      "pool = undefined; for (let i = 0; i < 3; i++) { gc(); await new Promise(setImmediate); }",
    ],
  ])("a program ends well with a large pool %s", async (_, end) => {
    const source = `import { SlabPool } from ${JSON.stringify(SLAB)};
      let pool = SlabPool.open({ classes: [{ slotBytes: 4096, slots: 50_000 }], release: "deferred" });
      for (let i = 0; i < 1000; i++) pool.free(pool.alloc(4000));
      globalThis.kept = Array.from({ length: 20 }, () => Buffer.alloc(2 ** 20));
      gc();
      ${end}
      console.log("done");`;
    const { stdout } = await run(path, ["--expose-gc", "--input-type=module", "-e", source]);
    expect(stdout).toBe("done\n");
  });
});
