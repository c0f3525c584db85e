/** Completion for zsh 5 and later. */
import { type CommandOutline, flatten, type OptionOutline, type ValueOutline } from "../outline.ts";

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Between the brackets of what _arguments reads. */
function bracketed(text: string): string {
  return `[${text.replaceAll("\\", "\\\\").replaceAll(/[[\]]/g, "\\$&")}]`;
}

/** Between its colons: what a value is, and what completes it. A blank completes nothing. */
function valueSpec({ words, choices, kind }: ValueOutline): string {
  const actions = { folder: "_files -/", file: "_files", program: "_command_names -e", other: " " };
  return `:${words.replaceAll(":", "\\:")}:${choices.length > 0 ? `(${choices.join(" ")})` : actions[kind]}`;
}

/** `-o` and `--output` rule each other out; options that may be given again (budgets, files) say so in their description. */
function optionSpec({ names, value, description }: OptionOutline): string {
  const isRepeatable = /again for another|\.\.\./.test(`${description}${value?.words ?? ""}`);
  const before = isRepeatable ? "'*'" : quote(`(${names.join(" ")})`);
  const braces = names.length > 1 ? `{${names.join(",")}}` : names[0];
  return `${before}${braces}${quote(bracketed(description) + (value === null ? "" : valueSpec(value)))}`;
}

const functionName = (path: string): string => `_gcspike${path === "" ? "" : `_${path.replaceAll(/[ -]/g, "_")}`}`;

/** Words without an option; a program to run has words of its own. */
function argumentSpecs({ arguments: values }: CommandOutline): readonly string[] {
  return values.map((value, index) => {
    if (value.kind === "program") return quote(`*::${value.words}:_normal`);
    return quote(`${value.words.includes("...") ? "*" : index + 1}${valueSpec(value)}`);
  });
}

function functionOf(command: CommandOutline): string {
  const options = command.options.map(optionSpec);
  const name = functionName(command.path);
  if (command.commands.length === 0) {
    const specs = [...options, ...argumentSpecs(command)].map((spec) => ` \\\n    ${spec}`).join("");
    return `${name}() {\n  _arguments -s -S${specs}\n}`;
  }
  const described = command.commands.map(({ name: word, summary }) => quote(`${word}:${summary}`)).join("\n    ");
  const specs = [...options, "'1: :->command'", "'*:: :->words'"].map((spec) => ` \\\n    ${spec}`).join("");
  const cases = command.commands.map((own) => `        ${own.name}) ${functionName(own.path)} ;;`).join("\n");
  return `${name}() {
  local curcontext="$curcontext" state state_descr line
  typeset -A opt_args
  local -a commands=(
    ${described}
  )
  _arguments -C -S${specs}
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
${cases}
      esac ;;
  esac
}`;
}

/** The script that `source <(gcspike completion zsh)` reads, and a file `_gcspike` of $fpath. */
export function zshCompletion(program: CommandOutline): string {
  return `#compdef gcspike
# gcspike completion zsh
${flatten(program).map(functionOf).join("\n")}
if [[ $funcstack[1] == _gcspike ]]; then _gcspike "$@"; else compdef _gcspike gcspike; fi
`;
}
