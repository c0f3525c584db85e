// Load for json-server.cjs, the same requests in every run: node shop-client.mjs PORT sorted|unsorted. Prints one line of JSON.
import { Agent, request } from "node:http";

const [port, order] = process.argv.slice(2);
const REQUESTS = 1500;
const CONNECTIONS = 4;
const BY_DATE = order === "sorted" ? "_sort=placedAt&_order=desc&" : "";

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const latencies = [];

/** What a back office asks for: pages of the list, single orders, those of a customer, a search, all of them; and new orders. */
function nth(i) {
  switch (i % 10) {
    case 0:
      return {
        method: "POST",
        path: "/orders",
        body: { customerId: 1 + (i % 500), status: "open", lines: [{ sku: "sku-1", amount: 1, price: 9.9 }] },
      };
    case 1:
    case 2:
    case 3:
      return { path: `/orders/${1 + ((i * 13) % 8000)}` };
    case 4:
    case 5:
      return { path: `/customers/${1 + (i % 500)}/orders` };
    case 6:
      return { path: i % 20 === 6 ? "/orders" : `/orders?q=number%20${i % 200}` };
    default:
      return { path: `/orders?${BY_DATE}_page=${1 + (i % 50)}&_limit=20` };
  }
}

function send({ method = "GET", path, body }) {
  const start = performance.now();
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: "127.0.0.1", port, method, path, headers }, (response) => {
      response.resume();
      response.on("end", () => {
        latencies.push(performance.now() - start);
        resolve();
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

let sent = 0;
async function connection() {
  while (sent < REQUESTS) await send(nth(sent++));
}

const start = performance.now();
await Promise.all(Array.from({ length: CONNECTIONS }, connection));
const seconds = (performance.now() - start) / 1000;
agent.destroy();
latencies.sort((a, b) => a - b);
const quantile = (q) => latencies[Math.max(0, Math.ceil(q * latencies.length) - 1)];
console.log(
  JSON.stringify({
    requests: latencies.length,
    seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
  }),
);
