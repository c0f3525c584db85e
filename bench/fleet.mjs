// How long does DuckDB take for the questions of docs/agent.md over the dumps of a fleet? Some real dumps are recorded under the agent and
// shipped; each of the others is one of them with other durations and bytes, of another program of the fleet, a file each.
//
//   node bench/fleet.mjs [--dumps 10000] [--store DIR] [--clickhouse]
//
// With --store the dumps are kept, and found again. With --clickhouse the same is asked of ClickHouse, too, and the answers are compared.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { parquetWriteBuffer } from "hyparquet-writer";
import { askClickHouse, clickHouseVersion, installClickHouse } from "./lib/clickhouse.mjs";
import { fixture } from "./lib/programs.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const AGENT = join(here, "..", "dist", "agent", "always-on.cjs");
const SERVICES = 40;
const VERSIONS = 5;
const DAYS = 14;
const TABLES = ["pauses", "heap", "spikes", "sites"];
const TYPES = { VARCHAR: "STRING", DOUBLE: "DOUBLE", BIGINT: "INT64", TIMESTAMP: "TIMESTAMP" };
/** Programs of which the real dumps are. */
const PROGRAMS = [
  [join(here, "programs", "gc-heavy.mjs")],
  [fixture("retained-sessions.mjs")],
  [fixture("survivor-copy.mjs")],
];
const ROUNDS = 5;

const { values } = parseArgs({
  options: {
    dumps: { type: "string", default: "10000" },
    store: { type: "string" },
    clickhouse: { type: "boolean", default: false },
  },
});
const wanted = Number(values.dumps);
const folder = values.store ?? mkdtempSync(join(tmpdir(), "gcspike-fleet-"));

/** The dump of a program that runs to its end, shipped to `store`. */
async function shipOne(command, store) {
  const home = join(store, "..", "home");
  const env = {
    ...process.env,
    GCSPIKE_AGENT_DIR: home,
    GCSPIKE_AGENT_SHIP: store,
    GCSPIKE_AGENT_TRIGGER: "pause>1ms",
  };
  const child = spawn(process.execPath, ["--require", AGENT, ...command], { stdio: "ignore", env });
  await once(child, "exit");
  const shipped = () =>
    existsSync(join(store, "sites")) &&
    readdirSync(store, { recursive: true }).some(
      (name) => name.includes(`-${child.pid}-`) && name.includes("heap-profiles"),
    );
  for (const endMs = performance.now() + 60_000; !shipped(); await sleep(200)) {
    if (performance.now() > endMs) throw new Error(`no dump of ${command} was shipped`);
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  return child.pid;
}

/** The tables of one dump, as columns of values that hyparquet-writer takes. */
async function readDump(connection, store, pid) {
  const tables = {};
  for (const table of TABLES) {
    const name = readdirSync(join(store, table), { recursive: true }).find(
      (path) => path.includes(`-${pid}-`) && path.endsWith(".parquet"),
    );
    if (name === undefined) continue;
    const reader = await connection.runAndReadAll(
      `SELECT * FROM read_parquet('${join(store, table, name)}', hive_partitioning = false)`,
    );
    const columns = reader.getColumns();
    tables[table] = reader.columnNames().map((column, index) => {
      const type = TYPES[String(reader.columnType(index))];
      if (type === undefined) throw new Error(`${table}.${column} is ${reader.columnType(index)}`);
      const data = columns[index].map((value) =>
        value !== null && type === "TIMESTAMP" ? new Date(Number(value.micros / 1000n)) : value,
      );
      return { name: column, type, data };
    });
  }
  return tables;
}

/** The same dump on another machine: everything that is measured is `factor` times as large. */
function varied(columns, recording, factor) {
  const larger = (value) =>
    value === null ? null : typeof value === "bigint" ? BigInt(Math.round(Number(value) * factor)) : value * factor;
  return columns.map((column) => {
    if (column.name === "recording") return { ...column, data: column.data.map(() => recording) };
    if (!/_bytes$|^bytes$|^duration_ms$|^cpu_ms$/.test(column.name)) return column;
    return { ...column, data: column.data.map(larger) };
  });
}

/** The same numbers each time. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function makeFleet(connection, store) {
  const seedStore = join(folder, "seed", "store");
  const dumps = [];
  for (const program of PROGRAMS) dumps.push(await readDump(connection, seedStore, await shipOne(program, seedStore)));
  const rows = dumps.map((tables) =>
    TABLES.map((table) => `${tables[table]?.[0].data.length ?? 0} ${table}`).join(", "),
  );
  console.log(`dumps like these, rows: ${rows.join("; ")}`);
  const random = randomNumbers(1);
  for (let n = 0; n < wanted; n++) {
    const service = Math.floor(random() ** 2 * SERVICES);
    const version = Math.floor(random() * VERSIONS);
    const partition = `service=service-${service}/version=1.${version}.0/day=2026-11-${String(1 + Math.floor(random() * DAYS)).padStart(2, "0")}`;
    const recording = `host${n % 500}-${1000 + n}-2026-11-28T03-12-07-pause`;
    const factor = Math.exp((random() + random() + random() - 1.5) * 2) * (1 + service / SERVICES);
    for (const [table, columns] of Object.entries(dumps[n % dumps.length])) {
      const path = join(store, table, partition);
      mkdirSync(path, { recursive: true });
      const file = parquetWriteBuffer({ columnData: varied(columns, recording, factor) });
      writeFileSync(join(path, `${recording}.parquet`), new Uint8Array(file));
    }
  }
  rmSync(join(folder, "seed"), { recursive: true, force: true });
}

function documented(name) {
  const text = readFileSync(join(here, "..", "docs", "agent.md"), "utf8");
  return new RegExp(`^\`\`\`sql ${name}\n([^]*?)\n\`\`\`$`, "m").exec(text)[1];
}

/** In a new database: nothing is remembered of the files. */
async function askDuckDb(sql) {
  const fresh = await (await DuckDBInstance.create(":memory:")).connect();
  const startMs = performance.now();
  const answer = await fresh.runAndReadAll(sql);
  return { seconds: (performance.now() - startMs) / 1000, rows: answer.getRowObjectsJson() };
}

/** The same for the same rows, in whatever order and however numbers are written. */
function fingerprint(rows) {
  const words = (value) =>
    value === null || Number.isNaN(Number(value)) ? String(value) : Number(value).toPrecision(9);
  return rows
    .map((row) => Object.values(row).map(words).join("|"))
    .sort()
    .join("\n");
}

const engines = [{ name: "DuckDB", ask: askDuckDb, suffix: "" }];
if (values.clickhouse) {
  installClickHouse();
  engines.push({ name: `ClickHouse ${clickHouseVersion()}`, ask: askClickHouse, suffix: "-in-clickhouse" });
}

const store = join(folder, "store");
const connection = await (await DuckDBInstance.create(":memory:")).connect();
if (!existsSync(store)) await makeFleet(connection, store);
for (const question of ["worst", "sites", "causes"]) {
  const answers = new Set();
  for (const { name, ask, suffix } of engines) {
    const sql = documented(question + suffix).replaceAll("/dumps/", `${store}/`);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await ask(sql));
    const [first, ...others] = rounds.map(({ seconds }) => seconds.toFixed(2));
    answers.add(fingerprint(rounds[0].rows));
    console.log(
      `${question}, ${name}: ${rounds[0].rows.length} rows, ${first} s the first time, then ${others.join(", ")} s`,
    );
  }
  if (engines.length > 1) console.log(`  ${answers.size === 1 ? "the same answer" : "NOT the same answer"}`);
}
const [{ files, pauses }] = (
  await connection.runAndReadAll(
    `SELECT count(DISTINCT filename) AS files, count(*) AS pauses FROM read_parquet('${store}/pauses/**/*.parquet', filename = true)`,
  )
).getRowObjectsJson();
console.log(`over ${files} recordings with ${pauses} pauses`);
if (values.store === undefined) rmSync(folder, { recursive: true, force: true });
