// How long does `gcspike attach` take to its first pause, how long is the inspector reachable, does a program serve on when gcspike is
// killed at random moments, and what does a flight recorder cost while nothing fires?
//
//   node bench/attach.mjs [--attaches 20] [--kills 200] [--rests 10] [--rest-seconds 15] [--this-node]
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findNodes } from "./lib/nodes.mjs";
import { ringAtRest } from "./lib/ring-at-rest.mjs";
import { median, medianInterval } from "./lib/statistics.mjs";

const { values } = parseArgs({
  options: {
    attaches: { type: "string", default: "20" },
    kills: { type: "string", default: "200" },
    rests: { type: "string", default: "10" },
    "rest-seconds": { type: "string", default: "15" },
    "this-node": { type: "boolean", default: false },
  },
});
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const gcspike = join(root, "bin", "gcspike.js");
const folder = mkdtempSync(join(tmpdir(), "gcspike-attach-"));
const LOOPBACK = "0100007F";
/** Where the first record's start stands in a .gc log. */
const HEADER_BYTES_AT = 20;
const COMMITTED_AT = 24;
const START_AT = 16;

/** A server that collects all the time, and its port. */
async function startServer(node) {
  const words = ["--inspect-port=0", "--max-semi-space-size=1", join(root, "fixtures", "agent", "attached.cjs")];
  const child = spawn(node, words, { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, pid: child.pid, port: Number(line.split(" ")[1]) };
  }
  throw new Error("the server did not start");
}

/** Requests one after the other until `stop`, which returns how many there were and how many failed. */
function load(port) {
  const counts = { requests: 0, failed: 0 };
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      counts.requests++;
      await fetch(`http://127.0.0.1:${port}/`)
        .then((response) => response.text())
        .catch(() => counts.failed++);
    }
  })();
  return async () => {
    stopped = true;
    await done;
    return counts;
  };
}

/** "ADDRESS:PORT" of the process's listening sockets. */
function listening(pid) {
  const sockets = new Set();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      sockets.add(/\d+/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[0]);
    } catch {
      // Closed meanwhile.
    }
  }
  return readFileSync(`/proc/${pid}/net/tcp`, "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === "0A" && sockets.has(inode))
    .map(([, local]) => local);
}

/** Start of the first recorded pause of the main thread, ns; null before there is one. */
function firstPause(path, pid) {
  const file = join(path, `${pid}-0.gc`);
  if (!existsSync(file)) return null;
  const log = readFileSync(file);
  if (log.length < 4096 || log.readBigUInt64LE(COMMITTED_AT) === 0n) return null;
  return log.readBigUInt64LE(log.readUInt32LE(HEADER_BYTES_AT) + START_AT);
}

/** One attach: ms to the first pause, ms that the inspector was reachable. */
async function attachOnce({ pid }, number) {
  const path = join(folder, `${pid}-${number}.gcspike`);
  const known = new Set(listening(pid));
  const startNs = process.hrtime.bigint();
  const child = spawn(process.execPath, [gcspike, "attach", String(pid), "-o", path], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let openedMs = null;
  let closedMs = null;
  let first = null;
  const patienceMs = performance.now() + 20_000;
  while ((first === null || closedMs === null) && performance.now() < patienceMs) {
    const fresh = listening(pid).filter((local) => !known.has(local));
    for (const local of fresh) if (!local.startsWith(LOOPBACK)) throw new Error(`it listened on ${local}`);
    if (fresh.length > 0) openedMs ??= performance.now();
    else if (openedMs !== null) closedMs ??= performance.now();
    first ??= firstPause(path, pid);
    await sleep(1);
  }
  child.kill("SIGINT");
  await ended;
  if (first === null || closedMs === null) throw new Error("nothing was recorded, or the inspector is still open");
  return { firstMs: Number(first - startNs) / 1e6, openMs: closedMs - openedMs };
}

/** The program may write for some ticks of the probe. */
function remove(path) {
  rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

async function killOnce({ pid }, number) {
  const path = join(folder, `${pid}-killed-${number}.gcspike`);
  const child = spawn(process.execPath, [gcspike, "attach", String(pid), "-o", path], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await sleep(Math.random() * 1000);
  child.kill("SIGKILL");
  await ended;
  remove(path);
}

/** One attach, as often as asked for. */
async function measureAttaches(server, version) {
  const attaches = [];
  for (let i = 0; i < Number(values.attaches); i++) attaches.push(await attachOnce(server, i));
  if (attaches.length === 0) return;
  const firsts = attaches.map(({ firstMs }) => firstMs);
  const opens = attaches.map(({ openMs }) => openMs);
  console.log(
    `Node ${version}: first pause ${median(firsts).toFixed(0)} ms after the command began (at most ${Math.max(...firsts).toFixed(0)}), ` +
      `inspector reachable for ${median(opens).toFixed(0)} ms (at most ${Math.max(...opens).toFixed(0)}), ${attaches.length} attaches`,
  );
}

/** "0.12 [0.02, 0.31]": the median and its 95 % interval. */
function spread(numbers, digits) {
  const { median: middle, low, high } = medianInterval(numbers);
  return `${middle.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
}

/** What the ring costs where the program idles, and where it answers ten requests a second. */
async function measureRing(server, version) {
  const rounds = Number(values.rests);
  if (rounds === 0) return;
  for (const everyMs of [0, 100]) {
    const ms = Number(values["rest-seconds"]) * 1000;
    const found = await ringAtRest(server, { gcspike, folder, rounds, ms, everyMs });
    const all = (key, factor) => found.map((round) => round[key] * factor);
    console.log(
      `Node ${version}: flight recorder at rest, the program takes ${spread(all("bareShare", 100), 2)} % of a processor without it: ` +
        `with it ${spread(all("moreCpu", 100), 2)} % more, ${spread(all("moreBytes", 1e-6), 1)} MB more memory, ` +
        `${spread(all("disk", 1e-6), 1)} MB of disk; gcspike itself ${spread(all("ownCpu", 100), 2)} %, ` +
        `${spread(all("ownBytes", 1e-6), 0)} MB; ${rounds} rounds of ${values["rest-seconds"]} s`,
    );
  }
}

const nodes = values["this-node"] ? [{ version: process.versions.node, path: process.execPath }] : findNodes();
try {
  for (const { version, path } of nodes) {
    const server = await startServer(path);
    process.once("exit", () => server.child.kill("SIGKILL"));
    await measureRing(server, version);
    const stopLoad = load(server.port);
    await measureAttaches(server, version);
    const before = listening(server.pid);
    for (let i = 0; i < Number(values.kills); i++) await killOnce(server, i);
    await sleep(1000);
    const { requests, failed } = await stopLoad();
    const left = listening(server.pid).filter((local) => !before.includes(local));
    const again = load(server.port);
    await attachOnce(server, "after");
    await again();
    console.log(
      `Node ${version}: gcspike killed ${values.kills} times: ${failed} of ${requests} requests failed, ${left.length} ports left open, the next attach worked`,
    );
    server.child.kill("SIGKILL");
  }
} finally {
  remove(folder);
}
