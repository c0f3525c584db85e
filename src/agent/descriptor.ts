/** Who this isolate is: `<isolate>.json`. */
import { closeSync, openSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { threadId } from "node:worker_threads";
import { processSpace } from "../lib/process-space.ts";
import type { Collector, IsolateDescriptor, Sampler, Warning } from "../recording/spec.ts";

const MIB = 1024 ** 2;
const MAX_TEXT = 1000;

/** Claims `<pid>-<threadId>`, with `.2`, `.3` ... behind it where a process replaced itself and took the name before. */
export function claimIsolateId(folder: string): { readonly id: string; readonly file: number } {
  const base = `${process.pid}-${threadId}`;
  for (let attempt = 1; attempt <= 99; attempt++) {
    const id = attempt === 1 ? base : `${base}.${attempt}`;
    try {
      return { id, file: openSync(join(folder, `${id}.json`), "wx") };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  throw new Error(`no free name for ${base}`);
}

/** The last value of a V8 flag in MiB, as given on the command line or in NODE_OPTIONS. */
function flagMib(name: string): number | null {
  const words = [...(process.env.NODE_OPTIONS ?? "").split(" "), ...process.execArgv];
  const values = words.map((word) => word.replaceAll("_", "-").split("=")).filter(([flag]) => flag === `--${name}`);
  const value = Number(values.at(-1)?.[1]);
  return Number.isFinite(value) && value > 0 ? value : null;
}

/**
 * V8 does not tell the size of a semi-space, but the heap limit is the old generation's plus three semi-spaces
 * (Heap::MaxReserved), and the old generation's default is a whole number of GiB on machines with enough memory.
 *
 * @returns bytes, or null where that arithmetic gives no power of two.
 */
export function semiSpaceBytes(
  heapLimitBytes: number,
  oldSpaceMib: number | null,
  semiSpaceMib: number | null,
): number | null {
  const limitMib = heapLimitBytes / MIB;
  const candidate = (oldSpaceMib === null ? limitMib % 1024 : limitMib - oldSpaceMib) / 3;
  if (candidate >= 1 && Number.isInteger(Math.log2(candidate))) return candidate * MIB;
  return semiSpaceMib === null ? null : semiSpaceMib * MIB;
}

function isolateName(script: string, given: string): string {
  if (threadId === 0) return script === "" ? "node" : script;
  return given === "" ? `worker-${threadId}` : given.slice(0, MAX_TEXT);
}

export interface DescriptorFields {
  readonly id: string;
  /** The name that this worker was given, "" without one. */
  readonly workerName: string;
  readonly startNs: bigint;
  readonly heapLimitBytes: number | null;
  readonly collectors: readonly Collector[];
  readonly sampler: Sampler | null;
  readonly warnings: readonly Warning[];
}

export function writeDescriptor(file: number, fields: DescriptorFields): void {
  const script = basename(process.argv[1] ?? "").slice(0, MAX_TEXT);
  const { heapLimitBytes } = fields;
  const descriptor: IsolateDescriptor = {
    schema: "gcspike.isolate/1",
    id: fields.id,
    pid: process.pid,
    parentPid: process.ppid,
    threadId,
    name: isolateName(script, fields.workerName),
    kind: threadId === 0 ? "process" : "worker",
    script,
    node: process.version,
    v8: process.versions.v8,
    arch: process.arch,
    platform: process.platform,
    execArgv: process.execArgv.slice(0, 100).map((argument) => argument.slice(0, MAX_TEXT)),
    startNs: String(fields.startNs),
    processSpace: processSpace(),
    heapLimitBytes,
    semiSpaceBytes:
      heapLimitBytes === null
        ? null
        : semiSpaceBytes(heapLimitBytes, flagMib("max-old-space-size"), flagMib("max-semi-space-size")),
    collectors: fields.collectors,
    sampler: fields.sampler,
    warnings: fields.warnings,
  };
  writeSync(file, `${JSON.stringify(descriptor, null, 2)}\n`);
  closeSync(file);
}
