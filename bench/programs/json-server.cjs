// json-server answers from a db.json of 4 MB, set up as its command line does it, under the load of shop-client.mjs:
// node json-server.cjs NODE_MODULES [no-clone|no-sort]
const { spawn } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { tmpdir } = require("node:os");
const { dirname, join } = require("node:path");

const [modules, change] = process.argv.slice(2);
const ORDERS = 8000;
const CUSTOMERS = 500;

function shop() {
  const customers = Array.from({ length: CUSTOMERS }, (_, i) => ({
    id: i + 1,
    name: `Customer ${i}`,
    city: `City ${i % 97}`,
  }));
  const orders = Array.from({ length: ORDERS }, (_, i) => ({
    id: i + 1,
    customerId: 1 + ((i * 37) % CUSTOMERS),
    status: ["open", "paid", "sent"][i % 3],
    placedAt: new Date(1.7e12 + i * 6e4).toISOString(),
    lines: Array.from({ length: 3 }, (_, line) => ({
      sku: `sku-${(i * 7 + line) % 1000}`,
      amount: 1 + line,
      price: 9.9,
    })),
    note: `left at the door of number ${i % 200}`,
  }));
  return { customers, orders };
}

/** Lists are cloned only where something is added to their elements: a line of json-server's plural.js. */
function withoutClone() {
  const path = join(modules, "json-server", "lib", "server", "router", "plural.js");
  const source = readFileSync(path, "utf8");
  const changed = source.replace("chain = chain.cloneDeep()", "if (_embed || _expand) chain = chain.cloneDeep()");
  if (changed === source) throw new Error(`${path} is not as expected: nothing was changed.`);
  const plural = new Module(path);
  plural.filename = path;
  plural.paths = Module._nodeModulePaths(dirname(path));
  plural._compile(changed, path);
  require.cache[path] = plural;
}

async function serve(file) {
  if (change === "no-clone") withoutClone();
  const jsonServer = require(join(modules, "json-server"));
  const low = require(join(modules, "lowdb"));
  const FileAsync = require(join(modules, "lowdb", "adapters", "FileAsync"));
  const db = await low(new FileAsync(file));
  const app = jsonServer.create();
  app.use(jsonServer.defaults({ logger: false, bodyParser: true }));
  app.use(jsonServer.router(db));
  return app.listen(0, "127.0.0.1");
}

const folder = mkdtempSync(join(tmpdir(), "gcspike-json-server-"));
const file = join(folder, "db.json");
writeFileSync(file, JSON.stringify(shop(), null, 2));
serve(file).then((server) => {
  server.on("listening", () => {
    const client = join(__dirname, "shop-client.mjs");
    const words = [client, String(server.address().port), change === "no-sort" ? "unsorted" : "sorted"];
    // The client is no part of what is observed.
    const env = { ...process.env, NODE_OPTIONS: "", GCSPIKE_RECORDING: "" };
    spawn(process.execPath, words, { stdio: "inherit", env }).on("exit", () => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
  });
});
