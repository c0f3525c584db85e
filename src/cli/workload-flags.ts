/** A workload's options on gcspike's own command line. */
import type { Command } from "commander";
import type { Flag, FlagWords } from "../workload/flags.ts";

/** Declares them, as text: the workload says what is wrong with a value. */
export function addFlags(command: Command, flags: readonly Flag[]): void {
  for (const flag of flags) {
    const otherwise = flag.default === undefined ? "" : ` (default: ${flag.default})`;
    command.option(`--${flag.name} ${flag.argument}`, `${flag.summary}${otherwise}`);
  }
}

/** Those that were given, of what commander parsed. */
export function givenWords(flags: readonly Flag[], parsed: Readonly<Record<string, unknown>>): FlagWords {
  const given = flags.flatMap(({ name }) => {
    const word = parsed[name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    return typeof word === "string" ? [[name, word] as const] : [];
  });
  return Object.fromEntries(given);
}
