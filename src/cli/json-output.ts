/** `--json`: what a script reads of a command. docs/cli.md lists what each prints, docs/*.schema.json are the shapes. */
import type { Command } from "commander";
import { usageError } from "../lib/errors.ts";
import { jsonBytes } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

/** For a command with formats: `--json` is `--format json`. It throws a usage error beside another format. */
export function addJsonFormat(command: Command): void {
  command.option("--json", "the same as --format json").hook("preAction", () => {
    const { json, format } = command.opts<{ json?: true; format?: string }>();
    if (json !== true) return;
    if (format !== "json" && command.getOptionValueSource("format") === "cli") {
      throw usageError(`--json and --format ${format} do not go together.`, "Leave one out.");
    }
    command.setOptionValue("format", "json");
  });
}

/** For a command that has something to say, and no formats to say it in. */
export function addJsonFlag(command: Command, what: string): void {
  command.option("--json", `as JSON on stdout: ${what}`);
}

/** Prints `value`, where `--json` asks for it. */
export function printJson(isAsked: true | undefined, value: () => object, terminal: Terminal): void {
  if (isAsked === true) terminal.out(jsonBytes(value()));
}
