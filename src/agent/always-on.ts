/**
 * `gcspike/agent`: a program starts it for itself (`node --import gcspike/agent app.js`). The probe writes into a ring; everything else
 * is done by a companion, a process of its own (src/fleet/companion.ts), which is started here, once for a program and those of its children
 * that load this file, too. Whatever goes wrong here, the program goes on: it is not recorded, and Node prints one warning.
 */
import { lstatSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import workerThreads from "node:worker_threads";
import { makeFolder } from "../lib/make-folder.ts";
import { isInline, programName } from "../lib/program-name.ts";
import { AGENT_SAMPLING, type AgentOptions, ATTACHED_FILE, PROBLEM_FILE, RING_FOLDER } from "../recording/spec.ts";
import { builtin, isFromSnapshot } from "./builtin.ts";
import { type OpenRecording, ownName, RECORDING_VARIABLE, readOptions } from "./options.ts";
import { sayExit } from "./say-exit.ts";
import { startIsolate } from "./start-isolate.ts";
import type { Stop } from "./stop.ts";

/** The ring that this program and its children write into. */
const RING_VARIABLE = "GCSPIKE_AGENT_RING";
/** The same for workers, which may have an environment of their own. */
const RING_KEY = "gcspike.agent-ring";
/** What would make something else of the companion than what it is. */
const NOT_FOR_THE_COMPANION = ["NODE_OPTIONS", "NODE_CHANNEL_FD", "NODE_UNIQUE_ID", "NODE_V8_COVERAGE", RING_VARIABLE];
/** What a person may read of a problem. */
const PROBLEM_CHARACTERS = 1000;

/** Programs that start another one and wait for it: the agent is for that one, which inherits NODE_OPTIONS. */
const LAUNCHERS = /^(npm|npx|yarn|pnpm|corepack)(-cli)?(\.[cm]?js)?$/;

function warn(message: string): void {
  process.emitWarning(`${message} This program is not recorded.`, { type: "gcspike", code: "GCSPIKE_AGENT" });
}

/** The ring of the program that this one, or this worker, belongs to, while it is recorded; null without one. */
function openRing(): OpenRecording | null {
  const inherited: unknown = process.env[RING_VARIABLE] ?? workerThreads.getEnvironmentData(RING_KEY);
  if (typeof inherited !== "string" || inherited === "") return null;
  try {
    const ring = readOptions(inherited);
    if (ring === null || ring.options.attachedBy === null) return null;
    process.kill(ring.options.attachedBy, 0);
    return statSync(join(inherited, ATTACHED_FILE)).size > 0 ? ring : null;
  } catch {
    return null;
  }
}

/** Another program may be making it. */
function makeHome(path: string): string {
  try {
    makeFolder(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return path;
}

/** A folder of this user's own that nobody else can put anything into. */
function home(): string {
  const chosen = process.env.GCSPIKE_AGENT_DIR;
  if (chosen !== undefined && chosen !== "") {
    return makeHome(resolve(chosen));
  }
  const user = process.geteuid?.() ?? 0;
  const path = join(tmpdir(), `gcspike-agent-${user}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== user) throw new Error(`${path} belongs to somebody else`);
  return path;
}

function agentOptions(companion: number): AgentOptions {
  return {
    schema: "gcspike.agent/1",
    collector: "probe",
    phases: true,
    allocations: true,
    ...AGENT_SAMPLING,
    liveHeap: false,
    cpu: false,
    // dist/agent/ is two folders below the package.
    probeFolder: join(dirname(dirname(__dirname)), "prebuilds"),
    pprofModule: null,
    attachedBy: companion,
    loadedFirst: true,
    ring: true,
  };
}

/** A companion that was started, and how to take that back. */
interface Launched {
  readonly ring: OpenRecording;
  readonly abandon: () => void;
}

/** What Node was started for: without a script, the words behind it are none. */
function ownCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv.filter(isInline).slice(0, 1), ...process.argv.slice(1)];
}

/** Makes the folder and starts the companion; null where it does not run. Throws where there can be none. */
function launch(): Launched | null {
  const startNs = process.hrtime.bigint();
  const command = ownCommand();
  const name = programName(command)
    .replaceAll(/[^\w.-]+/g, "_")
    .slice(0, 60);
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const flight = join(home(), `${name}-${time}-${process.pid}.flight`);
  const folder = join(flight, RING_FOLDER);
  mkdirSync(flight, { mode: 0o700 });
  try {
    return launchInto(flight, folder, command, startNs);
  } catch (error) {
    rmSync(flight, { recursive: true, force: true });
    throw error;
  }
}

function launchInto(flight: string, folder: string, command: readonly string[], startNs: bigint): Launched | null {
  mkdirSync(folder);
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const variable of NOT_FOR_THE_COMPANION) delete env[variable];
  const words = [flight, String(process.pid), String(startNs), String(Date.now()), ...command];
  // A session of its own: what a terminal sends to the program is not for it, and it outlives the program to say how that ended.
  const companion = builtin<typeof import("node:child_process")>("node:child_process").spawn(
    process.execPath,
    [...COMPANION_OPTIONS, join(dirname(__dirname), "fleet", "companion.cjs"), ...words],
    { detached: true, stdio: "ignore", cwd: "/", env },
  );
  companion.on("error", (error) => warn(`gcspike's companion process cannot run: ${error.message}.`));
  companion.on("exit", () => warn(problemOf(flight)));
  companion.unref();
  const { pid } = companion;
  const abandon = (): void => {
    companion.removeAllListeners("exit");
    companion.kill("SIGKILL");
    rmSync(flight, { recursive: true, force: true });
  };
  if (pid === undefined) {
    // "error" tells of it.
    rmSync(flight, { recursive: true, force: true });
    return null;
  }
  try {
    const options = agentOptions(pid);
    writeFileSync(join(folder, "agent.json"), JSON.stringify(options));
    writeFileSync(join(folder, ATTACHED_FILE), `${pid}\n`);
    return { ring: { folder, options }, abandon };
  } catch (error) {
    abandon();
    throw error;
  }
}

/** The companion lives long and does little: a small heap, seldom collected for speed. */
const COMPANION_OPTIONS = ["--max-semi-space-size=1", "--max-old-space-size=256", "--no-warnings"];

function problemOf(flight: string): string {
  try {
    return readFileSync(join(flight, PROBLEM_FILE), "utf8").trim().slice(0, PROBLEM_CHARACTERS);
  } catch {
    return "gcspike's companion process was ended.";
  }
}

function start(): void {
  // `gcspike record` records everything. Node's modules cannot be loaded before a program from a snapshot runs.
  if ((process.env[RECORDING_VARIABLE] ?? "") !== "" || isFromSnapshot) return;
  if (LAUNCHERS.test(basename(process.argv[1] ?? ""))) return;
  const inherited = openRing();
  // A worker without a ring: its program's companion could not be started, or has gone.
  if (inherited === null && !workerThreads.isMainThread) return;
  if (inherited !== null) {
    begin(inherited, []);
    return;
  }
  const launched = launch();
  if (launched === null) return;
  const { ring, abandon } = launched;
  try {
    begin(ring, [sayExit(ring.folder)]);
  } catch (error) {
    abandon();
    throw error;
  }
}

function begin(ring: OpenRecording, stops: Stop[]): void {
  startIsolate(ring, ownName(), stops);
  process.env[RING_VARIABLE] = ring.folder;
  workerThreads.setEnvironmentData(RING_KEY, ring.folder);
}

try {
  start();
} catch (error) {
  warn(
    `gcspike's agent could not start: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}.`,
  );
}
