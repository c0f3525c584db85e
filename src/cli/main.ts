/** The command line: a table of commands, and the one place where errors become exit codes. */
import { Command, CommanderError } from "commander";
import { ExitCode, GcspikeError, usageError } from "../lib/errors.ts";
import { packageVersion } from "../lib/package.ts";
import type { CommandContext, CommandSpec } from "./command.ts";
import { agentCommand } from "./commands/agent.ts";
import { attachCommand } from "./commands/attach.ts";
import { checkCommand } from "./commands/check.ts";
import { compareCommand } from "./commands/compare.ts";
import { completionCommand } from "./commands/completion.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { exportCommand } from "./commands/export.ts";
import { recordCommand } from "./commands/record.ts";
import { recoverCommand } from "./commands/recover.ts";
import { reportCommand } from "./commands/report.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { topCommand } from "./commands/top.ts";
import { systemTerminal, type Terminal } from "./terminal.ts";

export const COMMANDS: readonly CommandSpec[] = [
  recordCommand,
  attachCommand,
  topCommand,
  recoverCommand,
  agentCommand,
  reportCommand,
  compareCommand,
  checkCommand,
  exportCommand,
  simulateCommand,
  doctorCommand,
  completionCommand,
];

function examples(lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function addCommand(program: Command, spec: CommandSpec, context: CommandContext): void {
  const command = program
    .command(spec.name)
    .description(spec.summary)
    .option("--verbose", "print stack traces of errors");
  spec.configure(command, context);
  command.addHelpText("after", examples(spec.examples));
}

/** The whole command line, declared; nothing is parsed. */
export function createProgram(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command("gcspike")
    .description("Records every garbage-collection pause of any Node.js program and explains it.")
    .version(packageVersion(), "-V, --version", "print the version")
    .option("--verbose", "print stack traces of errors")
    .enablePositionalOptions()
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      // Complaints are thrown, too, and printed as ours. What is left is the help of a command that needs another word.
      outputError: () => {},
      writeErr: terminal.out,
      getOutHelpWidth: terminal.width,
      getErrHelpWidth: terminal.width,
      getOutHasColors: () => terminal.outColor,
      getErrHasColors: () => terminal.errColor,
    });
  for (const spec of COMMANDS) addCommand(program, spec, context);
  return program.addHelpText("after", examples(["gcspike record -- node server.js", "gcspike report server.gcspike"]));
}

/** Commander's complaint as ours: what is wrong, and where the accepted form stands. */
function asUsageError(error: CommanderError, words: readonly string[]): GcspikeError {
  const command = COMMANDS.find((spec) => spec.name === words.find((word) => !word.startsWith("-")));
  const message = error.message.replace(/^error: /, "").replaceAll("\n", " ");
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}`;
  return usageError(
    /[.?)]$/.test(sentence) ? sentence : `${sentence}.`,
    `Accepted forms: gcspike ${command === undefined ? "" : `${command.name} `}--help`,
  );
}

function describe(error: unknown, verbose: boolean): string {
  const lines: string[] = [];
  if (error instanceof GcspikeError) {
    lines.push(`gcspike: ${error.message}`);
    if (error.kept !== undefined) lines.push(`  ${error.kept}`);
    if (error.hint !== undefined) lines.push(`  ${error.hint}`);
  } else {
    lines.push(`gcspike: internal error: ${error instanceof Error ? error.message : String(error)}`);
    if (!verbose)
      lines.push("  This is a fault in gcspike. Please report it with the output of the same command and --verbose.");
  }
  if (verbose && error instanceof Error)
    lines.push(error.stack ?? "", ...(error.cause === undefined ? [] : [String(error.cause)]));
  return `${lines.join("\n")}\n`;
}

/** Parses and runs one command line (without `node` and the script). Returns the exit code. */
export async function main(
  words: readonly string[],
  terminal: Terminal = systemTerminal(process.env),
): Promise<number> {
  let exitCode: number = ExitCode.ok;
  const program = createProgram({ terminal, finish: (code) => (exitCode = code) });
  try {
    if (words.length === 0) program.help();
    await program.parseAsync(words, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === "commander.help"))
      return ExitCode.ok;
    const failure = error instanceof CommanderError ? asUsageError(error, words) : error;
    terminal.err(describe(failure, isVerbose(program)));
    return failure instanceof GcspikeError ? failure.exitCode : ExitCode.failed;
  }
}

/** --verbose may stand before or behind the command's name. */
function isVerbose(program: Command): boolean {
  return [program, ...program.commands].some((command) => command.opts<{ verbose?: boolean }>().verbose === true);
}
