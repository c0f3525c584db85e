// Builds dist/ (command line, agent, HTML client) and, with --native, prebuilds/ (one probe binary an ABI).
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const at = (...parts) => join(root, ...parts);
const require = createRequire(import.meta.url);

/**
 * Dependencies stay imports; only what starts often or runs inside the target is bundled whole. chartjs-node-canvas is
 * bundled too: it asks for the package "canvas" 3, which needs a compiler and cairo, and our override of it with
 * @napi-rs/canvas counts only in this folder. Inside our bundle, "canvas" is the alias of our own dependencies.
 */
const EXTERNAL = [/^node:/, /^(ora|pprof-format|@datadog\/pprof|chart\.js|canvas)($|\/)/];

async function bundle(input, output, options = {}) {
  const build = await rolldown({ input, platform: "node", external: EXTERNAL, logLevel: "warn", ...options });
  await build.write({ sourcemap: false, ...output });
  await build.close();
}

/** Builds beside dist/ and swaps at the end: a test or a recording that runs meanwhile keeps finding whole files. */
async function buildJavaScript() {
  const fresh = at("build", `dist-${process.pid}`);
  const stale = at("build", `dist-${process.pid}-old`);
  const into = (...parts) => join(fresh, ...parts);
  try {
    await bundle(
      { cli: at("src/cli/main.ts"), index: at("src/index.ts") },
      { dir: fresh, format: "esm", chunkFileNames: "chunks/[name]-[hash].js" },
    );
    if (existsSync(at("src/agent/preload.ts"))) {
      await bundle(at("src/agent/preload.ts"), { file: into("agent/preload.cjs"), format: "cjs", minify: false });
    }
    if (existsSync(at("src/report/client/main.ts"))) {
      await bundle(
        at("src/report/client/main.ts"),
        { file: into("assets/report.js"), format: "iife", minify: true },
        { platform: "browser", external: [] },
      );
      copyFileSync(at("src/report/client/report.css"), into("assets/report.css"));
    }
    execFileSync(
      process.execPath,
      [at("node_modules/typescript/bin/tsc"), "-p", at("tsconfig.types.json"), "--outDir", into("types")],
      {
        stdio: "inherit",
      },
    );
    if (existsSync(at("dist"))) renameSync(at("dist"), stale);
    renameSync(fresh, at("dist"));
  } finally {
    for (const folder of [fresh, stale]) rmSync(folder, { recursive: true, force: true });
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
