// Preloaded into what bench/steady.mjs measures (--require): how much CPU a unit of work takes, a tenth of a second at a time, as lines
// of JSON in $BENCH_RESULT. A unit is a request, or what the program counts in globalThis.unitsDone. At SIGUSR2 it loads gcspike/agent, as
// often as it is told.
const { openSync, writeSync } = require("node:fs");
const { Server } = require("node:http");
const { join } = require("node:path");

const BLOCK_MS = 100;

let requests = 0;
const { emit } = Server.prototype;
Server.prototype.emit = function (event, ...words) {
  if (event === "request") requests++;
  return Reflect.apply(emit, this, [event, ...words]);
};

function read() {
  const { user, system } = process.cpuUsage();
  return { timeMs: Date.now(), units: globalThis.unitsDone ?? requests, cpuUs: user + system };
}

const file = openSync(process.env.BENCH_RESULT, "w");
let before = read();
setInterval(() => {
  const now = read();
  const units = now.units - before.units;
  const block = { fromMs: before.timeMs, toMs: now.timeMs, cpuUs: (now.cpuUs - before.cpuUs) / units };
  if (units > 0) writeSync(file, `${JSON.stringify(block)}\n`);
  before = now;
}, BLOCK_MS).unref();

const agent = join(__dirname, "..", "..", "dist", "agent", "always-on.cjs");
process.on("SIGUSR2", () => {
  delete require.cache[agent];
  require(agent);
});
