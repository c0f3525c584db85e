// How long a recording takes to become JSON, and how much memory: 10 minutes with 250,000, 500,000 and 1,000,000 pauses,
// their phases and stacks, and 600 allocation windows of 500 samples. Prints what docs/benchmarks.md quotes.
//
//     npm run build && node bench/read.mjs [pauses ...]
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const MINUTES = 10;
const WINDOW_SAMPLES = 500;
/** Node 24's, with those that a program without shared memory fills. */
const SPACES = Object.entries({
  read_only_space: 0,
  new_space: 8e6,
  old_space: 60e6,
  code_space: 2e6,
  shared_space: 0,
  trusted_space: 4e6,
  shared_trusted_space: 0,
  new_large_object_space: 1e6,
  large_object_space: 5e6,
  code_large_object_space: 0,
  shared_large_object_space: 0,
  shared_trusted_large_object_space: 0,
  trusted_large_object_space: 0,
}).map(([name, used]) => ({ name, used }));
const SPACE_NAMES = SPACES.map(({ name }) => name);
const PHASE_NAMES = ["MinorGC", "V8.GC_SCAVENGER", "V8.GC_SCAVENGER_SCAVENGE_ROOTS", "allocation failure"];
const PID = 4_200_000;
const START_NS = 1_000_000_000_000_000n;

/** The sources are TypeScript, which Node 20 does not run: bundled into `folder`, then imported. */
async function bundle(name, folder) {
  const build = await rolldown({
    input: join(root, "src/recording", `${name}.ts`),
    platform: "node",
    external: [/^node:/],
    logLevel: "warn",
  });
  const file = join(folder, `${name}.mjs`);
  await build.write({ file, format: "esm" });
  await build.close();
  return file;
}

function header(kind, recordBytes, fields = {}) {
  return { kind, recordBytes, pid: PID, threadId: 0, startNs: START_NS, ...fields };
}

/** Appends `count` records that `fill` makes, 4,096 at a time. */
function writeRecords(fd, count, fill) {
  const batch = [];
  for (let i = 0; i < count; i++) {
    batch.push(fill(i));
    if (batch.length === 4096 || i === count - 1) writeSync(fd, Buffer.concat(batch.splice(0)));
  }
}

/** Pauses of 0.2 ms in equal distances, with the stack of one of 200 functions and its callers. */
function writePauses(folder, count, { encodeGcLogHeader, encodeGcRecord, gcRecordBytes }) {
  const fd = openSync(join(folder, `${PID}-0.gc`), "w");
  writeSync(fd, encodeGcLogHeader({ pid: PID, threadId: 0, startNs: START_NS, spaces: SPACE_NAMES }));
  const spacingNs = BigInt(Math.floor((MINUTES * 60e9) / count));
  writeRecords(fd, count, (i) => {
    const record = Buffer.allocUnsafe(gcRecordBytes(SPACES.length));
    const startNs = START_NS + BigInt(i) * spacingNs;
    encodeGcRecord(record, {
      kind: i % 50 === 0 ? 4 : 1,
      startNs,
      endNs: startNs + 200_000n,
      cpuNs: 150_000n,
      runQueueNs: 1_000n,
      scheduling: { minorFaults: 3, majorFaults: 0, voluntarySwitches: 1, involuntarySwitches: i % 7 },
      heap: {
        usedBefore: 90e6 + (i % 100) * 1e5,
        usedAfter: 80e6,
        committedBefore: 120e6,
        committedAfter: 120e6,
        externalBefore: 5e6,
        externalAfter: 4e6,
        mallocedBefore: 1e6,
        mallocedAfter: 1e6,
        heapLimit: 2e9,
      },
      arrayBufferBytes: 3e6,
      probeNs: 14_000,
      stack: Array.from({ length: 12 }, (_, frame) => BigInt(1 + ((i + frame * 3) % 200))),
      spaces: SPACES.map(({ used }) => ({
        usedBefore: used,
        usedAfter: used,
        committedBefore: used,
        committedAfter: used,
      })),
    });
    return record;
  });
  closeSync(fd);
}

function writePhases(folder, count, { encodeLogHeader }, { encodePhaseRecord }) {
  const fd = openSync(join(folder, `${PID}-0.phases`), "w");
  writeSync(fd, encodeLogHeader(header(3, 32, { headerBytes: 16_384, strings: PHASE_NAMES })));
  const spacingNs = BigInt(Math.floor((MINUTES * 60e9) / count));
  writeRecords(fd, count * 3, (i) => {
    // Inner spans end, and are written, first.
    const depth = 2 - (i % 3);
    const startNs = START_NS + BigInt(Math.floor(i / 3)) * spacingNs + BigInt(depth * 1000);
    const durationNs = 190_000n - BigInt(depth * 2000);
    return encodePhaseRecord({
      startNs,
      durationNs,
      name: depth,
      reason: depth === 0 ? 3 : null,
      depth,
      usedAfter: 0n,
    });
  });
  closeSync(fd);
}

function writeFunctions(folder, { encodeLog, encodeFunctionRecord }) {
  const records = Array.from({ length: 200 }, (_, i) =>
    encodeFunctionRecord({ name: `function${i}`, script: `/app/src/module-${i % 20}.js`, position: i * 10 }),
  );
  writeFileSync(join(folder, `${PID}-0.functions`), encodeLog(header(4, 0), records));
}

/** 600 windows: 1,500 nodes in 1,000 functions, 12 deep, of which 500 allocated. */
function writeAllocations(folder, { encodeLog, encodeAllocString, encodeAllocWindow }) {
  const names = Array.from({ length: 1000 }, (_, i) => `function${i}`);
  const scripts = Array.from({ length: 100 }, (_, i) => `/app/src/module-${i}.js`);
  const windows = Array.from({ length: MINUTES * 60 }, (_, window) =>
    encodeAllocWindow({
      startNs: START_NS + BigInt(window) * 1_000_000_000n,
      endNs: START_NS + BigInt(window + 1) * 1_000_000_000n,
      intervalBytes: 524_288n,
      truncated: false,
      nodes: Array.from({ length: 1500 }, (_, node) => {
        const name = (node * 7 + window) % names.length;
        const parent = node < 125 ? null : node - 125;
        return { parent, function: name, script: names.length + (name % 100), line: name + 1, column: 5 };
      }),
      entries: Array.from({ length: WINDOW_SAMPLES }, (_, entry) => ({
        node: entry * 3,
        count: 1 + (entry % 40),
        objectBytes: 64 + (entry % 9) * 8,
      })),
    }),
  );
  const records = [...[...names, ...scripts].map(encodeAllocString), ...windows];
  writeFileSync(join(folder, `${PID}-0.alloc`), encodeLog(header(5, 0), records));
}

function writeSamples(folder, { encodeLog, encodeHeapRecord, encodeLoopRecord, encodeProcessRecord, heapRecordBytes }) {
  const times = Array.from({ length: MINUTES * 600 }, (_, i) => START_NS + BigInt(i) * 100_000_000n);
  const spaces = SPACES.map(({ used }) => ({ used, committed: used }));
  const sizes = { used: 80n, committed: 120n, limit: 2000n, external: 5n, malloced: 1n, arrayBuffers: 3n };
  const heap = times.map((timeNs) => encodeHeapRecord({ timeNs, ...sizes, spaces }));
  const loop = times.map((timeNs, i) =>
    encodeLoopRecord({
      timeNs,
      idleNs: BigInt(i) * 40_000_000n,
      maxBusyNs: 9_000_000n,
      cpuNs: BigInt(i) * 60_000_000n,
    }),
  );
  const counters = { rss: 2n ** 28n, minorFaults: 0n, majorFaults: 0n, involuntarySwitches: 0n };
  const system = times.map((timeNs, i) => encodeProcessRecord({ timeNs, cpuNs: BigInt(i) * 70_000_000n, ...counters }));
  const heapBytes = heapRecordBytes(SPACES.length);
  writeFileSync(join(folder, `${PID}-0.heap`), encodeLog(header(2, heapBytes, { strings: SPACE_NAMES }), heap));
  writeFileSync(join(folder, `${PID}-0.loop`), encodeLog(header(7, 32), loop));
  writeFileSync(join(folder, `${PID}.process`), encodeLog(header(6, 48), system));
}

function writeDescriptions(folder, { writeManifest }) {
  const descriptor = {
    schema: "gcspike.isolate/1",
    id: `${PID}-0`,
    pid: PID,
    parentPid: PID - 1,
    threadId: 0,
    name: "main",
    kind: "process",
    script: "synthetic.js",
    node: process.version,
    v8: process.versions.v8,
    startNs: String(START_NS),
    heapLimitBytes: 2e9,
    semiSpaceBytes: 16 * 1024 ** 2,
    collectors: ["probe", "phases", "heap", "allocations"],
    warnings: [],
  };
  writeFileSync(join(folder, `${PID}-0.json`), JSON.stringify(descriptor));
  writeManifest(folder, {
    schema: "gcspike.recording/1",
    formatVersion: 1,
    gcspike: "0.1.0",
    state: "finished",
    command: ["node", "synthetic.js"],
    startedAt: "2026-11-22T09:14:00.000Z",
    startNs: String(START_NS),
    endNs: String(START_NS + BigInt(MINUTES * 60) * 1_000_000_000n),
    exit: { code: 0, signal: null },
    pid: PID,
    recorderPid: 1,
    machine: { platform: "linux", arch: "x64", cpus: 2, cpuModel: "", memoryBytes: 8e9, kernel: "" },
    options: { collector: "probe", phases: true, allocations: true, spikeMs: 10, redacted: false },
    files: [],
    warnings: [],
  });
}

/** Runs Node with `args`, its output thrown away; processor time beside wall time, for a machine that is busy. */
function measure(args) {
  const onExit = `process.on("exit", () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    process.stderr.write(JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1e6, mib: maxRSS / 1024 }));
  })`;
  const started = process.hrtime.bigint();
  const child = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(onExit)}`, ...args],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const stderr = child.stderr.toString();
  const usage = /\{"cpu".*\}/.exec(stderr)?.[0];
  if (child.status !== 0 || usage === undefined) throw new Error(`node ${args.join(" ")} failed:\n${stderr}`);
  return { seconds, ...JSON.parse(usage) };
}

function row(label, pauses, { seconds, cpu, mib }, first) {
  const columns = [
    label.padEnd(12),
    `${pauses.toLocaleString("en-US").padStart(9)} pauses`,
    `${seconds.toFixed(2).padStart(6)} s wall`,
    `${cpu.toFixed(2).padStart(6)} s CPU`,
    `${mib.toFixed(0).padStart(5)} MiB`,
    first === undefined ? "" : `x${(cpu / first.cpu).toFixed(2)} CPU`,
  ];
  console.log(columns.join("  "));
}

const sizes = process.argv.slice(2).map(Number);
const work = mkdtempSync(join(tmpdir(), "gcspike-bench-"));
try {
  const load = async (name) => import(pathToFileURL(await bundle(name, work)).href);
  const [gc, logs, manifest, convert] = [
    await load("gc-log-writer"),
    await load("log-writer"),
    await load("manifest"),
    await load("convert-allocations"),
  ];
  const reader = await bundle("read-recording", work);
  const readOnly = `import(${JSON.stringify(pathToFileURL(reader).href)}).then((m) => m.readRecording(process.argv[1]))`;
  const first = {};
  for (const pauses of sizes.length > 0 ? sizes : [250_000, 500_000, 1_000_000]) {
    const folder = mkdtempSync(join(work, "recording-"));
    writeDescriptions(folder, manifest);
    writePauses(folder, pauses, gc);
    writePhases(folder, pauses, gc, logs);
    writeFunctions(folder, logs);
    writeSamples(folder, logs);
    writeAllocations(folder, logs);
    const started = process.hrtime.bigint();
    await convert.convertAllocations(folder, `${PID}-0`);
    const convertedMs = Number(process.hrtime.bigint() - started) / 1e6;
    const read = measure(["-e", readOnly, folder]);
    row("read", pauses, read, first.read);
    const report = measure([join(root, "bin/gcspike.js"), "report", folder, "--format", "json"]);
    row("report json", pauses, report, first.report);
    console.log(`  converting the allocation windows took ${convertedMs.toFixed(0)} ms`);
    first.read ??= read;
    first.report ??= report;
    rmSync(folder, { recursive: true });
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
