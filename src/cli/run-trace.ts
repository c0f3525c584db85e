/** `gcspike attach --ebpf`: progress while it runs, a summary at the end. */
import { ExitCode, usageError } from "../lib/errors.ts";
import { programName } from "../lib/program-name.ts";
import { plainText } from "../lib/text.ts";
import { formatMs } from "../lib/units.ts";
import { type TraceOptions, trace } from "../recorder/ebpf/trace.ts";
import { printJson } from "./json-output.ts";
import type { LiveLine } from "./live-line.ts";
import { recorded } from "./recorded.ts";
import { startLiveLine, summarise } from "./recording-summary.ts";
import { untilStopSignal } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

export interface TraceFlags {
  readonly output?: string;
  /** ms */
  readonly duration?: number;
  /** ms */
  readonly spike?: number;
  readonly allocations: boolean;
  readonly name?: string;
  /** bytes */
  readonly minBytes?: number;
  readonly depth?: number;
  readonly function?: RegExp;
  readonly json?: true;
}

function targetOf(pid: number | undefined, name: string | undefined): TraceOptions["target"] {
  if (pid !== undefined && name === undefined) return { pid };
  if (pid === undefined && name !== undefined && name !== "") return { name };
  throw usageError(
    pid === undefined ? "There is neither a process id nor a name." : "There is both a process id and --name.",
    "Give one of them: gcspike attach 4121 --ebpf, or gcspike attach --ebpf --name api",
  );
}

/** Records a process that runs, until a signal, the end of `--duration` or the end of the program. Returns exit code 0. */
export async function runTrace(pid: number | undefined, flags: TraceFlags, terminal: Terminal): Promise<number> {
  const { output, duration, spike, allocations, minBytes, depth } = flags;
  const target = targetOf(pid, flags.name);
  const stop = untilStopSignal();
  let line: LiveLine | undefined;
  let timer: NodeJS.Timeout | undefined;
  let who = "";
  try {
    const options = { target, output, allocations, minBytes, depth, function: flags.function, spikeMs: spike };
    const result = await trace({ ...options, signal: stop.signal }, (tracing) => {
      const name = plainText(programName(tracing.command), 40);
      who = `${name} (pid ${tracing.pid})`;
      const until = duration === undefined ? "Ctrl-C" : `${formatMs(duration)} or Ctrl-C`;
      terminal.err(`  recording ${who} until ${until}, through the kernel: nothing is loaded into it.\n`);
      if (terminal.interactive) line = startLiveLine(terminal, name, tracing.path, tracing.pid);
      if (duration !== undefined) timer = setTimeout(stop.abort, duration);
    });
    line?.stop();
    terminal.err("\n");
    const how = result.programEnded ? `${who} ended` : `Let go of ${who}`;
    terminal.err(await summarise(`${how} after ${formatMs(result.durationMs)}`, result, terminal));
    printJson(flags.json, () => recorded(result), terminal);
    return ExitCode.ok;
  } finally {
    line?.stop();
    clearTimeout(timer);
    stop.release();
  }
}
