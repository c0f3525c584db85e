/** A spinner for work after which something is printed; the target has ended, so the terminal is gcspike's own. */
import type { Terminal } from "./terminal.ts";

/** Runs `work`; on a terminal that takes it, stderr says `text` meanwhile. */
export async function withSpinner<T>(terminal: Terminal, text: string, work: () => Promise<T>): Promise<T> {
  if (!terminal.interactive) return work();
  const { default: ora } = await import("ora");
  // stdin stays untouched: it may belong to what runs next.
  const spinner = ora({ text, isEnabled: true, discardStdin: false, hideCursor: false }).start();
  try {
    return await work();
  } finally {
    spinner.stop();
  }
}
