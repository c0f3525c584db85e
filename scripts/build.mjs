// Builds dist/ (command line, agent, HTML client, slab pool) or, with --native, prebuilds/ (the slab pool, and one probe an ABI;
// with --this-node only the one of the Node that runs this), or with --cross those of other machines. What is current is left alone.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { abiOfHeaders, compileAddon, ownHeaders } from "../native/compile.mjs";
import { at, hashInputs, isCurrent, must, otherNodes } from "./lib.mjs";
import { packageFolder, thirdPartyNotices } from "./notices.mjs";
import { ownShapes } from "./own-shapes.mjs";

const require = createRequire(import.meta.url);

/**
 * Dependencies stay imports; only what starts often or runs inside the target is bundled whole. chartjs-node-canvas is
 * bundled too: it asks for the package "canvas" 3, which needs a compiler and cairo, and our override of it with
 * @napi-rs/canvas counts only in this folder. Inside our bundle, "canvas" is the alias of our own dependencies.
 */
const EXTERNAL = [/^node:/, /^(ora|vitest|pprof-format|@datadog\/pprof|chart\.js|canvas)($|\/)/];

/** Folders of the packages whose code stands in what was bundled so far. */
const bundledPackages = new Set();

async function bundle(input, output, options = {}) {
  const build = await rolldown({ input, platform: "node", external: EXTERNAL, logLevel: "warn", ...options });
  const { output: files } = await build.write({ sourcemap: false, ...output });
  await build.close();
  for (const folder of files.flatMap(({ moduleIds = [] }) => moduleIds.map(packageFolder))) {
    if (folder !== null) bundledPackages.add(folder);
  }
}

/**
 * `gcspike --help` is to start fast: CommonJS, which Node starts 5 ms sooner than a module; small; what the entry needs in its
 * one file, what the commands need in chunks. Commander does not get child_process, with which it would start subcommands
 * that are programs of their own: there are none.
 */
const fromCommander = (id, importer) => id === "node:child_process" && importer?.includes("/commander/");
const COMMAND_LINE = {
  input: {
    preserveEntrySignatures: "allow-extension",
    external: (id, importer) => !fromCommander(id, importer) && EXTERNAL.some((pattern) => pattern.test(id)),
    plugins: [
      {
        name: "commander-starts-no-programs",
        resolveId: (id, importer) => (fromCommander(id, importer) ? "\0no-programs" : null),
        load: (id) => (id === "\0no-programs" ? "export {};" : null),
      },
    ],
  },
  output: (dir) => ({
    dir,
    format: "cjs",
    entryFileNames: "cli.cjs",
    chunkFileNames: "chunks/[name]-[hash].cjs",
    minify: { compress: true, mangle: false },
  }),
};

/** The HTML pages' scripts, by name. */
const PAGES = { report: "main.ts", compare: "compare/main.ts" };

/** Programs of their own, which the command line starts. */
const WORKLOADS = {
  txpool: "txpool/main.ts",
  "make-arrivals": "txpool/make-arrivals.ts",
  "verify-signatures": "txpool/verify-signatures.ts",
  sessions: "sessions/main.ts",
};

/** What Node loads before a program. Under the permission model, for one, it may read this file and not the next. */
const PRELOADED = ["preload", "always-on"];
const neverThrows = {
  name: "never-throws",
  renderChunk: (code, { isEntry, name }) =>
    isEntry && PRELOADED.includes(name)
      ? `"use strict";\ntry {\n${code.replace(/^"use strict";\s*/, "")}\n} catch {}\n`
      : null,
};

/** What dist/ is made from. */
const SOURCES = [
  "src",
  "scripts/build.mjs",
  "scripts/notices.mjs",
  "scripts/own-shapes.mjs",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.types.json",
];

/** The man page says what the command line says: both are made from the same program. */
async function writeManPage(path) {
  const folder = at("build", `man-page-${process.pid}`);
  try {
    await bundle(at("src/cli/man-page.ts"), { dir: folder, format: "esm", entryFileNames: "man-page.mjs" });
    const { manPage } = await import(pathToFileURL(join(folder, "man-page.mjs")).href);
    writeFileSync(path, manPage());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds beside dist/ and swaps at the end: a test or a recording that runs meanwhile keeps finding whole files. */
async function buildJavaScript() {
  const hash = hashInputs(SOURCES);
  if (isCurrent(at("dist", ".inputs"), hash)) return;
  const fresh = at("build", `dist-${process.pid}`);
  const stale = at("build", `dist-${process.pid}-old`);
  const into = (...parts) => join(fresh, ...parts);
  try {
    await bundle(at("src/index.ts"), { file: into("index.js"), format: "esm" });
    await bundle(at("src/slab/index.ts"), { file: into("slab.js"), format: "esm" });
    await bundle(at("src/vitest/index.ts"), { file: into("vitest.js"), format: "esm" });
    // CommonJS, which modules import by name too: one channel, whoever loads it.
    await bundle(at("src/tag/index.ts"), { file: into("tag.cjs"), format: "cjs", strict: true });
    await bundle(at("src/cli/main.ts"), COMMAND_LINE.output(fresh), COMMAND_LINE.input);
    await bundle(
      Object.fromEntries([...PRELOADED, "attach"].map((entry) => [entry, at("src/agent", `${entry}.ts`)])),
      {
        dir: into("agent"),
        format: "cjs",
        entryFileNames: "[name].cjs",
        // A program that was started under gcspike and then attached to loads both entries, and what they have in common once: it
        // knows of both recordings.
        chunkFileNames: "[name].cjs",
        minify: { compress: false, mangle: false },
        // As its sources are: what stands in the place of a method of Node's gets the `this` that the program gave.
        strict: true,
      },
      { plugins: [ownShapes, neverThrows] },
    );
    await writeManPage(into("gcspike.1"));
    await bundle(at("src/recorder/attach/loader.ts"), { file: into("attach-loader.cjs"), format: "cjs" });
    // The companion lives as long as a program of somebody else's: in one file, without a package.
    await bundle(at("src/fleet/companion.ts"), {
      file: into("fleet/companion.cjs"),
      format: "cjs",
      codeSplitting: false,
    });
    await bundle(at("src/fleet/ship.ts"), { file: into("fleet/ship.js"), format: "esm", codeSplitting: false });
    for (const [program, entry] of Object.entries(WORKLOADS)) {
      await bundle(at("src/workload", entry), { file: into(`workload/${program}.js`), format: "esm" });
    }
    // bitcoin-core's curve for the workload: a dependency would bring an install script and code that nothing here needs.
    const curve = dirname(require.resolve("secp256k1/package.json"));
    for (const machine of ["darwin-arm64", "linux-x64"]) {
      cpSync(join(curve, "prebuilds", machine), into("workload/secp256k1", machine), { recursive: true });
    }
    for (const [page, entry] of Object.entries(PAGES)) {
      await bundle(
        at("src/report/client", entry),
        { file: into(`assets/${page}.js`), format: "iife", minify: true },
        { platform: "browser", external: [] },
      );
    }
    const style = readFileSync(at("src/report/client/report.css"), "utf8");
    writeFileSync(into("assets/report.css"), style);
    writeFileSync(
      into("assets/compare.css"),
      style + readFileSync(at("src/report/client/compare/compare.css"), "utf8"),
    );
    must(process.execPath, [
      at("node_modules/typescript/bin/tsc"),
      "-p",
      "tsconfig.types.json",
      "--outDir",
      into("types"),
    ]);
    // What is compiled into binaries, not bundled: the curve, and Node-API's C++ headers in the slab pool.
    const compiled = [curve, dirname(require.resolve("node-addon-api/package.json"))];
    const libsecp256k1 = { title: "libsecp256k1 (MIT)", file: join(curve, "src/secp256k1/COPYING") };
    writeFileSync(
      into("THIRD-PARTY-NOTICES.txt"),
      thirdPartyNotices([...bundledPackages, ...compiled], [libsecp256k1]),
    );
    // In a package of modules, only .d.cts describes CommonJS.
    renameSync(into("types/tag/index.d.ts"), into("types/tag/index.d.cts"));
    writeFileSync(into(".bundled.json"), JSON.stringify([...bundledPackages].sort(), null, 2));
    writeFileSync(into(".inputs"), hash);
    if (existsSync(at("dist"))) renameSync(at("dist"), stale);
    renameSync(fresh, at("dist"));
  } finally {
    for (const folder of [fresh, stale]) rmSync(folder, { recursive: true, force: true });
  }
  console.error("Built dist/");
}

/** Cross compilers, of Debian, by the machine whose binaries they make. Alpine's and macOS's are made there. */
const CROSS_COMPILERS = { "linux-arm64": "aarch64-linux-gnu-g++" };

/** This machine, as names of binaries say it: src/lib/native-file.ts. */
function ownMachine() {
  const isMusl = process.platform === "linux" && readFileSync("/proc/self/maps", "latin1").includes("/ld-musl-");
  return `${process.platform}${isMusl ? "-musl" : ""}-${process.arch}`;
}

/** Folders of node.h of the Node versions to build for: this one, and the others that are installed for the tests. */
function headersToBuildFor() {
  const here = ownHeaders();
  if (process.argv.includes("--this-node")) return [here];
  const others = otherNodes().map((folder) => join(folder, "include", "node"));
  return [here, ...others.filter((headers) => abiOfHeaders(headers) !== process.versions.modules)];
}

/** Compiles into `output`, unless what stands there was made from the same sources. */
async function buildAddon(addon, headers, output, name, environment = {}) {
  const stamp = join(output, `.${name}.inputs`);
  const binary = join(output, name);
  const hash = hashInputs([join("native", addon), "native/compile.mjs"]);
  if (existsSync(binary) && isCurrent(stamp, hash)) return;
  await compileAddon(addon, headers, binary, { ...process.env, ...environment });
  writeFileSync(stamp, hash);
  console.error(`Built ${name}`);
}

/** The probe needs V8's own API: a binary an ABI. The slab pool needs Node-API: one for all. */
async function buildAddons(machine, output, allHeaders, environment) {
  for (const headers of allHeaders) {
    await buildAddon("gc-probe", headers, output, `gc-probe-${machine}-${abiOfHeaders(headers)}.node`, environment);
  }
  await buildAddon("slab-pool", allHeaders[0], output, `slab-pool-${machine}.node`, environment);
}

/** With AddressSanitizer and UndefinedBehaviorSanitizer, for this Node: test/native loads them into programs. */
const SANITIZED = {
  CXXFLAGS:
    "-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g",
  LDFLAGS: "-fsanitize=address,undefined",
};

mkdirSync(at("build"), { recursive: true });
if (process.argv.includes("--sanitized")) {
  await buildAddons(ownMachine(), at("build/sanitized"), [ownHeaders()], SANITIZED);
} else if (process.argv.includes("--cross")) {
  for (const [machine, CXX] of Object.entries(CROSS_COMPILERS)) {
    await buildAddons(machine, at("prebuilds"), headersToBuildFor(), { CXX });
  }
} else if (process.argv.includes("--native")) {
  await buildAddons(ownMachine(), at("prebuilds"), headersToBuildFor());
} else {
  await buildJavaScript();
}
