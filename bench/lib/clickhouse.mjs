/** ClickHouse's own engine as chDB ships it in npm packages (half a gigabyte): Debian's version reads no Parquet. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../../scripts/lib.mjs";

const PACKAGE = "chdb@3.4.0";
const FOLDER = at("build", "clickhouse");

/** In a process of its own: nothing is remembered of the files. */
const PROGRAM = `
  const { query } = require("chdb");
  query("SELECT 1", "JSON");
  const startMs = performance.now();
  const { data } = JSON.parse(query(process.argv[1], "JSON"));
  console.log(JSON.stringify({ seconds: (performance.now() - startMs) / 1000, rows: data }));`;

/** Installs it into build/clickhouse, once. */
export function installClickHouse() {
  if (existsSync(join(FOLDER, "node_modules", "chdb"))) return;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "package.json"), JSON.stringify({ private: true }));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE], { cwd: FOLDER });
}

/** {seconds, rows}: rows as objects. Throws what ClickHouse says. */
export function askClickHouse(sql) {
  const options = { cwd: FOLDER, encoding: "utf8", maxBuffer: 2 ** 28 };
  return JSON.parse(execFileSync(process.execPath, ["-e", PROGRAM, sql], options));
}

export function clickHouseVersion() {
  return askClickHouse("SELECT version() AS version").rows[0].version;
}
