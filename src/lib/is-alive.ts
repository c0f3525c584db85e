import { readFileSync } from "node:fs";

/** Is there a process of this number, of whatever user, that has not ended? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that ended but was not waited for still has its number: in containers without an init, for good.
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    return code === "EPERM" || (syscall !== "kill" && process.platform !== "linux");
  }
}
