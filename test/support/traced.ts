/** Programs that are watched from outside, by `gcspike attach --ebpf`. */
import { readdirSync, readFileSync } from "node:fs";
import { requireEbpf } from "../../src/recorder/ebpf/target.ts";
import type { IsolateData } from "../../src/recording/model.ts";

/** Why --ebpf does not work on this machine; null: it does. */
export const NO_EBPF: string | null = (() => {
  try {
    requireEbpf();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
})();

/** Process ids of the bpftrace that watch a process. */
export function bpftraceOn(pid: number): readonly number[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      return words[0] === "bpftrace" && words[words.indexOf("-p") + 1] === String(pid) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

/** Bytes of large allocations by the innermost function of the program on their stack; "" where there is none. */
export function bytesByFunction({ allocations }: IsolateData): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  if (allocations === null) return sums;
  const names = allocations.stacks.map(
    (stack) =>
      stack.map((frame) => allocations.frames[frame]).find((frame) => frame?.origin === "user")?.function ?? "",
  );
  for (const { samples } of allocations.windows) {
    for (const { stack, bytes } of samples) {
      const name = names[stack] ?? "";
      sums.set(name, (sums.get(name) ?? 0) + bytes);
    }
  }
  return sums;
}
