import { usageError } from "../lib/errors.ts";

/** The argument of `gcspike <command> <pid>`. Throws a usage error. */
export function parsePid(text: string): number {
  const pid = Number(text);
  if (/^\d{1,10}$/.test(text) && pid > 0) return pid;
  throw usageError(
    `"${text}" is no process id.`,
    "Give a number, such as 4121 (find it: gcspike top, or pgrep -af node).",
  );
}
