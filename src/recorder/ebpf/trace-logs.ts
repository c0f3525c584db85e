/** A recording that grows by bpftrace's lines: logs of each thread, and what of it is missing. */
import { readFileSync } from "node:fs";
import { arch, platform } from "node:os";
import { processSpace } from "../../lib/process-space.ts";
import { programName } from "../../lib/program-name.ts";
import { plural } from "../../lib/text.ts";
import { formatShare } from "../../lib/units.ts";
import type { IsolateDescriptor, Manifest, Warning } from "../../recording/spec.ts";
import { ownOptions } from "../attach/target.ts";
import { EventOrder } from "./event-order.ts";
import { parseLine } from "./events.ts";
import { HeapReader } from "./heap-reader.ts";
import { InlinedFunctions } from "./inlined-functions.ts";
import { IsolateLogs } from "./isolate-logs.ts";
import { CodeMap, parseMaps } from "./memory-map.ts";
import { ProcessLog } from "./process-log.ts";
import { ProcessMemory } from "./process-memory.ts";
import { StackReader } from "./stack-reader.ts";
import type { TraceTarget } from "./target.ts";
import { ThreadHistory, type TracedAllocation } from "./thread-history.ts";
import { TraceClock } from "./trace-clock.ts";

/** From here on the share of allocations without a stack is worth a word. */
const MANY_UNKNOWN = 0.1;

export interface Wanted {
  readonly allocations: boolean;
  /** Functions in the stack of an allocation. */
  readonly depth: number;
  /** Only allocations with such a function on their stack. */
  readonly function: RegExp | null;
}

export class TraceLogs {
  readonly #folder: string;
  readonly #target: TraceTarget;
  readonly #manifest: Manifest;
  readonly #startNs: bigint;
  readonly #wanted: Wanted;
  readonly #memory: ProcessMemory;
  readonly #clock = new TraceClock();
  readonly #order: EventOrder;
  readonly #history: ThreadHistory;
  readonly #isolates = new Map<number, IsolateLogs>();
  readonly #process: ProcessLog;
  #lost = 0;
  #allocations = 0;
  #withoutStack = 0;

  /** Throws what the file system throws. */
  constructor(folder: string, target: TraceTarget, manifest: Manifest, wanted: Wanted) {
    this.#folder = folder;
    this.#target = target;
    this.#manifest = manifest;
    this.#startNs = BigInt(manifest.startNs);
    this.#wanted = wanted;
    this.#memory = new ProcessMemory(target.pid);
    const stacks = this.#stackReader();
    this.#history = new ThreadHistory({
      pause: (pause) => this.#isolate(pause.thread).pause(pause),
      step: (step) => this.#isolate(step.thread).step(step),
      allocation: (allocation) => this.#allocation(allocation),
    });
    this.#order = new EventOrder(stacks === null ? null : (line) => stacks.read(line), {
      event: (event, stack) => this.#history.add(event, stack),
      lost: (count) => {
        this.#lost += count;
        this.#history.forget();
      },
    });
    this.#process = new ProcessLog(folder, target.pid, this.#startNs);
    this.#isolate(target.pid);
  }

  /** False where it is none of the program's lines. */
  line(text: string): boolean {
    const line = parseLine(text);
    if (line === null) return false;
    if (line.type !== "lost") this.#clock.note(line.atNs);
    // Before all probes are set some tell already.
    if (line.type === "lost" || this.#clock.toMonotonicNs(line.atNs) >= this.#startNs) this.#order.add(line);
    if (line.type === "tick") {
      this.#process.sample();
      for (const isolate of this.#isolates.values()) isolate.flush();
    }
    return true;
  }

  /** Are the lines of now, as the caller waits, read? */
  isUpTo(monotonicNs: bigint): boolean {
    return this.#clock.toMonotonicNs(this.#clock.lastNs) >= monotonicNs;
  }

  /** Nothing comes any more. Returns what is missing. */
  close(programEnded: boolean): readonly Warning[] {
    this.#order.end();
    const open = programEnded ? this.#history.open() : [];
    for (const [thread, isolate] of this.#isolates) {
      isolate.close(open.find((one) => one.thread === thread) ?? null);
    }
    this.#process.close();
    this.#memory.close();
    return this.#warnings();
  }

  #allocation(allocation: TracedAllocation): void {
    const { thread, bytes } = allocation;
    // A frame may hold several, which were inlined.
    const stack = allocation.stack?.slice(0, this.#wanted.depth) ?? null;
    // One that is larger than the machine has failed.
    if (bytes > this.#manifest.machine.memoryBytes) return;
    this.#allocations++;
    if (stack === null) this.#withoutStack++;
    const wanted = this.#wanted.function;
    if (wanted === null || (stack ?? []).some((frame) => wanted.test(frame.function.name)))
      this.#isolate(thread).allocation({ ...allocation, stack });
  }

  #stackReader(): StackReader | null {
    const { pid, javaScript } = this.#target;
    if (typeof javaScript === "string") return null;
    const code = new CodeMap(javaScript.builtins, () => {
      try {
        return parseMaps(readFileSync(`/proc/${pid}/maps`, "utf8"));
      } catch {
        // It has ended.
        return [];
      }
    });
    const heap = new HeapReader(this.#memory, javaScript.heap);
    const inlined = javaScript.code === null ? null : new InlinedFunctions(this.#memory, heap, javaScript.code);
    return new StackReader(heap, code, inlined, () => this.#clock.nowNs());
  }

  #isolate(thread: number): IsolateLogs {
    const known = this.#isolates.get(thread);
    if (known !== undefined) return known;
    const isolate = new IsolateLogs(this.#folder, this.#descriptor(thread), {
      ns: (atNs) => this.#clock.toMonotonicNs(atNs),
      withAllocations: this.#wanted.allocations,
      withPositions: !this.#target.hasOtherFiles,
    });
    this.#isolates.set(thread, isolate);
    return isolate;
  }

  #descriptor(thread: number): IsolateDescriptor {
    const { pid, command, node } = this.#target;
    const script = programName(command);
    // Node's own numbers of threads cannot be seen from outside.
    const [threadId, kind, name] =
      thread === pid ? ([0, "process", script] as const) : ([thread, "worker", threadName(pid, thread)] as const);
    return {
      schema: "gcspike.isolate/1",
      id: `${pid}-${threadId}`,
      pid,
      parentPid: 0,
      threadId,
      name,
      kind,
      script,
      node: node === "" ? "" : `v${node}`,
      v8: "",
      arch: arch(),
      platform: platform(),
      execArgv: ownOptions(command),
      startNs: this.#manifest.startNs,
      processSpace: processSpace(),
      heapLimitBytes: null,
      semiSpaceBytes: null,
      collectors: this.#wanted.allocations ? ["allocations", "ebpf"] : ["ebpf"],
      sampler: this.#wanted.allocations ? "ebpf" : null,
      warnings: [],
    };
  }

  #warnings(): readonly Warning[] {
    const warnings: Warning[] = [];
    if (this.#lost > 0) {
      warnings.push({
        code: "log-lost",
        message: `${plural(this.#lost, "event")} came faster than bpftrace reads, and are missing: pauses among them, perhaps.`,
        hint: "Watch fewer allocations: --min-bytes 1MiB, or --no-allocations.",
      });
    }
    const { javaScript } = this.#target;
    if (this.#wanted.allocations && typeof javaScript === "string") {
      warnings.push({
        code: "no-stacks",
        message: `Who allocated is not known: ${javaScript}.`,
        hint: "gcspike attach without --ebpf names functions in any version from Node 20 on.",
      });
    }
    const unknown = this.#withoutStack / this.#allocations;
    if (unknown > MANY_UNKNOWN) {
      warnings.push({
        code: "stacks-unknown",
        message: `Of ${plural(this.#allocations, "large allocation")} ${formatShare(unknown)} have no stack: a full collection, which moves functions, came before their names were read.`,
      });
    }
    return warnings;
  }
}

/** Names that Node and the system give to threads, and no program. */
const NO_NAMES = /^(node|node-MainThread|MainThread|WorkerThread|node-WorkerThr.*)$/;

/** A worker's own name, of which the system keeps 15 bytes since Node 24; "" where it has none. */
function threadName(pid: number, thread: number): string {
  try {
    const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim();
    return NO_NAMES.test(name) ? `thread ${thread}` : name;
  } catch {
    return `thread ${thread}`;
  }
}
