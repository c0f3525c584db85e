// Prints, as JSON, the ns that each of these calls takes: in a loop, and one by one with pauses between them, cold.
import { channel } from "node:diagnostics_channel";
import { setTimeout as sleep } from "node:timers/promises";
import { tag } from "gcspike/tag";

const start = channel("http.server.request.start");
const finish = channel("http.server.response.finish");
let n = 0;
const CALLS = {
  empty: () => {},
  tag: () => tag("checkout"),
  mark: () => performance.mark("checkout"),
  // What node:http publishes for a request, without the request.
  request: () => {
    const exchange = { request: { method: "GET", url: `/users/${n++}/orders?page=2` }, response: {} };
    if (start.hasSubscribers) start.publish(exchange);
    if (finish.hasSubscribers) finish.publish(exchange);
  },
};
const LOOPS = 15;
const CALLS_A_LOOP = 20_000;
const COLD_CALLS = 40;

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function inLoop(call) {
  const ns = Array.from({ length: LOOPS }, () => {
    const from = process.hrtime.bigint();
    for (let i = 0; i < CALLS_A_LOOP; i++) call();
    const each = Number(process.hrtime.bigint() - from) / CALLS_A_LOOP;
    performance.clearMarks();
    return each;
  });
  return median(ns.slice(5));
}

/** Few enough that each is written. */
async function alone(call) {
  const ns = [];
  for (let i = 0; i < COLD_CALLS; i++) {
    await sleep(30);
    const from = process.hrtime.bigint();
    call();
    ns.push(Number(process.hrtime.bigint() - from));
  }
  return median(ns);
}

const result = {};
for (const [name, call] of Object.entries(CALLS)) result[name] = { loop: inLoop(call), alone: await alone(call) };
console.log(JSON.stringify(result));
