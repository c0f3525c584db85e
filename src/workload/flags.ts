/** The flags of a workload: one table for its own command line, for `gcspike simulate` and for `gcspike record --workload`. */
import { usageError } from "../lib/errors.ts";
import { formatMs, parseDuration } from "../lib/units.ts";

export interface Flag {
  /** Without the dashes: "block-time". */
  readonly name: string;
  /** As --help shows it: "<duration>". */
  readonly argument: string;
  readonly summary: string;
  /** As somebody would type it; undefined: it must be given. */
  readonly default: string | undefined;
}

/** What was typed, by the flag's name. */
export type FlagWords = Readonly<Record<string, string | undefined>>;

/** The word of a flag, or its default. @throws a usage error where neither is there */
export function wordOf(flags: readonly Flag[], words: FlagWords, name: string): string {
  const word = words[name] ?? flags.find((flag) => flag.name === name)?.default;
  if (word === undefined) throw usageError(`--${name} is missing.`, `Give it a value: --${name} ...`);
  return word;
}

/** One of `choices`. @throws a usage error that lists them */
export function oneOf<T extends string | number>(name: string, word: string, choices: readonly T[]): T {
  const choice = choices.find((one) => String(one) === word);
  if (choice === undefined) throw usageError(`--${name} cannot be "${word}".`, `Choose one of: ${choices.join(", ")}.`);
  return choice;
}

/** A whole number from `least` to `most`, written with digits. @throws a usage error that says so */
export function wholeNumber(name: string, word: string, least: number, most: number): number {
  const value = /^\d+$/.test(word) ? Number(word) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usageError(
    `--${name} cannot be "${word}".`,
    `Write a whole number from ${least.toLocaleString("en-US")} to ${most.toLocaleString("en-US")}, without separators.`,
  );
}

/** A duration from `leastMs` to `mostMs`, ms. @throws a usage error that says so */
export function durationMs(name: string, word: string, leastMs: number, mostMs: number): number {
  const ms = parseDuration(`--${name}`, word);
  if (ms >= leastMs && ms <= mostMs) return ms;
  throw usageError(`--${name} cannot be ${word}.`, `Give a duration from ${formatMs(leastMs)} to ${formatMs(mostMs)}.`);
}

/** For node:util's parseArgs: all of them take a text. */
export function textOptions(flags: readonly Flag[]): Record<string, { readonly type: "string" }> {
  return Object.fromEntries(flags.map(({ name }) => [name, { type: "string" }]));
}

/** `words` as they stand on a command line: `["--mode", "mmap", ...]`. */
export function commandWords(flags: readonly Flag[], words: FlagWords): string[] {
  return flags.flatMap(({ name }) => {
    const word = words[name];
    return word === undefined ? [] : [`--${name}`, word];
  });
}
