/** Records a program that runs already, from now until it is told to stop. */
import { chownSync, existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GcspikeError } from "../../lib/errors.ts";
import { packageRoot } from "../../lib/package.ts";
import { attachExpression } from "../../recording/attach-expression.ts";
import { writeManifest } from "../../recording/manifest.ts";
import { ATTACHED_FILE, type AttachAnswer, type Manifest, type Warning } from "../../recording/spec.ts";
import { type FlightObserver, FlightRecorder, type WrittenDump } from "../flight/flight.ts";
import { type FlightOptions, planFlight } from "../flight/flight-options.ts";
import { createFolder, type RecordingFolder } from "../folder.ts";
import { keepAll } from "../keeping.ts";
import { agentOptions, manifestOptions } from "../record-options.ts";
import { mayRun } from "../running.ts";
import { startingManifest } from "../starting-manifest.ts";
import type { Evaluated } from "./inspector.ts";
import { startLoader } from "./load.ts";
import {
  type AttachTarget,
  isAbandoned,
  recordedByMost,
  recordingsOf,
  requireAttachable,
  startTicksOf,
} from "./target.ts";

export interface AttachOptions {
  /** The process to record. */
  readonly pid: number;
  /** The recording's folder: new or empty. By default `<program>-<time>.gcspike` in the current folder. */
  readonly output?: string | undefined;
  /** V8's phases, reasons and incremental steps; on by default. */
  readonly phases?: boolean | undefined;
  /** Sampled allocations with stacks; on by default. */
  readonly allocations?: boolean | undefined;
  /** A pause this long is a spike, ms; 10 by default. */
  readonly spikeMs?: number | undefined;
  /** A flight recorder instead of a recording of everything: see RecordOptions. */
  readonly flight?: FlightOptions | undefined;
  /** Ends the recording; the program goes on. */
  readonly signal: AbortSignal;
  /** Asked when it has ended: false removes the recording. By default it is kept. */
  readonly isKept?: ((programEnded: boolean) => boolean) | undefined;
}

export interface AttachResult {
  /** The recording's folder, absolute. */
  readonly path: string;
  /** The program ended before it was let go. */
  readonly programEnded: boolean;
  readonly durationMs: number;
  /** What is missing in the recording, and why; also in its manifest. */
  readonly warnings: readonly Warning[];
  /** Of a flight recorder, the oldest first. */
  readonly dumps: readonly WrittenDump[];
}

export interface AttachObserver extends FlightObserver {
  readonly started: (attached: Attached) => void;
}

export interface Attached {
  readonly path: string;
  readonly command: readonly string[];
  /** Its inspector had been open before gcspike came, and stays so. */
  readonly inspectorWasOpen: boolean;
  readonly flight: FlightRecorder | null;
}

const LOOK_AGAIN_MS = 100;
/** The probe looks ten times a second; threads that wait for others (Atomics.wait) do not run to stop. */
const STOP_PATIENCE_MS = 5000;

function failed(message: string, hint: string): GcspikeError {
  return new GcspikeError("attach", message, { hint });
}

/** What the target writes into has to be its user's. */
function giveTo({ uid, gid }: AttachTarget, paths: readonly string[]): void {
  if (process.geteuid?.() !== 0 || uid === 0) return;
  for (const path of paths) chownSync(path, uid, gid);
}

function requireRecording(target: AttachTarget, { value, thrown }: Evaluated): void {
  const { pid } = target;
  if (thrown !== null) {
    throw failed(
      `gcspike could not be loaded into process ${pid}: ${thrown.slice(0, 300)}. Nothing is recorded.`,
      "It needs Node 20.16, 22.3 or later, which may read gcspike's own folder (--permission: --allow-fs-read, --allow-addons).",
    );
  }
  const answer = JSON.parse(value ?? '{"state":"failed","reason":"there was no answer"}') as AttachAnswer;
  if (answer.state === "full") throw recordedByMost(pid, answer.folders);
  if (answer.state === "failed") {
    const hint = /EACCES|EPERM|ENOENT|EROFS/.test(answer.reason)
      ? "The program writes the recording: name a folder that it may write: -o /tmp/NAME.gcspike"
      : "gcspike doctor shows what works here.";
    throw failed(`Process ${pid} cannot be recorded: ${answer.reason.slice(0, 300)}.`, hint);
  }
}

/** Waits for what a gcspike that was killed left behind to stop: it has what only one recording gets. */
async function withoutAbandoned(pid: number): Promise<AttachTarget> {
  const endMs = performance.now() + STOP_PATIENCE_MS;
  for (;;) {
    const target = requireAttachable(pid);
    if (!recordingsOf(pid).some(isAbandoned) || performance.now() > endMs) return target;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Resolves when the program has ended (true) or the caller wants no more (false). */
async function untilOver({ pid, startTicks }: AttachTarget, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (startTicksOf(pid) !== startTicks) return true;
    await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {});
  }
  return startTicksOf(pid) !== startTicks;
}

/** Tells the program to stop, and waits until it writes no more. False where it has not stopped yet. */
async function letGo({ pid, startTicks }: AttachTarget, folder: string): Promise<boolean> {
  const file = join(folder, ATTACHED_FILE);
  if (!existsSync(folder)) return true;
  truncateSync(file);
  const endMs = performance.now() + STOP_PATIENCE_MS;
  while (existsSync(file)) {
    if (startTicksOf(pid) !== startTicks) return true;
    if (performance.now() > endMs) return false;
    await sleep(10);
  }
  return true;
}

const NOT_STOPPED: Warning = {
  code: "not-stopped",
  message:
    "A thread of the program waits for another one and has not stopped recording yet: it does as soon as it runs.",
  hint: "Its files take more room than they need until the program has ended.",
};

/**
 * Records a program that runs, in its main thread and its workers, until `signal` or its end. Throws GcspikeError, and leaves no
 * folder, where that is impossible.
 */
export async function attach(options: AttachOptions, observer: AttachObserver): Promise<AttachResult> {
  const plan = options.flight === undefined ? null : planFlight(options.flight);
  const target = await withoutAbandoned(options.pid);
  const root = packageRoot();
  const agent = join(root, "dist", "agent", "attach.cjs");
  const loader = startLoader(join(root, "dist", "attach-loader.cjs"));
  const recordOptions = { ...options, command: target.command };
  const folder = newFolder();
  const manifest: Manifest = { ...startingManifest(target.command, manifestOptions(recordOptions)), pid: target.pid };
  const flight = plan === null ? null : new FlightRecorder(folder.path, plan, manifest, observer);
  const keeping = flight ?? keepAll(folder.path);
  try {
    await start();
  } catch (error) {
    // The target may have begun to write: it stops when its file is gone.
    rmSync(join(keeping.folder, ATTACHED_FILE), { force: true });
    folder.discard();
    throw error;
  } finally {
    loader.release();
  }
  try {
    const programEnded = await untilOver(target, options.signal);
    return await finish(programEnded);
  } finally {
    keeping.stop();
  }

  function newFolder(): RecordingFolder {
    try {
      return createFolder(options.output, target.command, new Date(), plan === null ? ".gcspike" : ".flight");
    } catch (error) {
      loader.release();
      throw error;
    }
  }

  async function start(): Promise<void> {
    const settings = { ...agentOptions(recordOptions, root), attachedBy: process.pid, loadedFirst: false };
    const files = { "agent.json": JSON.stringify(settings), [ATTACHED_FILE]: `${process.pid}\n` };
    const into = keeping.folder;
    mkdirSync(into, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(into, name), text);
    writeManifest(into, manifest);
    giveTo(target, [folder.path, into, ...Object.keys(files).map((name) => join(into, name))]);
    const evaluated = await loader.evaluate({ target, expression: attachExpression(agent, into) });
    requireRecording(target, evaluated);
    keeping.begin(manifest);
    observer.started({ path: folder.path, command: target.command, inspectorWasOpen: evaluated.wasOpen, flight });
  }

  async function finish(programEnded: boolean): Promise<AttachResult> {
    const stopped = programEnded || (await letGo(target, keeping.folder));
    const endNs = process.hrtime.bigint();
    const durationMs = Number(endNs - BigInt(manifest.startNs)) / 1e6;
    if (options.isKept?.(programEnded) === false) {
      folder.discard();
      return { path: folder.path, programEnded, durationMs, warnings: [], dumps: [] };
    }
    if (programEnded) rmSync(join(keeping.folder, ATTACHED_FILE), { force: true });
    const isRunning = stopped ? () => false : mayRun(keeping.folder);
    const warnings = stopped ? [] : [NOT_STOPPED];
    const ended = { ...manifest, endNs: String(endNs) };
    const found = await keeping.finish(ended, { programEnded, isRunning, warnings });
    const dumps = flight?.dumps ?? [];
    if (flight !== null && dumps.length === 0) folder.discard();
    return { path: folder.path, programEnded, durationMs, warnings: found, dumps };
  }
}
