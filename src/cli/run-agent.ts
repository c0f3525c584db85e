/** `gcspike agent`: a program with `gcspike/agent` inside, as its variables have it. */
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { agentSettings, VARIABLES } from "../fleet/settings.ts";
import { GcspikeError, usageError } from "../lib/errors.ts";
import { packageRoot } from "../lib/package.ts";
import { targetNodeOptions } from "../recorder/node-options.ts";
import { foreground } from "../recorder/run-target.ts";
import { forwardSignals } from "../recorder/signals.ts";
import type { Terminal } from "./terminal.ts";

/** All as they were written: the variables say how. */
export interface AgentFlags {
  readonly port?: string;
  readonly otlp?: string;
  readonly ship?: string;
  readonly trigger?: readonly string[];
  readonly keep?: string;
  readonly maxDumps?: string;
  readonly maxDisk?: string;
  readonly dir?: string;
}

/** Runs it to its end. Returns the program's own exit code, or 128 + its signal. */
export async function runAgent(command: readonly string[], flags: AgentFlags, terminal: Terminal): Promise<number> {
  const [program = "", ...words] = command;
  const variables = variablesOf(flags);
  const env = { ...process.env, ...variables };
  const { listen, otlp, ship } = agentSettings(env);
  const agent = join(packageRoot(), "dist", "agent", "always-on.cjs");
  if (!existsSync(agent))
    throw new GcspikeError("installation", `${agent} is missing. Nothing was run.`, { hint: "Install gcspike again." });
  if (listen === null && otlp === null && ship === null) {
    terminal.err("  gcspike keeps dumps on this machine only: with --port, --otlp or --ship others may see them.\n");
  }
  const target = {
    program,
    arguments: words,
    cwd: undefined,
    env: { ...env, NODE_OPTIONS: targetNodeOptions(agent, process.env.NODE_OPTIONS, []) },
  };
  const run = foreground();
  const release = forwardSignals(run.signal, run.hasTerminal);
  try {
    const { code, signal } = await run.toEnd(target, () => {});
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (error) {
    throw usageError(
      `Cannot run "${program}": ${(error as NodeJS.ErrnoException).code ?? String(error)}.`,
      "Check the name.",
    );
  } finally {
    release();
  }
}

function variablesOf({ trigger, dir, ship, ...others }: AgentFlags): Readonly<Record<string, string>> {
  const words = {
    ...others,
    trigger: trigger?.join(","),
    dir: dir === undefined ? undefined : resolve(dir),
    // The program may have another current folder.
    ship: ship === undefined || /^\w+:/.test(ship) ? ship : resolve(ship),
  };
  return Object.fromEntries(
    Object.entries(VARIABLES).flatMap(([flag, variable]) => {
      const word = words[flag as keyof typeof words];
      return word === undefined ? [] : [[variable, word]];
    }),
  );
}
