/** `gcspike doctor`: what works on this machine, what does not, and the fix. */
import { ExitCode } from "../lib/errors.ts";
import { plainText } from "../lib/text.ts";
import { jsonBytes } from "../report/json.ts";
import { type CheckResult, type Diagnosis, diagnose, type Status } from "./doctor/checks.ts";
import { thisSystem } from "./doctor/system.ts";
import { haveAll } from "./have-native.ts";
import { withSpinner } from "./spinner.ts";
import type { Terminal } from "./terminal.ts";

const COLORS: Readonly<Record<Status, string>> = { works: "32", limited: "33", missing: "31" };

function renderCheck({ name, status, found, fix }: CheckResult, color: boolean): string {
  const word = status.padEnd(8);
  const line = `  ${color ? `\u001b[${COLORS[status]}m${word}\u001b[0m` : word} ${name.padEnd(12)} ${plainText(found, 300)}\n`;
  return fix === null ? line : `${line}${" ".repeat(24)}${fix}\n`;
}

/** The table that a person reads. */
export function renderDiagnosis({ recording, checks }: Diagnosis, color: boolean): string {
  const verdict = recording ? "Recording works here." : "Recording does not work here.";
  return `${checks.map((check) => renderCheck(check, color)).join("")}\n${verdict}\n`;
}

/** Returns 0 where recording works, 4 where it does not. */
export async function runDoctor(format: "terminal" | "json", terminal: Terminal): Promise<number> {
  await haveAll(terminal);
  const diagnosis = await withSpinner(terminal, "Trying out what works here", () => diagnose(thisSystem()));
  terminal.out(
    format === "json"
      ? jsonBytes({ schema: "gcspike.doctor/1", ...diagnosis })
      : renderDiagnosis(diagnosis, terminal.outColor),
  );
  return diagnosis.recording ? ExitCode.ok : ExitCode.failed;
}
