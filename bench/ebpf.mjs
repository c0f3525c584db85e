// Does `gcspike attach --ebpf` see what the probe inside the same process sees, does it name the function that allocates, and what does it
// cost the program?
//
//   node bench/ebpf.mjs [--seconds 20] [--pairs 5] [--this-node]      as root, with bpftrace
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { read } from "../dist/index.js";
import { findNodes } from "./lib/nodes.mjs";
import { median, quantile } from "./lib/statistics.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    pairs: { type: "string", default: "5" },
    "this-node": { type: "boolean", default: false },
  },
});
const SECONDS = Number(values.seconds);
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const gcspike = join(root, "bin", "gcspike.js");
const fixture = join(root, "fixtures", "agent", "traced.cjs");
const folder = mkdtempSync(join(tmpdir(), "gcspike-ebpf-"));
/** Each function of the fixture that allocates, and how. */
const MAKERS = {
  makeBuffer: "Buffer.alloc",
  makeTypedArray: "new Uint8Array",
  readWholeFile: "fs.readFileSync",
  unzip: "zlib.gunzipSync",
  makeHugeArray: "new Array(n).fill",
};
const WEAK_CALLBACKS = 4;
let recordings = 0;

function start(program, words) {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let wake = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      printed += text;
      wake();
    });
  }
  const ended = new Promise((resolve) => child.once("close", resolve));
  const waitFor = async (text) => {
    while (!printed.includes(text)) {
      if (child.exitCode !== null) throw new Error(`ended before it printed "${text}": ${printed}`);
      await Promise.race([new Promise((resolve) => (wake = resolve)), ended]);
    }
  };
  return { child, ended, waitFor };
}

/** Watches a process for a time: its recording, and how long it took until all was set (ms). */
async function watch(pid, seconds) {
  const path = join(folder, `${recordings++}.gcspike`);
  const from = performance.now();
  const watcher = start(process.execPath, [gcspike, "attach", String(pid), "--ebpf", "-o", path]);
  await watcher.waitFor("recording ");
  const attachMs = performance.now() - from;
  await sleep(seconds * 1000);
  watcher.child.kill("SIGINT");
  await watcher.ended;
  return { recording: await read(path), attachMs };
}

function main(recording) {
  return recording.isolates.find(({ kind }) => kind === "main");
}

function pausesOf(recording) {
  const { pauses, reasons } = main(recording);
  const origin = Number(recording.manifest.startNs) / 1e6;
  return Array.from({ length: pauses.count }, (_, i) => ({
    from: origin + pauses.startMs[i],
    to: origin + pauses.startMs[i] + pauses.durationMs[i],
    ms: pauses.durationMs[i],
    waitedMs: pauses.runQueueMs[i],
    probeMs: pauses.probeMs[i],
    kind: pauses.kind[i],
    reason: reasons[pauses.reason[i]] ?? "",
  }));
}

/** Milliseconds of marking steps in a time. */
function stepMs(recording, from, to) {
  const { phases } = main(recording);
  const origin = Number(recording.manifest.startNs) / 1e6;
  let [count, ms] = [0, 0];
  for (let i = 0; i < phases.count; i++) {
    const at = origin + phases.startMs[i];
    if (phases.names[phases.name[i]] !== "V8.GC_MC_INCREMENTAL" || at < from || at > to) continue;
    count++;
    ms += phases.durationMs[i];
  }
  return { count, ms };
}

/** The probe inside and --ebpf outside, on one process. */
async function crossCheck(node) {
  const path = join(folder, `${recordings++}.gcspike`);
  const recorder = start(process.execPath, [gcspike, "record", "-o", path, "--", node, "--expose-gc", fixture]);
  await recorder.waitFor("runs");
  const pid = Number(
    readFileSync(`/proc/${recorder.child.pid}/task/${recorder.child.pid}/children`, "utf8").split(" ")[0],
  );
  const { recording, attachMs } = await watch(pid, SECONDS);
  process.kill(pid, "SIGUSR2");
  await recorder.ended;
  const probed = await read(path);
  const seen = pausesOf(recording);
  const from = Number(recording.manifest.startNs) / 1e6 + 100;
  const to = from + (SECONDS - 0.5) * 1000;
  const inside = pausesOf(probed).filter((pause) => pause.from >= from && pause.from <= to);
  const matched = inside.flatMap((pause) => {
    const match = seen.find((one) => one.from < pause.to && pause.from < one.to);
    return match === undefined ? [] : [{ pause, match, error: Math.abs(match.ms - pause.ms) }];
  });
  const isWithin = ({ pause, error }) => error <= Math.max(0.1, pause.ms * 0.03);
  // Where the thread was taken off its processor between the two looks at one end, it waited longer for one than for the other, or the
  // probe took longer for its own work, which lies between them.
  const undisturbed = matched.filter(
    ({ pause, match }) => Math.abs(pause.waitedMs - match.waitedMs) < 0.05 && pause.probeMs < 0.1,
  );
  const withReason = matched.filter(({ match }) => match.reason !== "" || match.kind === WEAK_CALLBACKS);
  const sameReason = matched.filter(({ pause, match }) => pause.reason === "" || pause.reason === match.reason);
  const total = (list) => list.reduce((sum, ms) => sum + ms, 0);
  return {
    attachMs,
    pauses: inside.length,
    recall: matched.length / inside.length,
    within: matched.filter(isWithin).length / matched.length,
    undisturbed: undisturbed.length / matched.length,
    withinUndisturbed: undisturbed.filter(isWithin).length / undisturbed.length,
    errors: matched.map(({ error }) => error),
    totals: total(matched.map(({ match }) => match.ms)) / total(matched.map(({ pause }) => pause.ms)),
    withReason: withReason.length / matched.length,
    sameReason: sameReason.length / matched.length,
    steps: { seen: stepMs(recording, from, to), inside: stepMs(probed, from, to) },
  };
}

/** Shares of the bytes of each sort that are blamed on the function which allocates them. */
async function naming(node) {
  const target = start(node, ["--expose-gc", fixture]);
  await target.waitFor("runs");
  const { recording } = await watch(target.child.pid, Math.min(10, SECONDS));
  target.child.kill("SIGKILL");
  const { allocations } = main(recording);
  const sums = new Map();
  let [all, unknown] = [0, 0];
  for (const { samples } of allocations.windows) {
    for (const { stack, bytes } of samples) {
      const frames = allocations.stacks[stack].map((frame) => allocations.frames[frame]);
      const name = frames.find(({ origin }) => origin === "user")?.function ?? "";
      sums.set(name, (sums.get(name) ?? 0) + bytes);
      all += bytes;
      if (name === "") unknown += bytes;
    }
  }
  return { sums, all, unknown };
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;

function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** CPU time of the program in the same time, watched over alone. */
async function cost(node) {
  const ratios = [];
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    const target = start(node, ["--expose-gc", fixture]);
    await target.waitFor("runs");
    const { pid } = target.child;
    const measure = async () => {
      const [from, fromMs] = [cpuMs(pid), performance.now()];
      await sleep(5000);
      return (cpuMs(pid) - from) / (performance.now() - fromMs);
    };
    await sleep(1000);
    const alone = await measure();
    const path = join(folder, `${recordings++}.gcspike`);
    const watcher = start(process.execPath, [gcspike, "attach", String(pid), "--ebpf", "-o", path]);
    await watcher.waitFor("recording ");
    const watched = await measure();
    watcher.child.kill("SIGINT");
    await watcher.ended;
    target.child.kill("SIGKILL");
    ratios.push(watched / alone);
  }
  return ratios;
}

try {
  console.log(execFileSync("bpftrace", ["--version"], { encoding: "utf8" }).trim());
  const nodes = findNodes().filter(({ path }) => !values["this-node"] || path === process.execPath);
  for (const { version, path } of nodes) {
    console.log(`\nNode ${version}`);
    const checked = await crossCheck(path);
    const { steps } = checked;
    console.log(`  set after                  ${checked.attachMs.toFixed(0)} ms`);
    console.log(`  pauses by the probe        ${checked.pauses}, seen from outside ${percent(checked.recall)}`);
    console.log(
      `  durations differ by        ${(median(checked.errors) * 1000).toFixed(0)} us in the median, ${(quantile(checked.errors, 1) * 1000).toFixed(0)} us at most; totals ${checked.totals.toFixed(4)}`,
    );
    console.log(
      `  within 3 % or 100 us       ${percent(checked.within)}; ${percent(checked.withinUndisturbed)} of those ${percent(checked.undisturbed)} at whose ends the thread was not taken off its processor`,
    );
    console.log(
      `  with a reason              ${percent(checked.withReason)}; the probe's, where it has one: ${percent(checked.sameReason)}`,
    );
    console.log(
      `  marking steps              ${steps.seen.count} in ${steps.seen.ms.toFixed(1)} ms; by the probe ${steps.inside.count} in ${steps.inside.ms.toFixed(1)} ms`,
    );
    const { sums, all, unknown } = await naming(path);
    for (const [maker, how] of Object.entries(MAKERS)) {
      const bytes = sums.get(maker) ?? 0;
      console.log(`  ${how.padEnd(26)} ${bytes > 0 ? `${maker}, ${percent(bytes / all)} of all bytes` : "NOT NAMED"}`);
    }
    console.log(`  no function of the program ${percent(unknown / all)} of all bytes`);
    const ratios = await cost(path);
    console.log(
      `  CPU of the program         x ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}, ${ratios.length} pairs)`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
