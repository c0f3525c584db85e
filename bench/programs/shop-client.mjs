// Load for json-server.cjs, the same requests in every run: node shop-client.mjs PORT sorted|unsorted. Prints one line of JSON.
import { load } from "../../fixtures/load.mjs";

const [port, order] = process.argv.slice(2);
const REQUESTS = 1500;
const CONNECTIONS = 4;
const BY_DATE = order === "sorted" ? "_sort=placedAt&_order=desc&" : "";

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

await load({ port, connections: CONNECTIONS, next: (i) => (i < REQUESTS ? nth(i) : null) });
