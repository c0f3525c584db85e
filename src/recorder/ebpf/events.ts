/** What bpftrace prints, a line an event (program.ts), as events. Lines come from a pipe that may be cut: what is none is null. */

export interface ThreadTimes {
  /** CPU time of the thread up to `updatedNs`, ns. */
  readonly cpuNs: number;
  /** When the kernel brought it up to date, on a clock that each processor has for itself. */
  readonly updatedNs: number;
  readonly processor: number;
  readonly runQueueNs: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
}

interface Timed {
  /** ns, on bpftrace's clock. */
  readonly atNs: number;
  /** The kernel's number of the thread. */
  readonly thread: number;
}

export type TraceEvent = Timed &
  (
    | { readonly type: "collect" | "marking"; readonly reason: number }
    | {
        readonly type: "prologue" | "epilogue";
        readonly gcType: number;
        readonly flags: number;
        readonly times: ThreadTimes;
      }
    | { readonly type: "step"; readonly startNs: number }
    | {
        readonly type: "allocation";
        readonly of: "buffer" | "large";
        readonly bytes: number;
        /** Of allocations before it that were left out. */
        readonly leftOutBytes: number;
      }
  );

export interface FrameLine extends Timed {
  readonly type: "frame";
  readonly pc: number;
  /** Tagged address of its SharedFunctionInfo. */
  readonly shared: number;
}

export type Line =
  | TraceEvent
  | FrameLine
  | { readonly type: "tick"; readonly atNs: number }
  /** Events that bpftrace lost because they came faster than it reads. */
  | { readonly type: "lost"; readonly count: number };

/** Decimal, but for a frame's two. Times of a machine that runs for 104 days and more are rounded to some ns. */
const NUMBER = /^\d{1,19}$/;
const ADDRESS = /^[0-9a-f]{1,12}$/;
const LOST = /^Lost (\d{1,15}) events$/;
const MAX_WORDS = 14;

export function parseLine(text: string): Line | null {
  const lost = LOST.exec(text)?.[1];
  if (lost !== undefined) return { type: "lost", count: Number(lost) };
  const [letter, ...words] = text.split(" ", MAX_WORDS);
  if (letter === "F") return frameOf(words);
  if (!words.every((word) => NUMBER.test(word))) return null;
  return eventOf(letter ?? "", words.map(Number));
}

function frameOf(words: readonly string[]): Line | null {
  const [at, thread, pc, shared] = words;
  if (at === undefined || thread === undefined || pc === undefined || shared === undefined || words.length !== 4)
    return null;
  if (!NUMBER.test(at) || !NUMBER.test(thread) || !ADDRESS.test(pc) || !ADDRESS.test(shared)) return null;
  const address = (word: string): number => Number.parseInt(word, 16);
  return { type: "frame", atNs: Number(at), thread: Number(thread), pc: address(pc), shared: address(shared) };
}

/** How many numbers a line of each sort has. */
const WORDS: Readonly<Record<string, number>> = { T: 1, C: 3, M: 3, P: 12, E: 12, S: 3, B: 4, L: 4 };

function eventOf(letter: string, numbers: readonly number[]): Line | null {
  if (WORDS[letter] !== numbers.length) return null;
  const [atNs = 0, thread = 0, first = 0, second = 0] = numbers;
  switch (letter) {
    case "T":
      return { type: "tick", atNs };
    case "C":
    case "M":
      return { type: letter === "C" ? "collect" : "marking", atNs, thread, reason: first };
    case "P":
    case "E": {
      const times = timesOf(numbers.slice(4));
      return { type: letter === "P" ? "prologue" : "epilogue", atNs, thread, gcType: first, flags: second, times };
    }
    case "S":
      return first <= atNs ? { type: "step", atNs, thread, startNs: first } : null;
    default:
      return {
        type: "allocation",
        of: letter === "B" ? "buffer" : "large",
        atNs,
        thread,
        bytes: first,
        leftOutBytes: second,
      };
  }
}

function timesOf(numbers: readonly number[]): ThreadTimes {
  const [cpuNs = 0, updatedNs = 0, processor = 0, runQueueNs = 0, ...counts] = numbers;
  const [voluntarySwitches = 0, involuntarySwitches = 0, minorFaults = 0, majorFaults = 0] = counts;
  return { cpuNs, updatedNs, processor, runQueueNs, voluntarySwitches, involuntarySwitches, minorFaults, majorFaults };
}
