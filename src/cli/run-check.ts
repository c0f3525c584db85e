/** `gcspike check`: makes the runs that a check compares, and says what they mean. */
import { existsSync, readdirSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { calibrate } from "../analysis/check/calibrate.ts";
import { type CheckedRun, type CheckRequest, check, isDecided, questionsOf } from "../analysis/check/check.ts";
import type { Check } from "../analysis/check/check-types.ts";
import type { Design } from "../analysis/check/judge.ts";
import { encodeBaseline, readBaseline } from "../check/baseline-file.ts";
import { parseBudget } from "../check/budget-words.ts";
import { withoutHook } from "../check/git.ts";
import { makePairs, type Runs } from "../check/pairs.ts";
import { requireComparable } from "../check/same-machine.ts";
import { setUp } from "../check/setup.ts";
import { checkedRun, type RunOptions, type Side } from "../check/side.ts";
import { countedIn, parseWork } from "../check/work.ts";
import { environmentIn, openWorktree, requireFolder, requireInBoth, type Worktree } from "../check/worktree.ts";
import { ExitCode, GcspikeError, usageError } from "../lib/errors.ts";
import { shellWord } from "../lib/shell.ts";
import { plural, shortName } from "../lib/text.ts";
import { parseDuration } from "../lib/units.ts";
import { createGroupFolder } from "../recorder/folder.ts";
import { readRecording } from "../recording/read-recording.ts";
import { durationMs, wholeNumber } from "../workload/flags.ts";
import { type CheckFlags, type CheckFormat, chooseMetrics, formatOfFile, requireEffect } from "./check-flags.ts";
import { type CheckOutput, deliver } from "./check-output.ts";
import { requireWritable, writeReportFile } from "./files.ts";
import { haveProbe } from "./have-native.ts";
import { withSpinner } from "./spinner.ts";
import { stoppable } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

/** At most one check in a hundred calls a regression what is none. */
const FALSE_ALARM = 0.01;
/** At most one in ten passes what is worse by exactly what is allowed. */
const MISS = 0.1;
const DEFAULT_RUNS = "10";
const MOST_RUNS = 200;
const DEFAULT_TIMEOUT = "10m";
/** A week. */
const MOST_TIMEOUT_MS = 7 * 24 * 3_600_000;

type Mode = "against" | "baseline" | "budget" | "calibrate" | "save";

interface Plan {
  readonly mode: Mode;
  readonly command: readonly string[];
  readonly flags: CheckFlags;
  readonly request: Omit<CheckRequest, "baseline" | "candidate" | "isOver">;
  readonly options: RunOptions;
  readonly outputs: readonly CheckOutput[];
  readonly kept: readonly CheckedRun[];
  readonly maxTimeMs: number;
}

/** Runs a check. Returns the exit code of its verdict; what goes wrong is thrown. */
export async function runCheck(command: readonly string[], flags: CheckFlags, terminal: Terminal): Promise<number> {
  const plan = await planOf(command, flags, terminal);
  await haveProbe(terminal);
  const folder = relative(process.cwd(), createGroupFolder("check", new Date()));
  try {
    return await stoppable(async (throwIfStopped) => {
      const stop = (): void =>
        throwIfStopped(isEmpty(folder) ? "Nothing was recorded." : `What was recorded is in ${folder}.`);
      const worktree = flags.against === undefined ? null : await opened(flags.against, stop);
      try {
        if (worktree !== null) await prepare(worktree, plan, folder, terminal, stop);
        return await compareRuns(plan, worktree, folder, terminal, stop);
      } finally {
        await worktree?.close().catch((error) => terminal.err(leftBehind(error)));
      }
    });
  } finally {
    removeIfEmpty(folder);
  }
}

/** A work tree that is there has to be closed, also where a signal came meanwhile. */
function opened(ref: string, stop: () => void): Promise<Worktree> {
  return openWorktree(ref, process.cwd()).catch((error) => {
    stop();
    throw error;
  });
}

/** What was ended by a signal did not fail. */
async function stopping<T>(stop: () => void, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    stop();
  }
}

/** The verdict stands, whatever could not be removed. */
function leftBehind(error: unknown): string {
  if (!(error instanceof GcspikeError)) throw error;
  return `gcspike: ${error.message}\n  ${error.hint}\n`;
}

/** Also where the program took it away. */
const isEmpty = (folder: string): boolean => !existsSync(folder) || readdirSync(folder).length === 0;

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It has recordings.
  }
}

/** Everything that can be wrong with the words, before anything is run. */
async function planOf(command: readonly string[], flags: CheckFlags, terminal: Terminal): Promise<Plan> {
  const mode = modeOf(flags);
  if (flags.setup !== undefined && flags.against === undefined) {
    throw usageError("--setup makes the work tree of --against ready, which is missing.", "Add --against REF");
  }
  if (flags.format === "html" && terminal.outIsTerminal) {
    throw usageError("An HTML page is not for a terminal.", "Write it to a file: -o check.html");
  }
  const outputs = (flags.output ?? []).map((file) => ({ file, format: formatOfFile(file) }));
  requireEffect(
    flags,
    outputs.map(({ format }) => format),
  );
  for (const file of [
    ...outputs.map((output) => output.file),
    ...(flags.saveBaseline === undefined ? [] : [flags.saveBaseline]),
  ]) {
    requireWritable(file);
  }
  const work = parseWork(flags.work);
  const mostRuns = wholeNumber(
    "runs",
    flags.runs ?? DEFAULT_RUNS,
    mode === "budget" || mode === "save" ? 1 : 2,
    MOST_RUNS,
  );
  const design: Design = { mostRuns, paired: mode !== "baseline", falseAlarm: FALSE_ALARM, miss: MISS };
  const kept = mode === "baseline" ? await readKept(flags, work) : [];
  return {
    mode,
    command,
    flags,
    request: {
      ...chooseMetrics(flags),
      baselineName: flags.against ?? (mode === "calibrate" ? "itself" : "the baseline"),
      budgets: (flags.budget ?? []).map(parseBudget),
      design,
      workName: flags.work === undefined ? "" : flags.work,
    },
    options: {
      nodeArgs: flags.nodeArgs,
      timeoutMs: durationMs("timeout", flags.timeout ?? DEFAULT_TIMEOUT, 1, MOST_TIMEOUT_MS),
      work,
    },
    outputs,
    kept,
    maxTimeMs: flags.maxTime === undefined ? Number.POSITIVE_INFINITY : parseDuration("--max-time", flags.maxTime),
  };
}

function modeOf({ against, baseline, budget, calibrate: isCalibration, saveBaseline }: CheckFlags): Mode {
  const chosen: (readonly [Mode, string])[] = [
    ...(against === undefined ? [] : [["against", "--against"] as const]),
    ...(baseline === undefined ? [] : [["baseline", "--baseline"] as const]),
    ...(isCalibration === true ? [["calibrate", "--calibrate"] as const] : []),
    ...(saveBaseline === undefined ? [] : [["save", "--save-baseline"] as const]),
  ];
  const [first, second] = chosen;
  if (first !== undefined && second !== undefined)
    throw usageError(`${first[1]} and ${second[1]} do not go together.`, "Choose one.");
  if (first !== undefined) return first[0];
  if (budget !== undefined) return "budget";
  throw usageError(
    "There is nothing to check against. Nothing was run.",
    "Name a commit, --against main; or kept runs, --baseline FILE; or a limit, --budget 'pause.p99<5ms'",
  );
}

async function readKept(flags: CheckFlags, work: RunOptions["work"]): Promise<readonly CheckedRun[]> {
  const runs: CheckedRun[] = [];
  for (const path of flags.baseline ?? []) {
    const isFile = existsSync(path) && statSync(path).isFile();
    const read = isFile
      ? readBaseline(path, countedIn(flags.work))
      : [checkedRun(await readRecording(path), realpathSync(process.cwd()), work)];
    for (const run of read) runs.push(run);
  }
  return runs;
}

async function prepare(
  worktree: Worktree,
  plan: Plan,
  folder: string,
  terminal: Terminal,
  stop: () => void,
): Promise<void> {
  const { flags, command, options } = plan;
  const { against = "", setup } = flags;
  stop();
  requireFolder(against, worktree);
  if (setup !== undefined) {
    const environment = environmentIn(worktree, process.env);
    const work = () => setUp(setup, worktree.cwd, environment, join(folder, "setup.log"), options.timeoutMs);
    await stopping(stop, announced(terminal, `Setting up ${shortName(against, 60)}`, work));
  }
  requireInBoth(command, against, process.cwd(), worktree);
}

/** On a terminal a spinner, elsewhere a line. */
function announced<T>(terminal: Terminal, text: string, work: () => Promise<T>): Promise<T> {
  if (!terminal.interactive) terminal.err(`${text}\n`);
  return withSpinner(terminal, text, work);
}

async function compareRuns(
  plan: Plan,
  worktree: Worktree | null,
  folder: string,
  terminal: Terminal,
  stop: () => void,
): Promise<number> {
  const { mode, request, command, kept } = plan;
  const { mostRuns } = request.design;
  const here = realpathSync(process.cwd());
  const candidate: Side = {
    name: "candidate",
    command,
    cwd: here,
    env: withoutHook(process.env),
    root: worktree?.root ?? here,
    hint: `Make the program work first: ${command.map(shellWord).join(" ")}`,
  };
  const baseline = baselineSide(mode, candidate, worktree);
  const resultOf = (runs: Runs, isOver: boolean): Check =>
    check({
      ...request,
      isOver,
      baseline: mode === "baseline" ? kept : baseline === null ? null : runs.baseline,
      candidate: runs.candidate,
    });
  const runs = await makePairs(
    {
      baseline,
      candidate,
      mostRuns,
      untilMs: performance.now() + plan.maxTimeMs,
      folder,
      options: plan.options,
    },
    {
      around: async (side, run, make) => {
        const text = runText(side, run, mostRuns, baseline !== null);
        return await stopping(stop, announced(terminal, text, make));
      },
      warmedUp: (run) => {
        if (mode === "baseline" && plan.flags.force !== true) requireComparable(kept, run);
      },
      isDecided: (some) => mode !== "calibrate" && mode !== "save" && isDecided(resultOf(some, false), request.design),
    },
  );
  try {
    if (mode === "save") return saved(runs.candidate, plan, terminal);
    if (mode === "calibrate") return await calibrated(plan, runs, terminal);
    const result = resultOf(runs, true);
    const sides = {
      baseline: {
        name: request.baselineName,
        runs: mode === "baseline" ? kept : runs.baseline,
        root: baseline?.root ?? candidate.root,
      },
      // A branch may be called so.
      candidate: {
        name: request.baselineName === "now" ? "working tree" : "now",
        runs: runs.candidate,
        root: candidate.root,
      },
    };
    await deliver({ result, sides }, plan.flags.format, plan.outputs, terminal);
    return exitCodeOf(result, plan.flags);
  } finally {
    terminal.err(`\n  The recordings:  ${shellWord(folder)}\n`);
  }
}

function baselineSide(mode: Mode, candidate: Side, worktree: Worktree | null): Side | null {
  if (mode === "calibrate") return { ...candidate, name: "baseline" };
  if (worktree === null) return null;
  return {
    ...candidate,
    name: "baseline",
    cwd: worktree.cwd,
    env: environmentIn(worktree, process.env),
    root: worktree.path,
    hint: "It runs in a clean checkout of the commit: what it needs has to be in git, or be made by --setup.",
  };
}

function runText({ name }: Side, run: number, mostRuns: number, paired: boolean): string {
  if (run === 0) return `Warming up: ${name}`;
  return `${paired ? "Pair" : "Run"} ${run} of at most ${mostRuns}: ${name}`;
}

function saved(runs: readonly CheckedRun[], { flags, command }: Plan, terminal: Terminal): number {
  const file = flags.saveBaseline ?? "";
  writeReportFile(file, encodeBaseline(runs, countedIn(flags.work), new Date()));
  terminal.err(`Wrote ${plural(runs.length, "run")} of ${shortName(command.join(" "), 60)} to ${file}\n`);
  return ExitCode.ok;
}

async function calibrated(plan: Plan, { baseline, candidate }: Runs, terminal: Terminal): Promise<number> {
  if (baseline.length < 2) {
    throw new GcspikeError(
      "calibrate",
      "The time was over after one pair of runs, which says nothing of how they vary.",
      {
        hint: "Give it more: a longer --max-time",
      },
    );
  }
  const request = { ...plan.request, baseline, candidate, isOver: true };
  const result = calibrate(questionsOf(request, baseline), plan.request.design, Math.random);
  const write = async (format: CheckFormat, toFile: boolean): Promise<Uint8Array> => {
    if (format === "json") return new TextEncoder().encode(`${JSON.stringify(result, null, 2)}\n`);
    const { renderCalibrationTerminal } = await import("../report/calibration-terminal.ts");
    return renderCalibrationTerminal(result, { color: terminal.outColor && !toFile, width: terminal.width() });
  };
  terminal.out(await write(plan.flags.format ?? "terminal", false));
  for (const { file, format } of plan.outputs) writeReportFile(file, await write(format, true));
  return ExitCode.ok;
}

function exitCodeOf({ verdict }: Check, { inconclusive }: CheckFlags): number {
  if (verdict === "inconclusive" && inconclusive !== undefined) {
    return inconclusive === "pass" ? ExitCode.ok : ExitCode.regression;
  }
  return { pass: ExitCode.ok, regression: ExitCode.regression, inconclusive: ExitCode.inconclusive }[verdict];
}
