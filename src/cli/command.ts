/** What every command of the table looks like. */
import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";

export interface CommandContext {
  readonly terminal: Terminal;
  /** Called once by a command that came to its end: the exit code. Everything else is thrown. */
  readonly finish: (exitCode: number) => void;
}

/**
 * One command. `configure` only declares arguments and options; the implementation is imported when it runs, so that
 * `gcspike --help` loads none of it.
 */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** Shown by --help, a line each. */
  readonly examples: readonly string[];
  readonly configure: (command: Command, context: CommandContext) => void;
}
