// Builds dist/ (command line, agent, HTML client) and, with --native, prebuilds/ (one probe binary an ABI).
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const at = (...parts) => join(root, ...parts);
const require = createRequire(import.meta.url);

/** Dependencies stay imports; only what starts often or runs inside the target is bundled whole. */
const EXTERNAL = [/^node:/, /^(ora|pprof-format|@datadog\/pprof|chart\.js|chartjs-node-canvas|canvas)($|\/)/];

async function bundle(input, output, options = {}) {
  const build = await rolldown({ input, platform: "node", external: EXTERNAL, logLevel: "warn", ...options });
  await build.write({ sourcemap: false, ...output });
  await build.close();
}

async function buildJavaScript() {
  rmSync(at("dist"), { recursive: true, force: true });
  await bundle(
    { cli: at("src/cli/main.ts"), index: at("src/index.ts") },
    { dir: at("dist"), format: "esm", chunkFileNames: "chunks/[name]-[hash].js" },
  );
  await bundle(at("src/agent/preload.ts"), { file: at("dist/agent/preload.cjs"), format: "cjs", minify: false });
  if (existsSync(at("src/report/client/main.ts"))) {
    await bundle(
      at("src/report/client/main.ts"),
      { file: at("dist/assets/report.js"), format: "iife", minify: true },
      { platform: "browser", external: [] },
    );
    copyFileSync(at("src/report/client/report.css"), at("dist/assets/report.css"));
  }
}

/** The Node versions whose headers are here: this one, and those that npm delivers as packages (Linux x64 only). */
function headers() {
  const here = { abi: process.versions.modules, nodedir: null, node: process.execPath };
  const packages = ["node-22", "node-24", "node-26"]
    .map((name) => at("node_modules", name))
    .filter((folder) => existsSync(join(folder, "include", "node", "node_version.h")))
    .map((folder) => {
      const node = join(folder, "bin", "node");
      return {
        abi: execFileSync(node, ["-p", "process.versions.modules"], { encoding: "utf8" }).trim(),
        nodedir: folder,
        node,
      };
    });
  return [here, ...packages.filter((entry) => entry.abi !== here.abi)];
}

function buildNative() {
  const gyp = require.resolve("node-gyp/bin/node-gyp.js");
  mkdirSync(at("prebuilds"), { recursive: true });
  const only = process.argv.includes("--this-node");
  for (const { abi, nodedir } of only ? headers().slice(0, 1) : headers()) {
    const env = { ...process.env };
    if (nodedir !== null) env.npm_config_nodedir = nodedir;
    const folder = at("native/gc-probe");
    execFileSync(process.execPath, [gyp, "rebuild", "--silent", "-C", folder], {
      stdio: ["ignore", "ignore", "inherit"],
      env,
    });
    copyFileSync(
      join(folder, "build/Release/gc_probe.node"),
      at("prebuilds", `gc-probe-${process.platform}-${process.arch}-${abi}.node`),
    );
    rmSync(join(folder, "build"), { recursive: true, force: true });
    console.error(`built gc-probe for ABI ${abi}`);
  }
  writeFileSync(at("prebuilds/.built"), readdirSync(at("prebuilds")).join("\n"));
}

if (process.argv.includes("--native")) buildNative();
else await buildJavaScript();
