/** Where the result of `gcspike check` goes: stdout, files, and what GitHub reads. */
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { CheckedRun } from "../analysis/check/check.ts";
import type { Check } from "../analysis/check/check-types.ts";
import { FlameRuns } from "../analysis/check/flame-difference.ts";
import { formatBytes } from "../lib/units.ts";
import { MANIFEST_FILE } from "../recording/manifest.ts";
import { githubAnnotations } from "../report/github-annotations.ts";
import type { CheckFlags, CheckFormat } from "./check-flags.ts";
import { writeReportFile } from "./files.ts";
import { readForPage } from "./run-compare.ts";
import type { Terminal } from "./terminal.ts";

export interface CheckOutput {
  readonly file: string;
  readonly format: CheckFormat;
}

interface ReportedSide {
  /** On the page: those of both are different. */
  readonly name: string;
  readonly runs: readonly CheckedRun[];
  /** Of the source files. */
  readonly root: string;
}

/** A check, and the runs that it is about, by side. */
export interface CheckOutcome {
  readonly result: Check;
  readonly sides: { readonly baseline: ReportedSide; readonly candidate: ReportedSide };
}

/** What of it can be written is written, the verdict first. @throws the first thing that could not */
export async function deliver(
  outcome: CheckOutcome,
  format: CheckFlags["format"],
  outputs: readonly CheckOutput[],
  terminal: Terminal,
): Promise<void> {
  const steps = [
    async () => terminal.out(await render(outcome, format ?? "terminal", terminal, false)),
    ...outputs.map(({ file, format }) => async () => {
      const bytes = await render(outcome, format, terminal, true);
      writeReportFile(file, bytes);
      terminal.err(`Wrote ${file} (${formatBytes(bytes.length)})\n`);
    }),
    ...(process.env.GITHUB_ACTIONS === "true" ? [() => tellGitHub(outcome, terminal)] : []),
  ];
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Nobody asked for it: where it cannot be written, the verdict is the same. */
async function tellGitHub(outcome: CheckOutcome, terminal: Terminal): Promise<void> {
  terminal.err(githubAnnotations(outcome.result));
  const file = process.env.GITHUB_STEP_SUMMARY ?? "";
  if (file === "") return;
  const text = await render(outcome, "markdown", terminal, true);
  try {
    appendFileSync(file, text);
  } catch (error) {
    terminal.err(`Cannot write the job's summary, ${file}: ${(error as NodeJS.ErrnoException).code}.\n`);
  }
}

async function render(
  outcome: CheckOutcome,
  format: CheckFormat,
  terminal: Terminal,
  toFile: boolean,
): Promise<Uint8Array> {
  const { result } = outcome;
  switch (format) {
    case "json":
      return (await import("../report/json.ts")).renderCheckJson(result);
    case "markdown":
      return (await import("../report/check-markdown.ts")).renderCheckMarkdown(result);
    case "junit":
      return (await import("../report/check-junit.ts")).renderCheckJunit(result);
    case "html":
      return renderPage(outcome);
    case "terminal": {
      const { renderCheckTerminal } = await import("../report/check-terminal.ts");
      return renderCheckTerminal(result, { color: terminal.outColor && !toFile, width: terminal.width() });
    }
  }
}

/** A baseline's file may name anything. */
const isRecording = (folder: string): boolean => existsSync(join(folder, MANIFEST_FILE));

/** The comparison of both sides, with the verdict above it. Runs whose recording is not here any more are left out. */
async function renderPage({ result, sides }: CheckOutcome): Promise<Uint8Array> {
  const [{ renderComparisonHtml }, { loadAssets }] = await Promise.all([
    import("../report/compare-html.ts"),
    import("../report/assets.ts"),
  ]);
  const { baseline, candidate } = sides;
  const columns = [baseline, candidate].map(({ name, runs }) => ({
    name,
    folders: runs.map(({ run }) => run.recording).filter(isRecording),
  }));
  const flames = new FlameRuns(result.sitesMeasure);
  const { view, pictures } = await readForPage(
    columns.filter((column) => column.folders.length > 0),
    (recording, column) =>
      column === candidate.name
        ? flames.add("candidate", recording, candidate.root)
        : flames.add("baseline", recording, baseline.root),
  );
  return renderComparisonHtml(view, pictures, loadAssets("compare"), { check: result, flames: flames.finish() });
}
