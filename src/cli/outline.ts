/** What the command line understands, as data: shell completion and the man page are made from it. */
import type { Argument, Command, Option } from "commander";

/** What a value is, by the name that help gives it. */
export type ValueKind = "file" | "folder" | "program" | "other";

export interface ValueOutline {
  /** As help writes it: "<duration>", "[command...]". */
  readonly words: string;
  readonly kind: ValueKind;
  readonly choices: readonly string[];
}

export interface OptionOutline {
  /** "-o" and "--output", what there is of them. */
  readonly names: readonly string[];
  readonly description: string;
  /** null: a switch. */
  readonly value: ValueOutline | null;
}

export interface ArgumentOutline extends ValueOutline {
  readonly description: string;
}

export interface CommandOutline {
  /** "" for gcspike itself, "simulate txpool" for a command's command. */
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionOutline[];
  readonly arguments: readonly ArgumentOutline[];
  readonly commands: readonly CommandOutline[];
}

function kindOf(words: string): ValueKind {
  if (/command/.test(words)) return "program";
  if (/DIR/.test(words)) return "folder";
  return /FILE|REC|recording|folder/.test(words) ? "file" : "other";
}

function optionOutline(option: Option): OptionOutline {
  const words = /[<[].*$/.exec(option.flags)?.[0];
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    description: option.description,
    value: words === undefined ? null : { words, kind: kindOf(words), choices: option.argChoices ?? [] },
  };
}

function argumentOutline(argument: Argument): ArgumentOutline {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  const words = argument.required ? `<${name}>` : `[${name}]`;
  return { words, kind: kindOf(words), choices: argument.argChoices ?? [], description: argument.description };
}

/** A command with all that is below it. */
export function outlineOf(command: Command, path = ""): CommandOutline {
  const help = command.createHelp();
  return {
    path,
    name: command.name(),
    summary: command.description(),
    options: help.visibleOptions(command).map(optionOutline),
    arguments: command.registeredArguments.map(argumentOutline),
    commands: help.visibleCommands(command).map((own) => outlineOf(own, `${path} ${own.name()}`.trim())),
  };
}

/** The command and all below it, itself first. */
export function flatten(outline: CommandOutline): readonly CommandOutline[] {
  return [outline, ...outline.commands.flatMap(flatten)];
}
