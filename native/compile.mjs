// Compiles one of gcspike's two addons with a C++ compiler of C++20, nothing else: no Python, no make, no download.
//
//   node native/compile.mjs gc-probe|slab-pool OUTPUT.node
//
// CXX, CXXFLAGS and LDFLAGS mean what they mean to make. It says why it cannot in one line on stderr, with exit code 1.
// scripts/build.mjs makes the binaries of the package with it; where a Node has none, the command line makes it by itself.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

const COMMON = [
  "-std=c++20",
  "-O2",
  "-fPIC",
  "-pthread",
  "-fno-rtti",
  "-fno-exceptions",
  "-fno-strict-aliasing",
  "-fno-omit-frame-pointer",
  "-D_FILE_OFFSET_BITS=64",
  "-Wall",
  "-Wextra",
  "-Wno-unused-parameter",
  "-Wno-cast-function-type",
];

/** nodelete: threads of both, and the function tables that the probe replaces, outlive any worker that loaded the library. */
const ADDONS = {
  "gc-probe": {
    flags: () => ["-ftls-model=initial-exec"],
    // now: otherwise the first collection waits while the linker looks up every function that the probe calls.
    linux: ["-Wl,-z,nodelete", "-Wl,-z,now"],
  },
  "slab-pool": {
    flags: () => [
      "-fvisibility=hidden",
      "-DNAPI_VERSION=8",
      "-DNAPI_DISABLE_CPP_EXCEPTIONS",
      "-DNODE_ADDON_API_DISABLE_DEPRECATED",
      `-I${dirname(createRequire(import.meta.url).resolve("node-addon-api/package.json"))}`,
    ],
    linux: ["-Wl,-z,nodelete"],
  },
};

/** What a Node addon is to the linker: V8's and Node's functions are the program's own. */
const SHARED = {
  linux: ["-shared", "-pthread"],
  darwin: ["-bundle", "-undefined", "dynamic_lookup"],
};
const COMPILED_FOR = { linux: [], darwin: ["-stdlib=libc++", "-mmacosx-version-min=11.0"] };

/** The ABI (`process.versions.modules`) that headers are of, null where there are none. */
export function abiOfHeaders(folder) {
  const version = join(folder, "node_version.h");
  if (!existsSync(version)) return null;
  return /^#define NODE_MODULE_VERSION (\d+)$/m.exec(readFileSync(version, "utf8"))?.[1] ?? null;
}

/** The folder of node.h for the Node that runs this: beside it, or where node-gyp puts what it downloads. Throws where there is none. */
export function ownHeaders() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const caches = [join(homedir(), ".cache"), join(homedir(), "Library", "Caches")];
  const version = process.versions.node;
  const folders = [
    join(prefix, "include", "node"),
    ...caches.map((cache) => join(cache, "node-gyp", version, "include", "node")),
  ];
  const found = folders.find((folder) => abiOfHeaders(folder) === process.versions.modules);
  if (found !== undefined) return found;
  throw new Error(`Node's headers for ABI ${process.versions.modules} are not on this machine (looked in ${folders[0]})`);
}

/** The compiler's name. Throws where there is none. */
function findCompiler(environment) {
  const candidates = environment.CXX ? [environment.CXX] : ["c++", "g++", "clang++"];
  const found = candidates.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
  if (found !== undefined) return found;
  throw new Error(`there is no C++ compiler (${candidates.join(", ")})`);
}

async function runCompiler(compiler, words) {
  try {
    await run(compiler, words, { maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const lines = String(error.stderr ?? error.message).split("\n");
    throw new Error(`${compiler} failed: ${lines.find((line) => /error/i.test(line)) ?? lines[0]}`);
  }
}

/** Calls `work` with each item, as many at a time as there are processors. */
async function forAll(items, work) {
  const left = [...items];
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  });
  await Promise.all(workers);
}

const words = (text) => (text ?? "").split(/\s+/).filter((word) => word !== "");

/**
 * Compiles `addon` against the headers of a Node into the file `output`, which is replaced at once, or stays as it was.
 * `environment`: CXX, CXXFLAGS, LDFLAGS. Throws where it cannot, with the reason.
 */
export async function compileAddon(addon, headers, output, environment = process.env) {
  const { platform } = process;
  if (!(platform in SHARED)) throw new Error(`gcspike's addons are for Linux and macOS, not for ${platform}`);
  const { flags, linux } = ADDONS[addon];
  const compiler = findCompiler(environment);
  const sources = readdirSync(join(here, addon)).filter((name) => name.endsWith(".cc"));
  const folder = mkdtempSync(join(tmpdir(), `gcspike-${addon}-`));
  const objectOf = (source) => join(folder, `${source}.o`);
  const temporary = `${output}.${process.pid}`;
  const how = [...COMMON, ...COMPILED_FOR[platform], ...flags(), `-I${headers}`, ...words(environment.CXXFLAGS)];
  try {
    await forAll(sources, (source) =>
      runCompiler(compiler, [...how, "-c", join(here, addon, source), "-o", objectOf(source)]),
    );
    mkdirSync(dirname(output), { recursive: true });
    const link = [...SHARED[platform], ...(platform === "linux" ? linux : []), ...words(environment.LDFLAGS)];
    await runCompiler(compiler, [...sources.map(objectOf), ...link, "-o", temporary]);
    // Renamed into place: a process that has the old binary mapped keeps it.
    renameSync(temporary, output);
  } finally {
    rmSync(temporary, { force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(addon, output) {
  if (!(addon in ADDONS) || output === undefined) throw new Error("node native/compile.mjs gc-probe|slab-pool OUTPUT.node");
  await compileAddon(addon, ownHeaders(), output);
}

if (import.meta.url === pathToFileURL(realpathSync(process.argv[1] ?? "")).href) {
  await main(...process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
