// The highest rate that each mode of the transaction pool holds without falling behind and without refusing what arrives (light
// mode), found by halving the interval between a rate that it holds and one that it does not.
//
//   node bench/throughput.mjs [--modes naive,pooled,mmap] [--duration 30s] [--from 5000] [--to 80000] [--within 0.1]
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const GCSPIKE = join(dirname(fileURLToPath(import.meta.url)), "..", "bin", "gcspike.js");
const { values } = parseArgs({
  options: {
    modes: { type: "string", default: "naive,pooled,mmap" },
    duration: { type: "string", default: "30s" },
    from: { type: "string", default: "5000" },
    to: { type: "string", default: "80000" },
    within: { type: "string", default: "0.1" },
  },
});

/** A smaller share of the time in light mode is a moment, not a state, %. */
const MOST_LIGHT = 1;

/** Does the mode hold this rate? The pool has room for all that arrives; the rest of the flags are the defaults. */
function holds(mode, tps) {
  const words = [
    "simulate",
    "txpool",
    "--mode",
    mode,
    "--tps",
    String(tps),
    "--duration",
    values.duration,
    "--resident",
    values.duration,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, [GCSPIKE, ...words], { encoding: "utf8" });
  if (status !== 0 && status !== 1) throw new Error(stderr);
  const latency = /P99\.9 (\S+ \S+)/.exec(stdout)?.[1] ?? "?";
  const light = /in light mode for [^(]*\(([^)]*) %\)/.exec(stdout)?.[1] ?? "0";
  const holdsIt = status === 0 && Number(light) <= MOST_LIGHT;
  console.error(
    `  ${mode} ${tps}: ${holdsIt ? "held" : status === 0 ? "held in light mode" : "not held"}, P99.9 ${latency}, light ${light} % of the time`,
  );
  return holdsIt;
}

function highest(mode) {
  let low = Number(values.from);
  let high = Number(values.to);
  if (!holds(mode, low)) return `less than ${low}`;
  if (holds(mode, high)) return `${high} or more`;
  while (high / low > 1 + Number(values.within)) {
    const middle = Math.round(Math.sqrt(low * high) / 100) * 100;
    if (holds(mode, middle)) low = middle;
    else high = middle;
  }
  return String(low);
}

for (const mode of values.modes.split(",")) {
  console.log(`${mode.padEnd(8)}${highest(mode)} transactions a second, held for ${values.duration}`);
}
