// What bench/check.mjs records: the same work each time, with one thing worse by the name of its argument.
//
//   node check-subject.mjs none|pause|alloc|survive
const worse = process.argv[2] ?? "none";
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 720);
const ORDERS = 2500;
/** Orders that live; of the variant `pause`, scavenges and full collections have a quarter more to copy and to mark. */
const LIVE = worse === "pause" ? 50_000 : 40_000;
const live = new Array(LIVE);
const more = new Array(4000);
let sum = 0;

function order(n) {
  return {
    n,
    lines: [
      { sku: n, count: 1 },
      { sku: n + 1, count: 2 },
      { sku: n + 2, count: 3 },
    ],
    note: [n, n, n],
  };
}

function keep(one) {
  live[(one.n * 7919) % LIVE] = one;
}

/** Garbage, a tenth of what `order` makes. */
function wasteful(n) {
  const values = [];
  for (let i = 0; i < 10; i++) values.push({ value: n + i });
  return values;
}

/** Keeps for some time, a tenth of what `keep` keeps. */
function hoard(n) {
  more[n % more.length] = {
    n,
    lines: [
      { sku: n, count: 1 },
      { sku: n, count: 2 },
      { sku: n, count: 3 },
    ],
    note: [n, n, n],
  };
}

for (let round = 0; round < ROUNDS; round++) {
  for (let i = 0; i < ORDERS; i++) {
    const one = order(round * ORDERS + i);
    keep(one);
    sum += one.lines.length;
    if (i % 10 === 0 && worse === "alloc") sum += wasteful(i).length - 10;
    if (i % 10 === 0 && worse === "survive") hoard(round * ORDERS + i);
  }
  await new Promise((resolve) => setImmediate(resolve));
}
if (sum !== ROUNDS * ORDERS * 3) throw new Error(`wrong sum ${sum}`);
