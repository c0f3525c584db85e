/** `gcspike report`: placeholder until the renderers stand. */
import { chooseFormat, type ReportFlags } from "./report-formats.ts";
import type { Terminal } from "./terminal.ts";

export async function runReport(_recording: string, flags: ReportFlags, _terminal: Terminal): Promise<number> {
  chooseFormat(flags);
  return 0;
}
