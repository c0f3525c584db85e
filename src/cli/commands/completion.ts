import { Argument, type Command } from "commander";
import { ExitCode } from "../../lib/errors.ts";
import type { CommandSpec } from "../command.ts";
import { SHELLS, type Shell } from "../completion/shells.ts";

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

export const completionCommand: CommandSpec = {
  name: "completion",
  summary: "print a script that completes gcspike's commands and options in a shell",
  examples: [
    "echo 'source <(gcspike completion bash)' >> ~/.bashrc",
    "echo 'source <(gcspike completion zsh)' >> ~/.zshrc",
    "gcspike completion fish > ~/.config/fish/completions/gcspike.fish",
  ],
  configure: (command, { terminal, finish }) => {
    command.addArgument(new Argument("<shell>", "bash, zsh or fish").choices(SHELLS)).action(async (shell: Shell) => {
      const { completionScript } = await import("../run-completion.ts");
      terminal.out(completionScript(shell, rootOf(command)));
      finish(ExitCode.ok);
    });
  },
};
