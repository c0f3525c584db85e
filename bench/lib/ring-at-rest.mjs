// What does a flight recorder cost while nothing fires? One process, in turn without it and with it, so that it is compared with itself.
import { spawn } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The first seconds of an attach load and start things: they are no rest. */
const SETTLE_MS = 3000;

/** Processor time of all threads of a process, ms. */
function cpuMs(pid) {
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // It ended meanwhile.
    }
  }
  return ns / 1e6;
}

function rssBytes(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;
}

/** What a folder takes of the disk. */
function diskBytes(folder) {
  return readdirSync(folder).reduce((sum, name) => sum + lstatSync(join(folder, name)).blocks * 512, 0);
}

/** Requests at a constant rate; returns what ends them. */
function request(port, everyMs) {
  if (everyMs === 0) return () => {};
  const timer = setInterval(() => void fetch(`http://127.0.0.1:${port}/`).then((response) => response.text()), everyMs);
  return () => clearInterval(timer);
}

/** Share of one processor that a process takes, and its resident memory at the end. */
async function observe(pids, ms) {
  const before = pids.map(cpuMs);
  const startMs = performance.now();
  await sleep(ms);
  const tookMs = performance.now() - startMs;
  return pids.map((pid, i) => ({ cpuShare: (cpuMs(pid) - before[i]) / tookMs, rssBytes: rssBytes(pid) }));
}

/** The program with gcspike attached; null where it is not. */
async function armed({ pid }, gcspike, path, ms) {
  const words = [gcspike, "attach", String(pid), "--trigger", "death", "--keep", "10s", "-o", path];
  const recorder = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => recorder.once("exit", resolve));
  let said = "";
  recorder.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  while (!said.includes("armed for")) {
    if (recorder.exitCode !== null) throw new Error(`gcspike did not attach: ${said}`);
    await sleep(50);
  }
  await sleep(SETTLE_MS);
  const [target, own] = await observe([pid, recorder.pid], ms);
  const disk = diskBytes(join(path, "ring"));
  recorder.kill("SIGINT");
  await ended;
  return { target, own, disk };
}

/**
 * Rounds of `ms` without and with a flight recorder, at one request every `everyMs` (0: none). For each round by how much the program took
 * more of a processor and of memory, and what gcspike itself took.
 */
export async function ringAtRest(server, { gcspike, folder, rounds, ms, everyMs }) {
  const stop = request(server.port, everyMs);
  const found = [];
  // The first time, the probe is loaded into the program, and the program warms up.
  for (let round = 0; round <= rounds; round++) {
    const path = join(folder, `${server.pid}-${everyMs}-${round}.flight`);
    const sides = {};
    for (const side of round % 2 === 0 ? ["bare", "ring"] : ["ring", "bare"]) {
      if (side === "ring") sides.ring = await armed(server, gcspike, path, ms);
      else {
        await sleep(SETTLE_MS);
        [sides.bare] = await observe([server.pid], ms);
      }
    }
    if (round === 0) continue;
    const { bare, ring } = sides;
    found.push({
      bareShare: bare.cpuShare,
      moreCpu: ring.target.cpuShare - bare.cpuShare,
      moreBytes: ring.target.rssBytes - bare.rssBytes,
      ownCpu: ring.own.cpuShare,
      ownBytes: ring.own.rssBytes,
      disk: ring.disk,
    });
  }
  stop();
  return found;
}
