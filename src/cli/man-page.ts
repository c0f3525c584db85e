/** gcspike(1), made from the command line itself; scripts/build.mjs writes it to dist/gcspike.1. */
import { packageVersion } from "../lib/package.ts";
import { COMMANDS, createProgram } from "./main.ts";
import { type ArgumentOutline, type CommandOutline, flatten, type OptionOutline, outlineOf } from "./outline.ts";
import { NO_TERMINAL } from "./terminal.ts";

/** Text for roff: no character of it is a request, and those that it would make typography of stay what they are. */
function roff(text: string): string {
  const kept: Readonly<Record<string, string>> = {
    "\\": "e",
    "-": "-",
    "~": "(ti",
    "^": "(ha",
    "'": "(aq",
    "`": "(ga",
  };
  return text.replaceAll(/[\\\-~^'`]/g, (character) => `\\${kept[character]}`).replaceAll(/^\./gm, "\\&.");
}

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
const italic = (text: string): string => `\\fI${roff(text)}\\fR`;

function optionEntry({ names, value, description }: OptionOutline): string {
  const words = `${names.map(bold).join(", ")}${value === null ? "" : ` ${italic(value.words)}`}`;
  const choices = value === null || value.choices.length === 0 ? [] : [`one of ${value.choices.join(", ")}`];
  return `.TP\n${words}\n${roff([description, ...choices].filter((text) => text !== "").join("; "))}\n`;
}

const argumentEntry = ({ words, description }: ArgumentOutline): string =>
  `.TP\n${italic(words)}\n${roff(description)}\n`;

function synopsis({ path, options, arguments: values }: CommandOutline): string {
  const words = [...(options.length > 0 ? ["[options]"] : []), ...values.map((value) => value.words)];
  return `.B gcspike ${roff(path)}\n${roff(words.join(" "))}\n.br\n`;
}

function example(line: string): string {
  return `.PP\n.RS\n.nf\n${roff(line)}\n.fi\n.RE\n`;
}

function section(command: CommandOutline): string {
  const examples = COMMANDS.find(({ name }) => name === command.path)?.examples ?? [];
  return [
    `.SS gcspike ${roff(command.path)}\n${roff(command.summary)}\n`,
    ...command.arguments.map(argumentEntry),
    ...command.options.map(optionEntry),
    ...(examples.length === 0 ? [] : [".PP\nExamples:\n", ...examples.map(example)]),
  ].join("");
}

const EXIT_CODES = {
  0: "Done; of check: no regression, within budget.",
  1: "check: a regression, or a budget was exceeded. simulate: the workload did not hold its rate.",
  2: "Wrong usage: nothing was run.",
  3: "check: the runs do not decide.",
  4: "gcspike itself failed; what was recorded is kept.",
  other: "record: the program's own exit code, or 128 + the number of the signal that ended it.",
};

const ENVIRONMENT = {
  "CI, NO_COLOR": "No colour, live line or spinner where one of them is set.",
  NODE_OPTIONS: "Options of the program stay; gcspike adds its own in front.",
  TMPDIR: "Where work trees of check and transactions of a workload stand meanwhile.",
};

const entries = (texts: Readonly<Record<string, string>>): string =>
  Object.entries(texts)
    .map(([term, text]) => `.TP\n${bold(term)}\n${roff(text)}\n`)
    .join("");

/** The page in roff, for man(7). */
export function manPage(): string {
  const program = outlineOf(createProgram({ terminal: NO_TERMINAL, finish: () => {} }));
  const commands = flatten(program).slice(1);
  return [
    `.TH GCSPIKE 1 "" "gcspike ${packageVersion()}" "User Commands"\n.nh\n.ad l\n`,
    ".SH NAME\ngcspike \\- record every garbage\\-collection pause of a Node.js program and explain it\n",
    `.SH SYNOPSIS\n${commands
      .filter(({ commands: below }) => below.length === 0)
      .map(synopsis)
      .join("")}`,
    `.SH DESCRIPTION\n${roff(program.summary)}\n`,
    `.SH COMMANDS\n${commands.map(section).join("")}`,
    `.SH OPTIONS\n${program.options.map(optionEntry).join("")}`,
    `.SH EXIT STATUS\n${entries(EXIT_CODES)}`,
    `.SH ENVIRONMENT\n${entries(ENVIRONMENT)}`,
    ".SH SEE ALSO\n.BR node (1)\n",
  ].join("");
}
