import { readFileSync } from "node:fs";

/** Bytes that are free on this machine, or used for what can be dropped at once. Null: the system does not tell, only Linux does. */
export function memAvailable(): number | null {
  try {
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}
