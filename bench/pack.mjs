// How large is the package, and how long does `npm install` of it take with an empty cache? Nothing but node and npm is on the PATH.
//
//   node bench/pack.mjs [--runs 3]
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "./lib/statistics.mjs";

const { values } = parseArgs({ options: { runs: { type: "string", default: "3" } } });
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

function sizeOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

const folder = mkdtempSync(join(tmpdir(), "gcspike-pack-"));
try {
  const words = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const printed = JSON.parse(execFileSync("npm", words, { cwd: root, encoding: "utf8" }));
  const [{ filename, size, unpackedSize, files }] = Object.values(printed);
  console.log(`${filename}: ${megabytes(size)}, unpacked ${megabytes(unpackedSize)} in ${files.length} files`);

  const programs = join(folder, "programs");
  mkdirSync(programs);
  symlinkSync(process.execPath, join(programs, "node"));
  const npm = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
  symlinkSync(realpathSync(npm), join(programs, "npm"));
  const seconds = [];
  for (let run = 0; run < Number(values.runs); run++) {
    const project = join(folder, `project-${run}`);
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true }));
    const start = performance.now();
    execFileSync(join(programs, "npm"), ["install", "--no-audit", "--no-fund", join(folder, filename)], {
      cwd: project,
      env: { ...process.env, PATH: programs, npm_config_cache: join(project, ".npm") },
      stdio: ["ignore", "ignore", "inherit"],
    });
    seconds.push((performance.now() - start) / 1000);
    if (run === 0) console.log(`node_modules: ${megabytes(sizeOf(join(project, "node_modules")))}`);
    rmSync(project, { recursive: true });
  }
  const all = seconds.map((second) => second.toFixed(1)).join(", ");
  console.log(`npm install, empty cache, ${seconds.length} runs: median ${median(seconds).toFixed(1)} s (${all})`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
