/** What the system tells of a Node process without touching it. */
export interface NodeProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** When it began, in words of the system: a number may be given again, with this it is not. */
  readonly began: string;
  readonly command: readonly string[];
  readonly ageMs: number;
  /** Resident memory. */
  readonly rssBytes: number;
  /** Processor time since it began, of all threads. */
  readonly cpuMs: number;
  /** Null where the system does not tell. */
  readonly threads: number | null;
}

/** Node's own executable, by its name: `node`, `nodejs`, `node22`. What embeds Node has other names. */
export function isNode(executable: string): boolean {
  return /^node(js)?[\d.-]*$/.test(executable);
}
