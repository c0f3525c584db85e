/** NODE_OPTIONS as Node parses it, and where options for the target's Node have to stand. */
import { basename } from "node:path";
import { usageError } from "../lib/errors.ts";

/** One word of NODE_OPTIONS: Node splits at spaces, except inside double quotes, where a backslash escapes one character. */
export function quoteNodeOption(word: string): string {
  return `"${word.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Splits text by the same rules. Throws a usage error where a quote stays open; `flag` is named in it. */
export function splitNodeOptions(flag: string, text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    let character = text.charAt(index);
    if (character === "\\" && quoted) {
      index++;
      character = text.charAt(index);
    } else if (character === " " && !quoted) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    } else if (character === '"') {
      quoted = !quoted;
      word ??= "";
      continue;
    }
    word = (word ?? "") + character;
  }
  if (quoted) throw usageError(`${flag} has a double quote without its partner: ${text}`, "Close the quote.");
  if (word !== null) words.push(word);
  return words;
}

/** Is this command Node itself, so that options may stand behind its name? */
export function isNode(program: string): boolean {
  return program === process.execPath || /^node(js)?(\.exe)?$/.test(basename(program));
}

/** An option and the words behind it that are no options: `--require ./x.js`. */
function groupOptions(words: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (const word of words) {
    const last = groups.at(-1);
    if (word.startsWith("-") || last === undefined) groups.push([word]);
    else last.push(word);
  }
  return groups;
}

export interface NodeArguments {
  /** Options that NODE_OPTIONS may hold: child processes and programs started through a wrapper get them too. */
  readonly environment: readonly string[];
  /** Options that only Node's command line takes. */
  readonly commandLine: readonly string[];
}

/**
 * Decides for each option of `--node-args` where it goes. Throws a usage error that names an option which only a command
 * line takes while the command is not Node itself.
 */
export function planNodeArguments(words: readonly string[], program: string): NodeArguments {
  const environment: string[] = [];
  const commandLine: string[] = [];
  for (const group of groupOptions(words)) {
    const option = group[0] ?? "";
    // "-" is a program from stdin, and "--" ends the options: the agent's would not be seen behind it.
    if (!option.startsWith("-") || option === "-" || option === "--") {
      throw usageError(
        `--node-args cannot hold "${option}": it is no option of Node.`,
        'Write options: --node-args "--max-semi-space-size=64"',
      );
    }
    if (process.allowedNodeEnvironmentFlags.has(option.replace(/=.*$/s, ""))) environment.push(...group);
    else commandLine.push(...group);
  }
  if (commandLine.length > 0 && !isNode(program)) {
    throw usageError(
      `--node-args cannot pass ${commandLine[0]} to "${program}": Node takes it on its own command line only, not in NODE_OPTIONS.`,
      "Start the program with node itself: gcspike record --node-args ... -- node <script>",
    );
  }
  return { environment, commandLine };
}

/** NODE_OPTIONS for the target: the agent first, then what was there already, then the options of `--node-args`. */
export function targetNodeOptions(preload: string, existing: string | undefined, added: readonly string[]): string {
  const agent = `--require ${quoteNodeOption(preload)}`;
  // A gcspike inside a recorded program finds the agent there already; loading it twice would record everything twice.
  const others = (existing ?? "").replace(agent, "").trim();
  return [agent, others, ...added.map(quoteNodeOption)].filter((part) => part !== "").join(" ");
}

/** Node 20's name of it; there, unlike later, a program under it may not even load what NODE_OPTIONS tells it to. */
const PERMISSION = "--experimental-permission";

/** The options at the front of Node's arguments; one whose value is a word of its own ends them. */
export function leadingOptions(words: readonly string[]): readonly string[] {
  const script = words.findIndex((word) => !word.startsWith("-"));
  return script < 0 ? words : words.slice(0, script);
}

/**
 * Node options that let a program under the permission model read what records it. Only where the program has that model:
 * without it, Node refuses them.
 */
export function permissionToRead(words: readonly string[], paths: readonly string[]): readonly string[] {
  return words.includes(PERMISSION) ? paths.map((path) => `--allow-fs-read=${path}`) : [];
}
