/** Completion for fish 3 and later. */
import { type CommandOutline, flatten, type OptionOutline, type ValueOutline } from "../outline.ts";

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** What stands behind an option: -x is no file, -r may be one. */
function valueFlags({ choices, kind }: ValueOutline): readonly string[] {
  if (choices.length > 0) return ["-x", "-a", quote(choices.join(" "))];
  if (kind === "folder") return ["-x", "-a", quote("(__fish_complete_directories)")];
  return [kind === "file" ? "-r" : "-x"];
}

function optionLine(at: string, { names, value, description }: OptionOutline): string {
  const flags = names.flatMap((name) => (name.startsWith("--") ? ["-l", name.slice(2)] : ["-s", name.slice(1)]));
  const words = [...flags, ...(value === null ? [] : valueFlags(value)), "-d", quote(description)];
  return `${at} ${words.join(" ")}`;
}

function lines({ path, options, arguments: values, commands }: CommandOutline): readonly string[] {
  const at = `complete -c gcspike -n ${quote(`__gcspike_at '${path}'`)}`;
  const choices = values.slice(0, 1).flatMap((value) => value.choices);
  return [
    ...commands.map(({ name, summary }) => `${at} -f -a ${name} -d ${quote(summary)}`),
    ...(choices.length > 0 ? [`${at} -f -a ${quote(choices.join(" "))}`] : []),
    ...options.map((option) => optionLine(at, option)),
  ];
}

/** The script that `gcspike completion fish | source` reads. */
export function fishCompletion(program: CommandOutline): string {
  const all = flatten(program);
  const steps = all.flatMap(({ path, commands }) =>
    commands.map(
      (command) => `      case ${quote(`${path} ${command.name}`)}\n        set path ${quote(command.path)}`,
    ),
  );
  return `# gcspike completion fish
# Is it this command whose words are written? Behind -- it is none of ours.
function __gcspike_at
  set -l path ''
  set -l words (commandline -opc)
  set -e words[1]
  for word in $words
    test "$word" = --; and return 1
    switch "$path $word"
${steps.join("\n")}
    end
  end
  test "$path" = "$argv[1]"
end
${all.flatMap(lines).join("\n")}
`;
}
