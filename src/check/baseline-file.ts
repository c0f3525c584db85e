/** Runs that are kept to compare with later: a summary, in one file, of recordings that need not be kept. */
import { readFileSync, statSync } from "node:fs";
import type { CheckedRun } from "../analysis/check/check.ts";
import { type GcspikeError, usageError } from "../lib/errors.ts";
import { plainText } from "../lib/text.ts";
import { asFields } from "../recording/fields.ts";

const SCHEMA = "gcspike.baseline/1";
/** Of runs with all their sites, some thousand. */
const MOST_BYTES = 256 * 1024 * 1024;
const MOST_RUNS = 1000;

interface BaselineFile {
  readonly schema: typeof SCHEMA;
  readonly createdAt: string;
  /** What the work of a run was counted in: `countedIn` of work.ts. */
  readonly work: string;
  readonly runs: readonly CheckedRun[];
}

export function encodeBaseline(runs: readonly CheckedRun[], work: string, now: Date): Uint8Array {
  const file: BaselineFile = { schema: SCHEMA, createdAt: now.toISOString(), work, runs };
  return new TextEncoder().encode(`${JSON.stringify(file)}\n`);
}

/** @throws a usage error for a file that is no such summary, or one of runs whose work was counted in something else than `work` */
export function readBaseline(path: string, work: string): readonly CheckedRun[] {
  const no = (why: string, hint = "Make one: gcspike check --save-baseline FILE -- COMMAND"): GcspikeError =>
    usageError(`--baseline ${path} ${why}.`, hint);
  const file = asFields(parsed(path, no)) as Partial<Record<keyof BaselineFile, unknown>> | null;
  if (file?.schema !== SCHEMA) throw no(`is not a baseline: its schema is not ${SCHEMA}`);
  const { runs } = file;
  if (!Array.isArray(runs) || runs.length === 0 || runs.length > MOST_RUNS) throw no("is damaged");
  if (typeof file.work !== "string" || !runs.every(isRun)) throw no("is damaged");
  if (file.work !== work) {
    const said = (text: string): string => (text === "" ? "without --work" : `with --work ${plainText(text, 60)}`);
    throw no(
      `was made ${said(file.work)}, and this check is ${said(work)}`,
      "Count work the same way, or make a new one with --save-baseline.",
    );
  }
  return runs;
}

function parsed(path: string, no: (why: string) => GcspikeError): unknown {
  try {
    if (statSync(path).size > MOST_BYTES) throw no("is too large to be a baseline");
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw no("is not a baseline: it holds no JSON");
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined || code === "usage" ? error : no(`cannot be read (${code})`);
  }
}

/** The largest number of anything; sums of thousands are still numbers. */
const MOST = Number.MAX_SAFE_INTEGER;

type Test = (value: unknown) => boolean;
const isText: Test = (value) => typeof value === "string";
const isUnit: Test = (value) => typeof value === "string" && /^[\w/%. -]{0,20}$/.test(value);
const isNumber: Test = (value) => typeof value === "number" && Math.abs(value) <= MOST;
const isAmount: Test = (value) => isNumber(value) && Number(value) >= 0;
const isLine: Test = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isBoolean: Test = (value) => typeof value === "boolean";
const isScalar: Test = (value) => isText(value) || isNumber(value) || isBoolean(value);
const or =
  (empty: null | undefined, test: Test): Test =>
  (value) =>
    value === empty || test(value);
const isList =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
/** An object with everything that is named, of the right kind. */
const has =
  (tests: Readonly<Record<string, Test>>): Test =>
  (value) => {
    const fields = asFields(value);
    return fields !== null && Object.entries(tests).every(([name, test]) => test(fields[name]));
  };

/** Everything of a run that a check reads. */
const isRun = has({
  work: (value) => isNumber(value) && Number(value) >= 1e-6,
  sites: isList(
    has({
      function: isText,
      file: isText,
      line: isLine,
      allocated: isAmount,
      survived: or(null, isAmount),
      kept: or(null, isAmount),
    }),
  ),
  run: has({
    recording: isText,
    metrics: isList(
      has({
        metric: isText,
        unit: isUnit,
        better: (value) => value === "lower" || value === "higher",
        value: isNumber,
      }),
    ),
    durationMs: isAmount,
    leftOutMs: isNumber,
    complete: isBoolean,
    redacted: isBoolean,
    command: isList(isText),
    node: isText,
    v8: isText,
    execArgv: isList(isText),
    heapLimitBytes: or(null, isAmount),
    semiSpaceBytes: or(null, isAmount),
    regime: or(null, has({ regime: isText })),
    collectors: isList(isText),
    machine: has({
      platform: isText,
      arch: isText,
      cpus: isAmount,
      cpuModel: isText,
      memoryBytes: isAmount,
      kernel: isText,
    }),
    workload: or(
      null,
      has({ name: isText, options: (value) => Object.values(asFields(value) ?? [null]).every(isScalar) }),
    ),
    warnings: isList(has({ code: isText, message: isText, hint: or(undefined, isText) })),
  }),
});
