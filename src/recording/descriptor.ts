/** `<isolate>.json`: what an isolate says of itself, read with suspicion. */
import { asFields, integerOf, nanosecondsOf, textOf, textsOf } from "./fields.ts";
import { parseObject, warningsOf } from "./manifest.ts";
import type { Collector, IsolateDescriptor, Sampler } from "./spec.ts";

const COLLECTORS: readonly Collector[] = ["probe", "perf_hooks", "phases", "heap", "allocations", "tags", "ebpf"];

const SAMPLERS: readonly Sampler[] = ["exact", "frames", "v8", "ebpf"];

/** A larger file is damage. */
export const MAX_DESCRIPTOR_BYTES = 16 * 1024 * 1024;

/** As many as the agent writes. */
const MAX_ARGUMENTS = 100;

/** What of a descriptor reading needs; `id` is the file's name, for what stands inside may be wrong. */
export type ReadDescriptor = Omit<IsolateDescriptor, "schema" | "id" | "startNs" | "arch" | "platform"> & {
  readonly startNs: bigint | null;
};

/**
 * The descriptor in `text`; what it lacks comes from the isolate's id, `<pid>-<threadId>`. Null where it is no JSON object.
 */
export function parseDescriptor(text: string, id: string): ReadDescriptor | null {
  const fields = parseObject(text);
  if (asFields(fields) === null || fields === null) return null;
  const unknown = unknownDescriptor(id);
  return {
    pid: integerOf(fields.pid) ?? unknown.pid,
    parentPid: integerOf(fields.parentPid) ?? unknown.parentPid,
    threadId: integerOf(fields.threadId) ?? unknown.threadId,
    name: textOf(fields.name) ?? "",
    kind: fields.kind === "process" || fields.kind === "worker" ? fields.kind : unknown.kind,
    script: textOf(fields.script) ?? "",
    node: textOf(fields.node) ?? "",
    v8: textOf(fields.v8) ?? "",
    execArgv: textsOf(fields.execArgv).slice(0, MAX_ARGUMENTS),
    startNs: nanosecondsOf(fields.startNs),
    processSpace: textOf(fields.processSpace),
    heapLimitBytes: integerOf(fields.heapLimitBytes),
    semiSpaceBytes: integerOf(fields.semiSpaceBytes),
    collectors: COLLECTORS.filter((collector) => textsOf(fields.collectors).includes(collector)),
    sampler: SAMPLERS.find((sampler) => sampler === fields.sampler) ?? null,
    warnings: warningsOf(fields.warnings),
  };
}

/** What stands for the descriptor of an isolate that has none. */
export function unknownDescriptor(id: string): ReadDescriptor {
  const [pid = 0, threadId = 0] = id.split(/[-.]/).map(Number);
  return {
    pid,
    parentPid: 0,
    threadId,
    name: "",
    kind: threadId === 0 ? "process" : "worker",
    script: "",
    node: "",
    v8: "",
    execArgv: [],
    startNs: null,
    processSpace: null,
    heapLimitBytes: null,
    semiSpaceBytes: null,
    collectors: [],
    sampler: null,
    warnings: [],
  };
}
