// Fixed work with many collections: a parser's short-lived objects, and a window of kept ones that scavenges copy. BENCH_WORK
// scales it; 1 is about two seconds.
const turns = Math.round(1_200_000 * Number(process.env.BENCH_WORK ?? 1));
const kept = new Array(30_000);
let sum = 0;

function keepRecord(n) {
  return { n, name: `record ${n}`, parts: [n, n + 1, n + 2], nested: { left: [n], right: { n } } };
}

function parseMessage(n) {
  return JSON.parse(`{"id":${n},"lines":[{"sku":1,"count":2},{"sku":3,"count":4}]}`).lines.length;
}

for (let n = 0; n < turns; n++) {
  const record = keepRecord(n);
  if (n % 3 !== 0) kept[(n * 7919) % kept.length] = record;
  sum += parseMessage(n);
  // Real programs return to the event loop.
  if (n % 500 === 0) {
    globalThis.unitsDone = n;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
if (sum !== turns * 2) throw new Error(`wrong sum ${sum}`);
