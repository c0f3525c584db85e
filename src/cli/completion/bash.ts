/** Completion for bash 3.2 and later. */
import { type CommandOutline, flatten, type ValueOutline } from "../outline.ts";

/** Words for bash, none of which needs quoting: names of commands, options and choices. */
function wordList(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$word"))`;
}

/** null: names of files, which bash offers where there is nothing else. */
function complete({ choices, kind }: ValueOutline): string | null {
  if (choices.length > 0) return wordList(choices);
  if (kind === "folder") return 'COMPREPLY=($(compgen -d -- "$word"))';
  return null;
}

function valueCases({ path, options }: CommandOutline): readonly string[] {
  return options.flatMap(({ names, value }) => {
    if (value === null) return [];
    const patterns = names.map((name) => `"${path} ${name}"`).join(" | ");
    const reply = complete(value);
    return [`    ${patterns})${reply === null ? "" : ` ${reply};`} return ;;`];
  });
}

function wordCase({ path, options, arguments: values, commands }: CommandOutline): string {
  const own = options.flatMap(({ names }) => names);
  const first = [...commands.map(({ name }) => name), ...values.slice(0, 1).flatMap(({ choices }) => choices)];
  const lines = [`if [[ $word == -* ]]; then ${wordList(own)}`];
  if (first.length > 0) lines.push(`else ${wordList(first)}`);
  return `    "${path}") ${lines.join("; ")}; fi ;;`;
}

/** The script that `source <(gcspike completion bash)` reads. */
export function bashCompletion(program: CommandOutline): string {
  const all = flatten(program);
  const steps = all.flatMap(({ path, commands }) =>
    commands.map((command) => `      "${path} ${command.name}") path="${command.path}" ;;`),
  );
  return `# gcspike completion bash
_gcspike() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" path= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      # The program to run, then what are most likely files.
      if ((i + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$word")); fi
      return
    fi
    case "$path \${COMP_WORDS[i]}" in
${steps.join("\n")}
    esac
  done
  case "$path $previous" in
${all.flatMap(valueCases).join("\n")}
  esac
  case "$path" in
${all.map(wordCase).join("\n")}
  esac
}
complete -o default -F _gcspike gcspike
`;
}
