/**
 * The bpftrace program: a line an event, which events.ts reads.
 *
 *     T <now>                                   ten times a second, so that the reader knows how far it is
 *     C <now> <thread> <reason>                 Heap::CollectGarbage begins
 *     M <now> <thread> <reason>                 Heap::StartIncrementalMarking begins
 *     P <now> <thread> <type> <flags> <times>   a pause begins; E, the same: it ends
 *     S <now> <thread> <start>                  a step of incremental marking has ended
 *     B <now> <thread> <bytes> <before>         memory of an ArrayBuffer; L, the same: a large object
 *     F <now> <thread> <pc> <function>          a frame of the event of that thread at that time: where it goes on, and what
 *                                               its function's SharedFunctionInfo is; in hexadecimal, innermost first
 *
 * Times are ns; <times> are what the kernel counts of the thread: CPU time at the last moment that it was brought up to date, when that
 * was, the processor, time waiting for one (ns), switches that the thread and that others wanted, minor and major page faults. <before>: bytes
 * of allocations that were left out because they came too fast, since the last one that was not.
 *
 * Functions are watched at their begin alone: a probe on their return would put another return address on the thread's stack. Only a
 * step has one, because nothing else tells its end.
 */
import type { HeapLayout } from "./heap-layout.ts";
import type { Watched } from "./v8-functions.ts";

/** Functions of C++ between an allocation and the innermost of JavaScript, and V8's own between those. */
const OTHER_FRAMES = 16;
/**
 * Allocations of a thread in a tenth of a second that are told one by one: with its stack each takes some 10 us, so that a program
 * that does nothing else goes on with 98 % of its speed.
 */
const MOST_ALLOCATIONS = 200;

export interface Watching {
  readonly pid: number;
  /** The program's file as bpftrace is to name it. */
  readonly binary: string;
  readonly addresses: Readonly<Record<Watched, number>>;
  /** Null: no stacks. */
  readonly layout: HeapLayout | null;
  /** Smaller allocations are left out; null: all are. */
  readonly minBytes: number | null;
  /** Frames of JavaScript a stack. */
  readonly depth: number;
}

export function bpftraceProgram(watching: Watching): string {
  const { pid, binary, addresses, minBytes } = watching;
  // Several functions share a program: bpftrace compiles each, and the kernel checks it, which takes the longest with a walk in it.
  const at = (...which: readonly Watched[]): string =>
    which.map((one) => `uprobe:${binary}:0x${addresses[one].toString(16)}`).join(", ");
  const walk = frames(watching);
  const allocated = (functions: string, letter: string, bytes: string): string =>
    `${functions} /pid == ${pid} && ${bytes} >= ${minBytes}/ { ${allocation(letter, bytes, walk)} }`;
  const allocations = [
    allocated(at("allocate", "allocateUninitialized"), "B", "arg1"),
    allocated(at("allocateLarge"), "L", "arg2"),
  ];
  return `${[
    `${at("collect")} /pid == ${pid}/ { $now = nsecs; printf("C %lld %d %d\\n", $now, tid, arg2); ${walk} }`,
    `${at("startMarking")} /pid == ${pid}/ { printf("M %lld %d %d\\n", nsecs, tid, arg2); }`,
    `${at("prologue")} /pid == ${pid}/ { ${pauseEdge("P")} }`,
    `${at("epilogue")} /pid == ${pid}/ { ${pauseEdge("E")} }`,
    `${at("step")} /pid == ${pid}/ { @step[tid] = nsecs; }`,
    `uretprobe:${binary}:0x${addresses.step.toString(16)} /@step[tid]/ { printf("S %lld %d %lld\\n", nsecs, tid, @step[tid]); delete(@step[tid]); }`,
    ...(minBytes === null ? [] : allocations),
    `interval:ms:100 { ${minBytes === null ? "" : "clear(@taken); "}printf("T %lld\\n", nsecs); }`,
  ].join("\n")}\n`;
}

function pauseEdge(letter: string): string {
  const counts = "cpu, $t->sched_info.run_delay, $t->nvcsw, $t->nivcsw, $t->min_flt, $t->maj_flt";
  const values = `nsecs, tid, arg1, arg2, $t->se.sum_exec_runtime, $t->se.exec_start, ${counts}`;
  return `$t = (struct task_struct *)curtask; printf("${letter} %lld %d %d %d %llu %llu %d %llu %llu %llu %llu %llu\\n", ${values});`;
}

function allocation(letter: string, bytes: string, walk: string): string {
  const tell = `$now = nsecs; printf("${letter} %lld %d %llu %llu\\n", $now, tid, ${bytes}, @left[tid]); @left[tid] = 0; ${walk}`;
  return `@taken[tid] = @taken[tid] + 1; if (@taken[tid] <= ${MOST_ALLOCATIONS}) { ${tell} } else { @left[tid] = @left[tid] + ${bytes}; }`;
}

/**
 * From frame to frame, by the frame pointers that V8's code and Node's own keep. A frame of JavaScript has its context and its function
 * at fixed places; V8's other frames have a small integer instead of the context, and C++ has anything, which its pc tells.
 */
function frames({ layout, depth }: Watching): string {
  if (layout === null) return "";
  const { frameContextOrType, frameFunction, functionShared } = layout;
  const near = (offset: number): string => (offset < 0 ? `- ${-offset}` : `+ ${offset}`);
  const tell = `printf("F %lld %d %llx %llx\\n", $now, tid, $pc, *(uint64*)($function ${near(functionShared - 1)})); $told = $told + 1;`;
  const look = `$context = *(uint64*)($frame ${near(frameContextOrType)}); $function = *(uint64*)($frame ${near(frameFunction)}); if (($context & 3) == 1 && ($function & 3) == 1) { ${tell} }`;
  const step = `if ($frame > 4096 && $told < ${depth}) { ${look} $pc = *(uint64*)($frame + 8); $frame = *(uint64*)$frame; }`;
  return `$frame = reg("bp"); $pc = *(uint64*)reg("sp"); $told = 0; unroll(${depth + OTHER_FRAMES}) { ${step} }`;
}
