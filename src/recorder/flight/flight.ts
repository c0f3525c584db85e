/**
 * The flight recorder: while the program writes into a ring, it looks at what is new, forgets what is old, and writes a recording of
 * the last time, a dump, when a trigger fires and when the program dies.
 *
 *     NAME.flight/
 *       ring/                            what the program writes into; gone when gcspike has ended
 *       <time>-<trigger>.gcspike/        a dump: a recording like any other
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DEATH_TRIGGER, foremost } from "../../lib/triggers.ts";
import { writeManifest } from "../../recording/manifest.ts";
import { EXITED_FILE, type Manifest, RING_FOLDER, type Warning } from "../../recording/spec.ts";
import { finishRecording } from "../finish.ts";
import { createUntaken, timeText } from "../folder.ts";
import type { Keeping, KeepingEnd } from "../keeping.ts";
import { type LiveState, LiveTail } from "../live.ts";
import { mayRun } from "../running.ts";
import { deathOf } from "./death.ts";
import { Evaluator, type Fired } from "./evaluate.ts";
import type { FlightEvent } from "./events.ts";
import type { FlightPlan } from "./flight-options.ts";
import { bytesOf, type KeptDump, removeDump, surplus } from "./keep-dumps.ts";
import { Ring } from "./ring.ts";
import { type DueDump, Schedule } from "./schedule.ts";
import { Watch } from "./watch.ts";

const LOOK_MS = 500;
const MARK_MS = 1000;
/** What is kept beyond what a dump wants: looks come late on a busy machine. */
const SLACK_MS = 3000;
/** It forgets so often in the time that is kept: each time the memories are written. */
const FORGETS_A_KEEP = 8;
const ENDING_SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

export interface WrittenDump extends KeptDump {
  /** In order of time. */
  readonly fired: readonly Fired[];
  readonly untold: number;
  /** The longest pause in it, ms; 0: none. */
  readonly worstMs: number;
}

export interface FlightObserver {
  /** What happened since the last look. */
  readonly saw?: (events: readonly FlightEvent[]) => void;
  readonly dumped?: (dump: WrittenDump) => void;
}

/** For somebody who shows how it goes. */
export interface FlightState extends LiveState {
  readonly dumps: number;
}

export class FlightRecorder implements Keeping {
  readonly folder: string;
  readonly #path: string;
  readonly #plan: FlightPlan;
  readonly #observer: FlightObserver;
  readonly #ring: Ring;
  readonly #evaluator: Evaluator;
  readonly #schedule: Schedule;
  readonly #watch: Watch;
  readonly #startNs: bigint;
  readonly #warnings: Warning[] = [];
  #manifest: Manifest;
  #timer: NodeJS.Timeout | undefined;
  #markedMs = Number.NEGATIVE_INFINITY;
  #dumps: WrittenDump[] = [];
  #written = 0;
  /** Dumps are finished one after the other. */
  #finishing: Promise<void> = Promise.resolve();
  #wasAsked = false;

  /** `path`: an empty folder. Nothing is written before the caller makes `folder`. */
  constructor(path: string, plan: FlightPlan, manifest: Manifest, observer: FlightObserver) {
    this.#path = path;
    this.#plan = plan;
    this.#observer = observer;
    this.folder = join(path, RING_FOLDER);
    this.#ring = new Ring(this.folder);
    this.#manifest = manifest;
    this.#startNs = BigInt(manifest.startNs);
    this.#watch = new Watch(this.#ring, this.#startNs);
    this.#evaluator = new Evaluator(plan.triggers, (isolate) => this.#whereIs(isolate));
    this.#schedule = new Schedule(plan.keepMs, plan.afterMs);
  }

  /** The dumps that are there, the oldest first. */
  get dumps(): readonly WrittenDump[] {
    return this.#dumps;
  }

  readonly state = (): FlightState => ({ ...this.#watch.state(), dumps: this.#written });

  readonly begin = (manifest: Manifest): void => {
    this.#manifest = manifest;
    for (const signal of ENDING_SIGNALS) process.on(signal, this.#onSignal);
    this.#timer = setInterval(this.#look, LOOK_MS);
  };

  readonly stop = (): void => {
    clearInterval(this.#timer);
    for (const signal of ENDING_SIGNALS) process.off(signal, this.#onSignal);
  };

  readonly finish = async (
    manifest: Manifest,
    { programEnded, warnings = [] }: KeepingEnd,
  ): Promise<readonly Warning[]> => {
    const exit = manifest.exit ?? this.#saidExit();
    this.#manifest = { ...manifest, exit };
    this.stop();
    this.#attempt(() => this.#ring.look());
    this.#see();
    const death = programEnded ? deathOf({ exit, wasAsked: this.#wasAsked, ofLimit: this.#watch.ofLimit }) : null;
    const nowMs = this.#nowMs();
    const signMs = this.#signMs(nowMs);
    if (death !== null) {
      this.#manifest = { ...this.#manifest, endNs: String(this.#ns(signMs)) };
      this.#schedule.add([{ trigger: DEATH_TRIGGER, atMs: signMs, what: death }], nowMs);
    }
    const due = this.#schedule.take(nowMs, true);
    if (due !== null) this.#dump(due);
    await this.#finishing;
    this.#ring.close();
    this.#removeRing();
    return [...warnings, ...this.#warnings];
  };

  /** A child process of the program may just be adding a file. */
  #removeRing(): void {
    try {
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
    } catch (error) {
      this.#warnOnce("flight-ring", `The ring could not be removed (${reasonOf(error)}): ${this.folder} may go.`);
    }
  }

  readonly #onSignal = (): void => {
    this.#wasAsked = true;
  };

  #nowMs(): number {
    return Number(process.hrtime.bigint() - this.#startNs) / 1e6;
  }

  /**
   * When the program was last seen to live. On a busy machine gcspike may come to look long after it died: what is kept is counted
   * from this moment.
   */
  #signMs(nowMs: number): number {
    const lastNs = this.#ring.lastSignNs(this.#manifest.pid);
    if (lastNs === null) return nowMs;
    return Math.min(nowMs, Math.max(this.#watch.latestMs, Number(lastNs - this.#startNs) / 1e6));
  }

  /** The isolate's name where it is not the program's only one. */
  #whereIs(id: string): string {
    if (this.#ring.isolates.length < 2) return "";
    const { pid, kind, name } = this.#ring.isolates.find((isolate) => isolate.id === id)?.descriptor() ?? {};
    if (kind === "worker") return ` on ${name}`;
    return pid === this.#manifest.pid ? " on main" : ` on ${name === "" ? `process ${pid}` : name}`;
  }

  readonly #look = (): void => {
    this.#see();
    const nowMs = this.#nowMs();
    const due = this.#schedule.take(nowMs);
    if (due !== null) this.#dump(due);
    if (nowMs - this.#markedMs >= MARK_MS) this.#attempt(() => this.#mark(nowMs));
  };

  /** What happened since the last time, and what fires by it. */
  #see(): void {
    this.#attempt(() => {
      const events = this.#watch.look();
      this.#observer.saw?.(events);
      this.#schedule.add(this.#evaluator.see(events), this.#nowMs());
    });
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#warnOnce("flight-look", `The ring could not be read (${reasonOf(error)}): triggers may have been missed.`);
    }
  }

  #mark(nowMs: number): void {
    this.#markedMs = nowMs;
    this.#ring.look();
    this.#ring.mark(nowMs);
    const { keepMs, afterMs, maxDiskBytes } = this.#plan;
    this.#ring.forget(this.#signMs(nowMs) - keepMs - afterMs - SLACK_MS, keepMs / FORGETS_A_KEEP, maxDiskBytes / 2);
    this.#ring.removeEnded(mayRun(this.folder));
    const isolates = new Set(this.#ring.isolates.map(({ id }) => id));
    this.#watch.keepOnly(isolates);
    this.#evaluator.keepOnly(isolates);
  }

  /** The logs are copied now, the rest is done behind what is still being finished. */
  #dump(due: DueDump): void {
    try {
      const { path, manifest, warnings, worstMs } = this.#copy(due);
      this.#finishing = this.#finishing.then(async () => {
        await finishRecording(path, manifest, { isRunning: () => false, warnings });
        this.#keep({ path, bytes: bytesOf(path), fired: due.fired, untold: due.untold, worstMs });
      });
      this.#finishing = this.#finishing.catch((error) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#warnOnce("flight-dump", `A dump could not be written (${reasonOf(error)}).`);
  }

  #copy({ fired, untold }: DueDump): {
    readonly path: string;
    readonly manifest: Manifest;
    readonly warnings: readonly Warning[];
    readonly worstMs: number;
  } {
    const { keepMs, afterMs } = this.#plan;
    const nowMs = this.#nowMs();
    const wantedMs = Math.max(0, this.#signMs(nowMs) - keepMs - afterMs);
    const fromMs = Math.max(wantedMs, this.#ring.sinceMs);
    const fromNs = this.#ns(fromMs);
    const why = foremost(fired);
    const startedAt = Date.parse(this.#manifest.startedAt);
    const stem = `${timeText(new Date(startedAt + (why?.atMs ?? nowMs)))}-${(why?.trigger ?? "").split(">")[0]}`;
    const path = createUntaken(join(this.#path, stem), ".gcspike", "-o DIR");
    const manifest: Manifest = {
      ...this.#manifest,
      startedAt: new Date(startedAt + fromMs).toISOString(),
      startNs: String(fromNs),
      endNs: this.#manifest.endNs ?? String(this.#ns(nowMs)),
      dump: {
        keepMs,
        afterMs,
        triggers: fired.map(({ trigger, atMs, what }) => ({ trigger, atNs: String(this.#ns(atMs)), what })),
        untold,
      },
    };
    writeManifest(path, manifest);
    this.#ring.write(path, fromNs, fromMs);
    return {
      path,
      manifest,
      warnings: fromMs - wantedMs > MARK_MS ? [shortened(nowMs - fromMs)] : [],
      worstMs: worstPause(path),
    };
  }

  #ns(ms: number): bigint {
    return this.#startNs + BigInt(Math.round(ms * 1e6));
  }

  #keep(dump: WrittenDump): void {
    this.#written++;
    const all = [...this.#dumps, dump];
    const gone = surplus(all, { dumps: this.#plan.maxDumps, bytes: this.#plan.maxDiskBytes / 2 });
    for (const old of gone) removeDump(old);
    this.#dumps = all.slice(gone.length);
    this.#observer.dumped?.(dump);
  }

  /** What a program that gcspike did not start wrote when it came to its end. */
  #saidExit(): Manifest["exit"] {
    const path = join(this.folder, EXITED_FILE);
    if (!existsSync(path)) return null;
    const code = Number.parseInt(readFileSync(path, "utf8"), 10);
    return Number.isNaN(code) ? null : { code, signal: null };
  }

  #warnOnce(code: string, message: string): void {
    if (!this.#warnings.some((warning) => warning.code === code)) this.#warnings.push({ code, message });
  }
}

/** ms; 0: there is none. */
function worstPause(folder: string): number {
  const tail = new LiveTail(folder);
  let state = tail.read();
  for (let pauses = -1; pauses !== state.pauses; state = tail.read()) pauses = state.pauses;
  return state.worstMs;
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
}

function shortened(lengthMs: number): Warning {
  return {
    code: "dump-short",
    message: `This dump begins ${Math.round(lengthMs / 1000)} s before its end: the ring had no room for more.`,
    hint: "Give it more with --max-disk, or ask for less with --keep.",
  };
}
