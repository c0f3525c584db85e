/** The built-in workloads by name: their flags, and what is wrong with those that somebody typed. */
import { usageError } from "../lib/errors.ts";
import type { Flag, FlagWords } from "./flags.ts";
import { parseSessions, SESSIONS_FLAGS } from "./sessions/options.ts";
import { parseTxpool, TXPOOL_FLAGS } from "./txpool/options.ts";

export interface WorkloadSpec {
  readonly name: WorkloadName;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** Of V8, whatever the options. */
  readonly nodeFlags: readonly string[];
  /** @throws a usage error that names the flag and what it may be */
  readonly check: (words: FlagWords) => void;
}

export const WORKLOAD_NAMES = ["txpool", "sessions"] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

export const WORKLOADS: Readonly<Record<WorkloadName, WorkloadSpec>> = {
  txpool: {
    name: "txpool",
    summary: "an Ethereum-like transaction pool: many objects a second that live for minutes",
    flags: TXPOOL_FLAGS,
    // What a service sets that minds its pauses: a young generation that has its full size (MiB) from the start, and no
    // collection only because little is allocated. docs/workload.md has the figures without them. With --expose-gc it collects
    // what its start has left before it is measured.
    nodeFlags: ["--min-semi-space-size=16", "--no-memory-reducer", "--expose-gc"],
    check: parseTxpool,
  },
  sessions: {
    name: "sessions",
    summary: "requests that need a few small objects for a moment: what a pool of objects is good for",
    flags: SESSIONS_FLAGS,
    nodeFlags: [],
    check: parseSessions,
  },
};

/** The flags of all workloads, each name once. */
export const ALL_FLAGS: readonly Flag[] = [
  ...new Map(Object.values(WORKLOADS).flatMap(({ flags }) => flags.map((flag) => [flag.name, flag]))).values(),
];

/** @throws a usage error for a flag that the workload does not have, or that has a wrong value */
export function checkWords(workload: WorkloadSpec, words: FlagWords): void {
  const foreign = Object.keys(words).find((name) => !workload.flags.some((flag) => flag.name === name));
  if (foreign !== undefined) {
    throw usageError(
      `The workload ${workload.name} has no option --${foreign}.`,
      `Its options: gcspike simulate ${workload.name} --help`,
    );
  }
  workload.check(words);
}
