/** File names of the addons for one machine and one Node. scripts/build.mjs makes the same names. */
import { existsSync, readFileSync } from "node:fs";

const MUSL_LOADERS: Readonly<Record<string, string>> = {
  x64: "/lib/ld-musl-x86_64.so.1",
  arm64: "/lib/ld-musl-aarch64.so.1",
};

/** A machine with glibc may have musl's loader, too: what this process was loaded by, it has mapped. */
function usesMusl(): boolean {
  const loader = MUSL_LOADERS[process.arch];
  if (process.platform !== "linux" || loader === undefined || !existsSync(loader)) return false;
  return readFileSync("/proc/self/maps", "latin1").includes("/ld-musl-");
}

/** This machine, such as "linux-x64", "linux-musl-arm64" or "darwin-arm64". */
export function machineName(): string {
  return `${process.platform}${usesMusl() ? "-musl" : ""}-${process.arch}`;
}

/** The GC probe uses V8's own API and fits one ABI (`process.versions.modules`). */
export function probeFileName(machine: string, abi: string): string {
  return `gc-probe-${machine}-${abi}.node`;
}

/** The slab pool uses Node-API and fits every Node. */
export function slabPoolFileName(machine: string): string {
  return `slab-pool-${machine}.node`;
}
