/** The options of `gcspike check`, from text to what they mean. Stands alone, so that --help loads no renderer. */
import { extname } from "node:path";
import { requireMetric } from "../check/budget-words.ts";
import { type GcspikeError, usageError } from "../lib/errors.ts";
import { parseShare } from "../lib/units.ts";

export const CHECK_FORMATS = ["terminal", "json", "markdown", "junit", "html"] as const;
export type CheckFormat = (typeof CHECK_FORMATS)[number];

export interface CheckFlags {
  readonly against?: string;
  readonly setup?: string;
  readonly baseline?: readonly string[];
  readonly budget?: readonly string[];
  readonly calibrate?: boolean;
  readonly saveBaseline?: string;
  readonly force?: boolean;
  readonly metric?: readonly string[];
  readonly maxRegression?: string;
  readonly work?: string;
  readonly runs?: string;
  readonly maxTime?: string;
  readonly timeout?: string;
  readonly inconclusive?: "pass" | "fail";
  readonly nodeArgs?: string;
  readonly format?: CheckFormat;
  readonly output?: readonly string[];
}

/** Sizes hardly vary from run to run, so that a smaller change of them is one. */
const DEFAULT_METRICS = ["pause.p99", "pause.cpu.p99", "alloc.bytes", "survived.bytes"];
const DEFAULT_REGRESSION = 0.1;
const DEFAULT_REGRESSION_BYTES = 0.05;

export interface ChosenMetrics {
  readonly metrics: readonly string[];
  readonly maxRegression: (metric: string, unit: string) => number;
}

/** @throws a usage error */
export function chooseMetrics({ metric, maxRegression }: CheckFlags): ChosenMetrics {
  const general = maxRegression === undefined ? undefined : parseShare("--max-regression", maxRegression);
  const own = new Map<string, number>();
  const metrics = (metric ?? DEFAULT_METRICS).map((text) => {
    const [name = "", share] = text.split("=", 2);
    requireMetric("--metric", name);
    if (share !== undefined) own.set(name, parseShare("--metric", share));
    return name;
  });
  return {
    metrics: [...new Set(metrics)],
    maxRegression: (name, unit) =>
      own.get(name) ?? general ?? (unit === "bytes" ? DEFAULT_REGRESSION_BYTES : DEFAULT_REGRESSION),
  };
}

const BY_EXTENSION: Readonly<Record<string, CheckFormat>> = {
  ".html": "html",
  ".htm": "html",
  ".json": "json",
  ".md": "markdown",
  ".markdown": "markdown",
  ".xml": "junit",
  ".txt": "terminal",
};

/** @throws a usage error for a name whose ending says no format */
export function formatOfFile(file: string): CheckFormat {
  const format = BY_EXTENSION[extname(file).toLowerCase()];
  if (format !== undefined) return format;
  throw usageError(
    `-o ${file} does not say which format to write.`,
    "Use a name that ends with .html, .json, .md, .xml or .txt",
  );
}

/** @throws a usage error for what would have no effect */
export function requireEffect(flags: CheckFlags, files: readonly CheckFormat[]): void {
  const isSaving = flags.saveBaseline !== undefined;
  if (!isSaving && flags.calibrate !== true) return;
  const flag = isSaving ? "--save-baseline" : "--calibrate";
  const no = (what: string, hint: string): GcspikeError => usageError(`${flag} ${what}. Nothing was run.`, hint);
  if (flags.budget !== undefined) throw no("judges nothing, so that --budget has no place beside it", "Leave one out.");
  const formats = [...(flags.format === undefined ? [] : [flags.format]), ...files];
  if (isSaving && formats.length > 0) throw no("writes one file and no report", "Leave out --format and -o.");
  const other = formats.find((format) => format !== "terminal" && format !== "json");
  if (other !== undefined) throw no(`has no ${other}`, "Use --format json, or -o FILE.json or FILE.txt");
}
