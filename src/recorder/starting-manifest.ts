/** The manifest of a recording that begins now. */
import { arch, cpus, platform, release, totalmem } from "node:os";
import { basename } from "node:path";
import { packageVersion } from "../lib/package.ts";
import { FORMAT_VERSION, MANIFEST_SCHEMA, type Manifest } from "../recording/spec.ts";
import { measurePageFault } from "./page-fault.ts";

function machine(): Manifest["machine"] {
  const processors = cpus();
  return {
    platform: platform(),
    arch: arch(),
    cpus: processors.length,
    cpuModel: processors[0]?.model.trim() ?? "",
    memoryBytes: totalmem(),
    pageFaultNs: measurePageFault(),
    kernel: release(),
  };
}

/** A redacted command keeps the program's name and how many arguments it had. */
function redactCommand(command: readonly string[]): string[] {
  return command.map((argument, index) => (index === 0 ? basename(argument) : "[redacted]"));
}

/** State "recording", without a process id: the command was not started yet. */
export function startingManifest(command: readonly string[], options: Manifest["options"]): Manifest {
  return {
    schema: MANIFEST_SCHEMA,
    formatVersion: FORMAT_VERSION,
    gcspike: packageVersion(),
    state: "recording",
    command: options.redacted ? redactCommand(command) : command,
    startedAt: new Date().toISOString(),
    startNs: String(process.hrtime.bigint()),
    endNs: null,
    exit: null,
    pid: null,
    recorderPid: process.pid,
    machine: machine(),
    options,
    dump: null,
    files: [],
    warnings: [],
  };
}
