/** Programs of fixtures/agent under `gcspike record`, or with the agent alone, and what they left. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IsolateData, PauseKind, Recording } from "../../src/recording/model.ts";
import { PAUSE_KINDS } from "../../src/recording/model.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import type { AgentOptions } from "../../src/recording/spec.ts";
import { type Ended, GCSPIKE, ROOT, Running, type RunOptions, temporaryFolder } from "./cli.ts";

export function fixture(name: string): string {
  return join(ROOT, "fixtures", "agent", name);
}

export interface Recorded extends Ended {
  /** The recording's folder. */
  readonly path: string;
  readonly recording: Recording;
}

/** A folder for the recordings of one test file, and an empty one in which their programs run. */
export class Workplace {
  readonly #folder = temporaryFolder("gcspike-agent-");
  readonly cwd = join(this.#folder.path, "cwd");
  #count = 0;

  constructor() {
    mkdirSync(this.cwd);
  }

  /** A path in this workplace that does not exist yet. */
  path(name: string): string {
    return join(this.#folder.path, `${this.#count++}-${name}`);
  }

  /** What programs left in their current folder: nothing, if gcspike is as harmless as it should be. */
  filesInCwd(): readonly string[] {
    return readdirSync(this.cwd);
  }

  remove(): void {
    this.#folder.remove();
  }

  /** `gcspike record -- <command>`, from the start: `flags` are for `record`. */
  start(command: readonly string[], options: RunOptions & { readonly flags?: readonly string[] } = {}): Started {
    const path = this.path("recording.gcspike");
    const words = [GCSPIKE, "record", "-o", path, ...(options.flags ?? []), "--", ...command];
    const running = new Running(process.execPath, words, { cwd: this.cwd, ...options });
    const recorded = async (): Promise<Recorded> => {
      const ended = await running.ended;
      return { ...ended, path, recording: await readRecording(path) };
    };
    return { running, path, recorded };
  }

  record(
    command: readonly string[],
    options: RunOptions & { readonly flags?: readonly string[] } = {},
  ): Promise<Recorded> {
    return this.start(command, options).recorded();
  }

  /** The program with the agent inside and no recorder around it: stdout and stderr are the program's alone. */
  startWithAgent(
    command: readonly string[],
    options: RunOptions & { readonly agent?: Partial<AgentOptions> } = {},
  ): Started {
    const path = this.path("recording.gcspike");
    mkdirSync(path);
    writeFileSync(join(path, "agent.json"), JSON.stringify({ ...AGENT, ...options.agent }));
    const [program = "", ...words] = command;
    const env = { ...options.env, GCSPIKE_RECORDING: path, NODE_OPTIONS: `--require "${PRELOAD}"` };
    const running = new Running(program, words, { cwd: this.cwd, ...options, env });
    const recorded = async (): Promise<Recorded> => {
      const ended = await running.ended;
      return { ...ended, path, recording: await readRecording(path) };
    };
    return { running, path, recorded };
  }
}

export interface Started {
  readonly running: Running;
  readonly path: string;
  /** Resolves when the program has ended. */
  readonly recorded: () => Promise<Recorded>;
}

const PRELOAD = join(ROOT, "dist", "agent", "preload.cjs");
export const AGENT: AgentOptions = {
  schema: "gcspike.agent/1",
  collector: "probe",
  phases: true,
  allocations: true,
  allocationIntervalBytes: 512 * 1024,
  allocationWindowMs: 1000,
  liveHeap: false,
  cpu: false,
  probeFolder: join(ROOT, "prebuilds"),
  pprofModule: null,
  attachedBy: null,
  loadedFirst: true,
  ring: false,
};

/** The isolate with this id, name or kind. Throws where there is none. */
export function isolateOf(recording: Recording, which: string): IsolateData {
  const found = recording.isolates.find(({ id, name, kind }) => id === which || name === which || kind === which);
  if (found === undefined)
    throw new Error(`no isolate ${which} among ${recording.isolates.map(({ id }) => id).join()}`);
  return found;
}

export interface Pause {
  readonly kind: PauseKind;
  /** On the monotonic clock. */
  readonly startNs: number;
  readonly endNs: number;
  readonly forced: boolean;
  /** Names of the functions on the stack that triggered it, leaf first. */
  readonly stack: readonly string[];
}

/** The pauses of an isolate as a list, which is what tests compare. */
export function pausesOf({ pauses, triggerStacks }: IsolateData, { manifest }: Recording): readonly Pause[] {
  const startNs = Number(manifest.startNs);
  return Array.from({ length: pauses.count }, (_, i) => {
    const start = startNs + (pauses.startMs[i] ?? 0) * 1e6;
    return {
      kind: PAUSE_KINDS[pauses.kind[i] ?? 0] ?? "scavenge",
      startNs: start,
      endNs: start + (pauses.durationMs[i] ?? 0) * 1e6,
      forced: ((pauses.flags[i] ?? 0) & 4) !== 0,
      stack: (triggerStacks[pauses.triggerStack[i] ?? -1] ?? []).map((frame) => frame.function),
    };
  });
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
