/** `gcspike attach`: progress while it runs, a summary at the end. */
import { ExitCode } from "../lib/errors.ts";
import { programName } from "../lib/program-name.ts";
import { plainText } from "../lib/text.ts";
import { formatMs } from "../lib/units.ts";
import { type Attached, attach } from "../recorder/attach/attach.ts";
import type { FlightOptions } from "../recorder/flight/flight-options.ts";
import { dumpLine, startArmedLine, summariseFlight } from "./flight-output.ts";
import { haveProbe } from "./have-native.ts";
import { printJson } from "./json-output.ts";
import type { LiveLine } from "./live-line.ts";
import { recorded } from "./recorded.ts";
import { startLiveLine, summarise } from "./recording-summary.ts";
import { untilStopSignal } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

export interface AttachFlags {
  readonly output?: string;
  /** ms */
  readonly duration?: number;
  /** ms */
  readonly spike?: number;
  readonly phases: boolean;
  readonly allocations: boolean;
  readonly flight?: FlightOptions | undefined;
  readonly json?: true;
}

/** Records a process that runs, until a signal, the end of `--duration` or the end of the program. Returns exit code 0. */
export async function runAttach(pid: number, flags: AttachFlags, terminal: Terminal): Promise<number> {
  const { output, duration, spike, phases, allocations, flight: asked } = flags;
  await haveProbe(terminal);
  const stop = untilStopSignal();
  let line: LiveLine | undefined;
  let timer: NodeJS.Timeout | undefined;
  let name = "";
  try {
    const options = { pid, output, phases, allocations, spikeMs: spike, flight: asked, signal: stop.signal };
    const started = ({ path, command, inspectorWasOpen, flight }: Attached): void => {
      name = plainText(programName(command), 40);
      const inspector = inspectorWasOpen
        ? "Its inspector was open before, and stays open."
        : "Its stderr says that a debugger listened: Node prints that, and the port is closed again.";
      const until = duration === undefined ? "Ctrl-C" : `${formatMs(duration)} or Ctrl-C`;
      terminal.err(
        `  ${flight === null ? "recording" : "armed for"} ${name} (pid ${pid}) until ${until}. ${inspector}\n`,
      );
      if (terminal.interactive) {
        line = flight === null ? startLiveLine(terminal, name, path, pid) : startArmedLine(terminal, name, pid, flight);
      }
      if (duration !== undefined) timer = setTimeout(stop.abort, duration);
    };
    const result = await attach(options, { started, dumped: (dump) => terminal.err(dumpLine(dump)) });
    line?.stop();
    const how = result.programEnded ? `${name} ended` : `Let go of ${name} (pid ${pid})`;
    terminal.err("\n");
    const ended = `${how} after ${formatMs(result.durationMs)}`;
    terminal.err(asked === undefined ? await summarise(ended, result, terminal) : summariseFlight(ended, result));
    printJson(flags.json, () => recorded(result, asked !== undefined), terminal);
    return ExitCode.ok;
  } finally {
    line?.stop();
    clearTimeout(timer);
    stop.release();
  }
}
