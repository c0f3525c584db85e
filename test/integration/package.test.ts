/** The package: what is in it, whose code that is, and whether it works where there is nothing but Node and npm. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BINARIES } from "../../scripts/package-files.mjs";
import { ROOT, temporaryFolder } from "../support/cli.ts";
import { Installed, type Packed, pack } from "../support/installed.ts";
import { NODES } from "../support/nodes.ts";

const MAX_BYTES = 15_000_000;

/** All of it but chunks, types and the addons' sources, which are named by what they hold. */
const FILES = [
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "assets/fonts/DejaVuSans.LICENSE.txt",
  "assets/fonts/DejaVuSans.ttf",
  "bin/gcspike.js",
  "bin/package.json",
  "dist/THIRD-PARTY-NOTICES.txt",
  "dist/agent/always-on.cjs",
  "dist/agent/attach.cjs",
  "dist/agent/preload.cjs",
  "dist/agent/say-exit.cjs",
  "dist/agent/start-isolate.cjs",
  "dist/assets/compare.css",
  "dist/assets/compare.js",
  "dist/assets/report.css",
  "dist/assets/report.js",
  "dist/attach-loader.cjs",
  "dist/cli.cjs",
  "dist/fleet/companion.cjs",
  "dist/fleet/ship.js",
  "dist/gcspike.1",
  "dist/index.js",
  "dist/slab.js",
  "dist/tag.cjs",
  "dist/vitest.js",
  "dist/workload/make-arrivals.js",
  "dist/workload/secp256k1/darwin-arm64/secp256k1.node",
  "dist/workload/secp256k1/linux-x64/secp256k1.glibc.node",
  "dist/workload/secp256k1/linux-x64/secp256k1.musl.node",
  "dist/workload/sessions.js",
  "dist/workload/txpool.js",
  "dist/workload/verify-signatures.js",
  "native/compile.mjs",
  "package.json",
];

const BY_WHAT_THEY_HOLD = [
  /^dist\/chunks\/[\w.-]+-[\w-]{8}\.cjs$/,
  /^dist\/types\/[\w/-]+\.d\.c?ts$/,
  /^native\/(gc-probe|slab-pool)\/\w+\.(cc|h)$/,
];

/** Collects when it is asked to, so that every recording has pauses. */
const PROGRAM = `
let kept = [];
for (let i = 0; i < 30; i++) { for (let j = 0; j < 3e4; j++) kept.push({ j }); if (i % 10 === 9) { kept = []; gc(); } }
setTimeout(() => {}, 300);`;

const folder = temporaryFolder("gcspike-package-");
let packed: Packed;
beforeAll(() => {
  packed = pack(folder.path);
});
afterAll(() => folder.remove());

describe("the tarball", () => {
  test("has what it needs, and nothing else", () => {
    const others = packed.files.filter((file) => !BY_WHAT_THEY_HOLD.some((pattern) => pattern.test(file)));
    expect(others.filter((file) => !file.startsWith("prebuilds/"))).toEqual(FILES);
    for (const pattern of BY_WHAT_THEY_HOLD) expect(packed.files.some((file) => pattern.test(file))).toBe(true);
  });

  test("has every binary of this machine, and none that is not to be there", () => {
    const names = packed.files.filter((file) => file.startsWith("prebuilds/")).map((file) => file.slice(10));
    const own = BINARIES.filter((name) => name.includes(`${process.platform}-${process.arch}`));
    expect(names).toEqual(expect.arrayContaining(own));
    expect(BINARIES).toEqual(expect.arrayContaining(names));
  });

  test("has a section in the changelog for its version", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(readFileSync(join(ROOT, "CHANGELOG.md"), "utf8")).toContain(`\n## ${version}\n`);
  });

  test("is small", () => {
    console.log(`${(packed.bytes / 1e6).toFixed(2)} MB in ${packed.files.length} files`);
    expect(packed.bytes).toBeLessThan(MAX_BYTES);
  });
});

describe("the notices", () => {
  const notices = readFileSync(join(ROOT, "dist", "THIRD-PARTY-NOTICES.txt"), "utf8");
  const rule = "=".repeat(80);
  /** Title of each section, and what it says. */
  const sections = new Map(
    [...notices.matchAll(new RegExp(`${rule}\n(.+)\n${rule}\n\n([\\s\\S]*?)(?=\n\n?${rule}|$)`, "g"))].map(
      ([, title = "", text = ""]) => [title, text],
    ),
  );

  test("name every package that the bundler put into dist/, with a licence and its text", () => {
    const folders: readonly string[] = JSON.parse(readFileSync(join(ROOT, "dist", ".bundled.json"), "utf8"));
    expect(folders.length).toBeGreaterThan(10);
    for (const path of folders) {
      const { name, version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
      const title = [...sections.keys()].find((one) => one.startsWith(`${name} ${version} (`));
      expect(title, `${name} ${version}`).toBeDefined();
      expect(sections.get(title ?? "")?.length, `${name} ${version}`).toBeGreaterThan(200);
    }
  });

  test("name what is compiled into binaries", () => {
    const titles = [...sections.keys()].join("\n");
    for (const name of ["libsecp256k1", "secp256k1", "node-addon-api"]) {
      expect(titles).toMatch(new RegExp(`^${name} `, "m"));
    }
  });

  test("name the packages whose marks stand in the files", () => {
    const titles = [...sections.keys()].join("\n");
    for (const file of ["cli.cjs", "index.js", "vitest.js", "workload/txpool.js"]) {
      const code = readFileSync(join(ROOT, "dist", file), "utf8");
      for (const [, name = ""] of code.matchAll(/\/\/#region .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/g)) {
        expect(titles).toMatch(new RegExp(`^${name} `, "m"));
      }
    }
  });
});

describe.each(NODES)("installed with $version, and nothing else on the PATH", ({ path, version }) => {
  let installed: Installed;
  const report = async (recording: string, ...words: readonly string[]) => {
    const { code, stdout, stderr } = await installed.gcspike("report", recording, "--format", "json", ...words);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  const record = async (name: string) => {
    const words = ["record", "-o", name, "--", "node", "--expose-gc", "program.cjs"];
    const { code, stderr } = await installed.gcspike(...words);
    expect(code, stderr).toBe(0);
    return stderr;
  };

  beforeAll(async () => {
    installed = await Installed.install(packed, path, join(folder.path, version));
    writeFileSync(installed.file("program.cjs"), PROGRAM);
    await record("a.gcspike");
    await record("b.gcspike");
  });

  test("no package wants to run a script at its installation", () => {
    const packages = installed.packages();
    expect(packages.length).toBeGreaterThan(5);
    for (const file of packages) {
      const { scripts = {} } = JSON.parse(readFileSync(file, "utf8"));
      for (const name of ["preinstall", "install", "postinstall"]) expect(scripts, file).not.toHaveProperty(name);
      // npm would compile what has one.
      expect(existsSync(join(file, "..", "binding.gyp")), file).toBe(false);
    }
  });

  test("record uses the probe, and report draws charts", async () => {
    const { recording } = await report("a.gcspike", "--charts", "charts");
    expect(recording).toMatchObject({ node: version, complete: true, warnings: [] });
    expect(recording.collectors).toEqual(expect.arrayContaining(["probe", "phases", "heap", "allocations"]));
    const charts = readdirSync(installed.file("charts"));
    expect(charts).toContain("timeline.png");
    for (const chart of charts) {
      const bytes = readFileSync(installed.file("charts", chart));
      expect(bytes.subarray(1, 4).toString("latin1")).toBe("PNG");
      expect(bytes.length).toBeGreaterThan(4000);
    }
    expect((await installed.gcspike("report", "a.gcspike", "-o", "report.html")).code).toBe(0);
  });

  test("compare", async () => {
    const { code, stdout } = await installed.gcspike("compare", "a.gcspike", "b.gcspike", "--format", "json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ columns: [{ name: "a" }, { name: "b" }] });
  });

  test("check", async () => {
    const words = ["check", "--budget", "pause.max<5m", "--runs", "1", "--", "node", "--expose-gc", "program.cjs"];
    const { code, stderr, stdout } = await installed.gcspike(...words);
    expect(code, stderr + stdout).toBe(0);
  });

  test("simulate, in memory outside the heap", async () => {
    const words = ["--mode", "mmap", "--tps", "500", "--duration", "2s", "--resident", "1s", "--block-time", "500ms"];
    const { code, stdout, stderr } = await installed.gcspike("simulate", "txpool", ...words);
    // A busy machine may not hold the rate, and is told so.
    expect([0, 1], stderr).toContain(code);
    expect(stdout).toMatch(/the slab has .* MiB/);
  });

  test.each([
    ["a.pb.gz", []],
    ["a.speedscope.json", []],
    ["a.pftrace", []],
    ["tables", ["--format", "parquet"]],
    ["a.otlp.json", ["--format", "otlp"]],
  ])("export to %s", async (name, words) => {
    const { code, stderr } = await installed.gcspike("export", "a.gcspike", "-o", name, ...words);
    expect(code, stderr).toBe(0);
    expect(existsSync(installed.file(name))).toBe(true);
  });

  test("what it exports to programs loads", async () => {
    const source = `
      import { analyse, read } from "gcspike";
      import { SlabPool } from "gcspike/slab";
      import { tag } from "gcspike/tag";
      const pool = SlabPool.open({ classes: [{ slotBytes: 64, slots: 10 }] });
      console.log(typeof tag, analyse(await read("a.gcspike")).summary.pauses.count >= 3, pool.alloc(10) > 0);`;
    const { stdout, stderr } = await installed.run("node", "--input-type=module", "-e", source);
    expect(stdout, stderr).toBe("function true true\n");
  });

  test("npx, which needs a shell", async () => {
    const shells = installed.file("shells");
    mkdirSync(shells);
    symlinkSync("/bin/sh", join(shells, "sh"));
    const PATH = `${installed.file("programs")}:${shells}`;
    const { code, stdout } = await installed.runWith({ PATH }, "npm", "exec", "--", "gcspike", "--version");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

test("installed for all of a machine, it has its man page where man looks", () => {
  const prefix = join(folder.path, "global");
  const words = ["install", "--global", "--prefix", prefix, "--no-audit", "--no-fund", "--prefer-offline", packed.path];
  execFileSync("npm", words, { stdio: "ignore" });
  const page = readFileSync(join(prefix, "share", "man", "man1", "gcspike.1"), "utf8");
  expect(page).toMatch(/^\.TH GCSPIKE 1 /);
});

describe("a Node that the package has no probe for", () => {
  let installed: Installed;
  const probe = `gc-probe-${process.platform}-${process.arch}-${process.versions.modules}.node`;
  const prebuilds = (...names: readonly string[]) => installed.file("node_modules", "gcspike", "prebuilds", ...names);
  const words = ["node_modules/.bin/gcspike", "record", "-o"];
  const program = ["--", "node", "--expose-gc", "program.cjs"];
  const reported = async (recording: string) =>
    JSON.parse((await installed.gcspike("report", recording, "--format", "json")).stdout).recording;

  beforeAll(async () => {
    installed = await Installed.install(packed, process.execPath, join(folder.path, "unknown"));
    writeFileSync(installed.file("program.cjs"), PROGRAM);
    rmSync(prebuilds(probe));
  });

  test("and no compiler: the portable collector, and one warning", async () => {
    const first = await installed.run("node", ...words, "portable.gcspike", ...program);
    expect(first.code).toBe(0);
    expect(first.stderr.match(/The GC probe does not run/g)).toHaveLength(1);
    const { collectors, warnings } = await reported("portable.gcspike");
    expect(collectors).toContain("perf_hooks");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ code: "no-probe", hint: expect.stringContaining("gcspike doctor") });
    // It was tried once.
    const second = await installed.run("node", ...words, "again.gcspike", ...program);
    expect(second.stderr).not.toContain("Compiling");
    expect(readFileSync(prebuilds(`${probe}.failed`), "utf8")).toBe("there is no C++ compiler (c++, g++, clang++)");
    const doctor = await installed.gcspike("doctor");
    expect(doctor.code).toBe(0);
    expect(doctor.stdout).toContain("there is no C++ compiler");
  });

  test("and a compiler: compiled once, then the probe", async () => {
    rmSync(prebuilds(`${probe}.failed`), { force: true });
    const PATH = `${installed.file("programs")}:${process.env.PATH}`;
    const first = await installed.runWith({ PATH }, "node", ...words, "compiled.gcspike", ...program);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toMatch(/^Compiling the GC probe, once: /);
    const { collectors, warnings } = await reported("compiled.gcspike");
    expect(collectors).toEqual(expect.arrayContaining(["probe", "phases", "heap", "allocations"]));
    expect(warnings).toEqual([]);
  });
});
