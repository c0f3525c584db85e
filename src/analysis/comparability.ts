/** What makes two columns hard to compare: everything but the program that differs between them, and what is missing. */
import { programName } from "../lib/program-name.ts";
import { shellWord } from "../lib/shell.ts";
import { listText, plainText, shortName } from "../lib/text.ts";
import { formatBytes, formatMs, formatShare } from "../lib/units.ts";
import type { Warning } from "../recording/spec.ts";
import type { Column, Run } from "./run.ts";

/** Recordings of more different lengths have more of everything that is counted, and rarer pauses among the worst. */
const MAX_DURATION_RATIO = 1.2;
/** Of fewer pauses, P99 is the worst of them. */
const FEW_PAUSES = 100;
/** A smaller share of the time in light mode is not worth a word. */
const NOTABLE_LIGHT = 0.01;
/** So many different values of one thing are named. */
const MOST_VALUES = 6;

/** Something that should be the same in all runs; null where a run does not know it. */
interface Condition {
  readonly code: string;
  readonly what: string;
  readonly text: (run: Run) => string | null;
  readonly hint: string;
}

const SAME_MACHINE = "Record all of them on the same machine, one after the other.";

const CONDITIONS: readonly Condition[] = [
  {
    code: "different-node",
    what: "versions of Node",
    text: ({ node, v8 }) => (node === "" ? null : `${plainText(node, 40)} (V8 ${plainText(v8, 40) || "unknown"})`),
    hint: "Collectors change from version to version: record all of them with the same Node, unless that is the question.",
  },
  {
    code: "different-flags",
    what: "flags of Node",
    text: (run) => (run.redacted || run.node === "" ? null : flagsText(flagsOf(run))),
    hint: "A difference may come from the flags: record all of them with the same ones, unless that is the question.",
  },
  {
    code: "different-heap-sizes",
    what: "heap sizes",
    text: heapText,
    hint: "They decide how often collections run: set the same --max-semi-space-size and --max-old-space-size.",
  },
  {
    code: "different-processors",
    what: "processors",
    text: ({ machine: { cpus, cpuModel } }) => (cpus === 0 ? null : `${cpus} x ${plainText(cpuModel, 60)}`.trim()),
    hint: SAME_MACHINE,
  },
  {
    code: "different-memory",
    what: "amounts of memory",
    text: ({ machine: { memoryBytes } }) => (memoryBytes === 0 ? null : formatBytes(memoryBytes)),
    hint: `${SAME_MACHINE} V8 also sizes its heap by it.`,
  },
  {
    code: "different-system",
    what: "systems",
    text: ({ machine: { platform, arch, kernel } }) => known(plainText(`${platform} ${arch} ${kernel}`.trim(), 80)),
    hint: SAME_MACHINE,
  },
  {
    code: "different-collectors",
    what: "sets of collectors",
    text: ({ collectors }) => known(collectors.join(", ")),
    hint: "What one of them did not record is left out of its column, and gc.share has no work outside pauses without phases.",
  },
];

const COMMAND: Condition = {
  code: "different-command",
  what: "commands",
  text: commandText,
  hint: "They may not have done the same work: compare what is counted or summed only where they did.",
};

/** Everything that a reader of the comparison has to know before believing it. */
export function comparability(columns: readonly Column[]): readonly Warning[] {
  return [
    ...incomplete(columns),
    ...measuredParts(columns),
    ...duration(columns),
    ...work(columns),
    ...lightMode(columns),
    ...missing(columns),
    ...CONDITIONS.flatMap((condition) => differing(columns, condition)),
    ...regimes(columns),
    ...fewPauses(columns),
  ];
}

function known(text: string): string | null {
  return text === "" ? null : text;
}

/** What comes behind these is the program. */
const EVALUATES = /^(?:-e|-p|-pe|--eval|--print)$/;

function flagsOf({ execArgv }: Run): readonly string[] {
  return execArgv.filter((word, index) => !EVALUATES.test(word) && !EVALUATES.test(execArgv[index - 1] ?? ""));
}

function flagsText(flags: readonly string[]): string {
  return flags.length === 0 ? "none" : plainText(flags.join(" "), 100);
}

/** V8's heap limit is that of the old generation and three semi-spaces. */
function heapText({ heapLimitBytes, semiSpaceBytes }: Run): string | null {
  if (heapLimitBytes === null || semiSpaceBytes === null) return null;
  return `a semi-space of ${formatBytes(semiSpaceBytes)} and ${formatBytes(heapLimitBytes - 3 * semiSpaceBytes)} for the old generation`;
}

/** The command without the flags of Node, of which another warning speaks. */
function commandText(run: Run): string | null {
  const { command, redacted } = run;
  if (command.length === 0) return null;
  if (redacted) return programName(command);
  const flags = flagsOf(run);
  const words = command.filter((word) => !flags.includes(word));
  return plainText(words.map(shellWord).join(" "), 100);
}

const nameOf = ({ name }: Column): string => shortName(name, 60);

/** "pooled and mmap (1 of 3 runs)": where `applies`. */
function where(columns: readonly Column[], applies: (run: Run) => boolean): string {
  const names = columns.flatMap((column) => {
    const count = column.runs.filter(applies).length;
    if (count === 0) return [];
    const part = count === column.runs.length ? "" : ` (${count} of ${column.runs.length} runs)`;
    return [`${nameOf(column)}${part}`];
  });
  return listText(names);
}

function differing(columns: readonly Column[], { code, what, text, hint }: Condition): readonly Warning[] {
  const texts = columns.flatMap(({ runs }) => runs.flatMap((run) => text(run) ?? []));
  const values = [...new Set(texts)];
  if (values.length < 2) return [];
  const named = values
    .slice(0, MOST_VALUES)
    .map((value) => `${value} in ${where(columns, (run) => text(run) === value)}`);
  const more = values.length > MOST_VALUES ? `; and ${values.length - MOST_VALUES} more` : "";
  return [{ code, message: `Different ${what}: ${named.join("; ")}${more}.`, hint }];
}

function incomplete(columns: readonly Column[]): readonly Warning[] {
  const cut = columns.filter(({ runs }) => runs.some(({ complete }) => !complete));
  if (cut.length === 0) return [];
  const example = cut[0]?.runs.find(({ complete }) => !complete)?.recording ?? "";
  return [
    {
      code: "incomplete",
      message: `Not complete: ${where(columns, ({ complete }) => !complete)}. The program died, or its recording was cut or is still being written.`,
      hint: `gcspike report ${shellWord(plainText(example, 4096))} says what is missing.`,
    },
  ];
}

function measuredParts(columns: readonly Column[]): readonly Warning[] {
  const isPart = ({ leftOutMs }: Run): boolean => leftOutMs > 0;
  const parts = columns.flatMap(({ runs }) => runs.filter(isPart));
  if (parts.length === 0) return [];
  const most = Math.max(...parts.map(({ leftOutMs }) => leftOutMs));
  return [
    {
      code: "measured-part",
      message: `Only what the workload measures is compared: its start and its end, up to ${formatMs(most)} of ${where(columns, isPart)}, are left out.`,
      hint: "gcspike report shows a whole recording.",
    },
  ];
}

function duration(columns: readonly Column[]): readonly Warning[] {
  const lengths = columns.flatMap((column) => column.runs.map(({ durationMs }) => ({ column, durationMs })));
  const sorted = lengths.toSorted((a, b) => a.durationMs - b.durationMs);
  const [shortest] = sorted;
  const longest = sorted.at(-1);
  if (shortest === undefined || longest === undefined) return [];
  if (longest.durationMs <= shortest.durationMs * MAX_DURATION_RATIO) return [];
  const text = ({ column, durationMs }: typeof shortest) => `${formatMs(durationMs)} in ${nameOf(column)}`;
  return [
    {
      code: "different-duration",
      message: `The recordings are not of the same length: ${text(shortest)}, ${text(longest)}.`,
      hint: "Counts, totals, sums of bytes and the rarest pauses grow with the time; shares and medians do not. Record for the same time, unless how long it takes is the question.",
    },
  ];
}

/** Runs of one workload may differ in one option, which is what is compared; of anything else the command is to be the same. */
function work(columns: readonly Column[]): readonly Warning[] {
  const workloads = columns.flatMap(({ runs }) => runs.map(({ workload }) => workload));
  const name = workloads[0]?.name;
  if (name === undefined || workloads.some((workload) => workload?.name !== name)) return differing(columns, COMMAND);
  const options = [...new Set(workloads.flatMap((workload) => Object.keys(workload?.options ?? {})))];
  const different = options.filter((option) => new Set(workloads.map((one) => one?.options[option])).size > 1);
  if (different.length < 2) return [];
  return [
    {
      code: "different-options",
      message: `The runs of ${name} differ in more than one option: ${listText(different.slice(0, 10))}.`,
      hint: "A difference may come from any of them: change one at a time.",
    },
  ];
}

/** A transaction pool in light mode refuses newcomers. */
function lightMode(columns: readonly Column[]): readonly Warning[] {
  const texts = columns.flatMap((column) => {
    const most = Math.max(...column.runs.map(lightShare));
    if (most < NOTABLE_LIGHT) return [];
    return [`${nameOf(column)} for ${column.runs.length === 1 ? "" : "up to "}${formatShare(most)} of its time`];
  });
  if (texts.length === 0) return [];
  return [
    {
      code: "light-mode",
      message: `In light mode, and so doing less work than it was given: ${listText(texts)}.`,
      hint: "Record with a lower --tps or a longer --block-budget to compare the same work.",
    },
  ];
}

function lightShare({ workload, metrics, durationMs }: Run): number {
  if (workload?.name !== "txpool" || durationMs <= 0) return 0;
  return (metrics.find(({ metric }) => metric === "light.time")?.value ?? 0) / durationMs;
}

/** Of a recording's own warnings those that say why numbers are missing here for no other reason that shows. */
const MISSING = /^(?:workload-|no-pauses|no-isolates)/;

function missing(columns: readonly Column[]): readonly Warning[] {
  const all = columns.flatMap(({ runs }) => runs.flatMap(({ warnings }) => warnings));
  const distinct = new Map(all.filter(({ code }) => MISSING.test(code)).map((one) => [one.message, one]));
  return [...distinct.values()].map(({ code, message, hint }) => {
    const has = ({ warnings }: Run) => warnings.some((warning) => warning.message === message);
    return { code, message: `In ${where(columns, has)}: ${message}`, ...(hint === undefined ? {} : { hint }) };
  });
}

/** A column whose runs went both ways has two humps, and no median stands for it. */
function regimes(columns: readonly Column[]): readonly Warning[] {
  const isPretenured = ({ regime }: Run): boolean => regime?.regime === "pretenured";
  const isYoung = ({ regime }: Run): boolean => regime?.regime === "young";
  const runs = columns.flatMap((column) => column.runs);
  if (!runs.some(isPretenured) || !runs.some(isYoung)) return [];
  return [
    {
      code: "different-regimes",
      message: `V8 made most objects in the old generation in ${where(columns, isPretenured)}, and young ones in ${where(columns, isYoung)}.`,
      hint: "It learns this anew in each run. Medians over both mean little: record more runs, or all with --no-allocation-site-pretenuring.",
    },
  ];
}

function fewPauses(columns: readonly Column[]): readonly Warning[] {
  const isFew = ({ metrics }: Run): boolean => {
    const count = metrics.find(({ metric }) => metric === "pause.count")?.value ?? 0;
    return count > 0 && count < FEW_PAUSES;
  };
  if (!columns.some(({ runs }) => runs.some(isFew))) return [];
  return [
    {
      code: "few-pauses",
      message: `Fewer than ${FEW_PAUSES} pauses in ${where(columns, isFew)}: the P99 pause is the worst of them.`,
      hint: "Record longer, or compare the median and the total.",
    },
  ];
}
