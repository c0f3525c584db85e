import { closeSync, readdirSync, readFileSync } from "node:fs";

const CLOSE_ON_EXEC = 0o2000000;
const STANDARD_STREAMS = 3;

/**
 * Closes the program's files that this process was started with: Node keeps those with low numbers from its children, not a lock at 200 or
 * a pipe of the shell's. All of Node's own are opened to be closed when another program runs, so that what is not was open before.
 * On Linux; on macOS nothing is inherited but the standard streams.
 */
export function closeInherited(): void {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    if (descriptor >= STANDARD_STREAMS && isInherited(descriptor)) closeSync(descriptor);
  }
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1] ?? "";
    return flags !== "" && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // It was that of the folder.
    return false;
  }
}
