/**
 * Signals for the target.
 *
 * The target runs in gcspike's process group. A terminal sends Ctrl-C, Ctrl-\ and a hang-up to every process of its
 * foreground group, so the target has them already when gcspike sees them: forwarding would deliver them twice, and many
 * programs take a second SIGINT as "quit now". `kill PID`, a service manager or a CI runner send to gcspike alone, and then
 * forwarding is the only way. Node does not say who sent a signal, so the process group decides: a signal that terminals
 * send is the terminal's own while gcspike's group is in its foreground.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const FROM_TERMINALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT", "SIGHUP", "SIGCONT"];
const OTHERS: readonly NodeJS.Signals[] = ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGXCPU"];

/** Process group and the terminal's foreground group from /proc/PID/stat; the name in parentheses may contain anything. */
export function parseProcStat(stat: string): { readonly group: number; readonly foreground: number } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { group: Number(fields[2]), foreground: Number(fields[5]) };
}

/** Is gcspike's process group the foreground group of its terminal? Without a terminal: no. */
export function inForeground(): boolean {
  try {
    if (process.platform === "linux") {
      const { group, foreground } = parseProcStat(readFileSync("/proc/self/stat", "utf8"));
      return group === foreground;
    }
    const answer = execFileSync("ps", ["-o", "pgid=,tpgid=", "-p", String(process.pid)], { encoding: "utf8" });
    const [group, foreground] = answer.trim().split(/\s+/);
    return group !== undefined && group === foreground;
  } catch {
    return false;
  }
}

/**
 * Keeps gcspike alive through every signal that can be caught, and hands `forward` those that the target did not get from
 * the terminal, of which it `hasTerminal`'s in gcspike's process group. Returns the way back. SIGTSTP keeps its default action:
 * the shell's job control stops both alike.
 */
export function forwardSignals(forward: (signal: NodeJS.Signals) => void, hasTerminal: boolean): () => void {
  const fromTerminal = (signal: NodeJS.Signals): void => {
    if (!hasTerminal || !inForeground()) forward(signal);
  };
  for (const signal of FROM_TERMINALS) process.on(signal, fromTerminal);
  for (const signal of OTHERS) process.on(signal, forward);
  return () => {
    for (const signal of FROM_TERMINALS) process.off(signal, fromTerminal);
    for (const signal of OTHERS) process.off(signal, forward);
  };
}
