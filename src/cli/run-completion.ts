/** `gcspike completion`: the script with which a shell completes gcspike's words. */
import type { Command } from "commander";
import { bashCompletion } from "./completion/bash.ts";
import { fishCompletion } from "./completion/fish.ts";
import type { Shell } from "./completion/shells.ts";
import { zshCompletion } from "./completion/zsh.ts";
import { type CommandOutline, outlineOf } from "./outline.ts";

const COMPLETIONS: Readonly<Record<Shell, (program: CommandOutline) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `program`: gcspike's whole command line. */
export function completionScript(shell: Shell, program: Command): string {
  return COMPLETIONS[shell](outlineOf(program));
}
