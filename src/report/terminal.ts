import type { ReportView } from "./view-model.ts";

export interface TerminalOptions {
  readonly color: boolean;
  /** Columns of the terminal; lines that would be longer are cut. */
  readonly width: number;
  /** Path of the recording as the reader would type it; the name of its folder where left out. */
  readonly recording?: string;
}

/** The report for a terminal, UTF-8. */
export function renderTerminal(_view: ReportView, _options: TerminalOptions): Uint8Array {
  throw new Error("not written yet");
}

/** The few lines that `gcspike record` prints when the program has ended, with a newline at their end. */
export function renderSummary(_view: ReportView, _options: TerminalOptions): string {
  throw new Error("not written yet");
}
