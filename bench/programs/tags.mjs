// Prints, as JSON, the ns of processor time that each of these calls takes: in a loop of one name, of which a recording counts
// most; and in bursts of a few calls of each of many names, of which it writes every one.
import { AsyncLocalStorage } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import { tag } from "gcspike/tag";

const start = channel("http.server.request.start");
const finish = channel("http.server.response.finish");
/** Two letters each: words of a path. */
const NAMES = Array.from({ length: 50 }, (_, i) => `n${String.fromCharCode(97 + (i % 26), 107 + Math.floor(i / 26))}`);
let next = 0;
const empty = () => {};
const labelled = new AsyncLocalStorage();
const unlabelled = new AsyncLocalStorage();
/** In this order: a storage that is used makes promises slower on Node 20 and 22. */
const CALLS = {
  empty,
  tag: (name) => tag(name),
  mark: (name) => performance.mark(name),
  // What node:http publishes for a request, without the request.
  request: (name) => {
    const exchange = { request: { method: "GET", url: `/${name}/${next++}/orders?page=2` }, response: {} };
    if (start.hasSubscribers) start.publish(exchange);
    if (finish.hasSubscribers) finish.publish(exchange);
  },
  // Contexts with a label, and without one.
  labelled: (name) => labelled.run({ requestId: next++, route: name }, empty),
  unlabelled: () => unlabelled.run({ requestId: next++ }, empty),
};
const LOOPS = 15;
const CALLS_A_LOOP = 20_000;
const BURSTS = 15;
/** As many as are written of each name in a window of 100 ms (src/agent/tag-log.ts). */
const CALLS_A_NAME = 4;
const APART_MS = 110;

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** A function of its own for each call: V8 compiles it for that one. */
function repeat(call) {
  const code = "for (let i = 0; i < times; i++) for (let k = 0; k < names.length; k++) call(names[k]);";
  return new Function("call", "names", "times", code).bind(null, call);
}

function nsOfEach(run, names, times) {
  const from = process.cpuUsage();
  run(names, times);
  const { user, system } = process.cpuUsage(from);
  const ns = ((user + system) * 1000) / (names.length * times);
  performance.clearMarks();
  return ns;
}

const result = {};
for (const [name, call] of Object.entries(CALLS)) {
  const run = repeat(call);
  const loops = Array.from({ length: LOOPS }, () => nsOfEach(run, ["checkout"], CALLS_A_LOOP));
  const bursts = Array.from({ length: BURSTS }, () => {
    const until = performance.now() + APART_MS;
    while (performance.now() < until);
    return nsOfEach(run, NAMES, CALLS_A_NAME);
  });
  result[name] = { loop: median(loops.slice(5)), burst: median(bursts.slice(5)) };
}
console.log(JSON.stringify(result));
