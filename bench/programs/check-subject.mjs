// What bench/check.mjs records: the same work each time, with one thing worse by the name of its argument. Orders come as text, are
// parsed, and live until others take their places.
//
//   node check-subject.mjs none|pause|alloc|survive
const worse = process.argv[2] ?? "none";
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 4000);
const ORDERS = 1000;
/** Orders that live, as long as it takes to receive that many: what a scavenge copies. Half as many more in the variant `pause`. */
const LIVE = worse === "pause" ? 9200 : 6000;
const live = new Array(LIVE);
const more = new Array(LIVE);
let sum = 0;

function message(n) {
  return `{"id":${n},"customer":{"id":${n % 9973},"name":"customer ${n % 9973}"},"lines":[{"sku":${n % 31},"count":1,"price":12.5},{"sku":${n % 37},"count":2,"price":2.75}],"note":"leave at door ${n % 100}"}`;
}

function receive(n) {
  return JSON.parse(message(n));
}

function keep(order) {
  live[order.id % LIVE] = order;
}

/** Garbage, a good tenth of what `receive` makes. */
function wasteful(order) {
  const values = [];
  for (let i = 0; i < 4; i++) values.push({ id: order.id, i });
  return values;
}

/** Keeps as long as `keep` a copy of every 25th order; a copy is larger than what was parsed. */
function hoard(order) {
  more[order.id % LIVE] = structuredClone(order);
}

for (let round = 0; round < ROUNDS; round++) {
  for (let i = 0; i < ORDERS; i++) {
    const order = receive(round * ORDERS + i);
    keep(order);
    sum += order.lines.length;
    if (i % 3 === 0 && worse === "alloc") sum += wasteful(order).length - 4;
    if (i % 25 === 0 && worse === "survive") hoard(order);
  }
  await new Promise((resolve) => setImmediate(resolve));
}
if (sum !== ROUNDS * ORDERS * 2) throw new Error(`wrong sum ${sum}`);
