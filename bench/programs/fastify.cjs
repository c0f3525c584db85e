// A fastify API that keeps sessions, under the load of fixtures/http-client.mjs: node fastify.cjs NODE_MODULES [compact]
const { spawn } = require("node:child_process");
const { join } = require("node:path");

const [modules, change] = process.argv.slice(2);
const app = require(join(modules, "fastify"))();
const sessions = new Map();
const PAGES = 50;
// The same numbers in 51 objects, or in one array.
const seenFrom = (id) =>
  change === "compact"
    ? Array.from({ length: PAGES }, (_, page) => id + page)
    : Array.from({ length: PAGES }, (_, page) => ({ page, at: id + page }));

app.get("/orders", async () => {
  const id = sessions.size;
  sessions.set(id % 20_000, { id, seen: seenFrom(id) });
  return Array.from({ length: 100 }, (_, i) => ({ id: i, customer: `customer ${i}`, lines: [{ sku: i }] }));
});
app.get("/health", async () => ({ ok: true }));

app.listen({ port: 0, host: "127.0.0.1" }).then((address) => {
  const client = join(__dirname, "..", "..", "fixtures", "http-client.mjs");
  // The client is no part of what is observed.
  const child = spawn(process.execPath, [client, new URL(address).port, "40000"], {
    stdio: "inherit",
    env: { ...process.env, NODE_OPTIONS: "", GCSPIKE_RECORDING: "" },
  });
  child.on("exit", () => app.close());
});
