/** Where a process id means one certain process. */
import { readFileSync, readlinkSync } from "node:fs";

/** On Linux, the boot of the machine and the PID namespace of this process; null elsewhere. */
export function processSpace(): string | null {
  try {
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return null;
  }
}
