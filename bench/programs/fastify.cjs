// A fastify API that keeps sessions, under the load of fixtures/http-client.mjs: node fastify.cjs NODE_MODULES
const { spawn } = require("node:child_process");
const { join } = require("node:path");

const [modules] = process.argv.slice(2);
const app = require(join(modules, "fastify"))();
const sessions = new Map();

app.get("/orders", async () => {
  const id = sessions.size;
  sessions.set(id % 20_000, { id, seen: Array.from({ length: 50 }, (_, page) => ({ page, at: id + page })) });
  return Array.from({ length: 100 }, (_, i) => ({ id: i, customer: `customer ${i}`, lines: [{ sku: i }] }));
});
app.get("/health", async () => ({ ok: true }));

app.listen({ port: 0, host: "127.0.0.1" }).then((address) => {
  const client = join(__dirname, "..", "..", "fixtures", "http-client.mjs");
  // The client is no part of what is observed.
  const child = spawn(process.execPath, [client, new URL(address).port, "4s"], {
    stdio: "inherit",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  child.on("exit", () => app.close());
});
