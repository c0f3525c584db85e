/** What the system says of a process that is to be attached to, and why that may be impossible. */
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { GcspikeError } from "../../lib/errors.ts";
import { parseManifest } from "../../recording/manifest.ts";
import { splitNodeOptions } from "../node-options.ts";
import { isNode } from "../processes/node-process.ts";
import { linkedExecutable } from "../processes/proc.ts";

export interface AttachTarget {
  readonly pid: number;
  readonly command: readonly string[];
  /** When it began, in ticks of the kernel since the machine's start: a number may be given again, this pair is not. */
  readonly startTicks: string;
  readonly uid: number;
  readonly gid: number;
  /** Where Node opens the inspector when it is asked to. */
  readonly inspector: InspectorAddress;
}

export interface InspectorAddress {
  /** "" for Node's own, 127.0.0.1 */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** It was started with its inspector open. */
  readonly wasAsked: boolean;
}

const NODE_PORT = 9229;
const SIGUSR1 = 10n;
/** Every Node holds this text, in the answer of its inspector; its version follows. */
export const NODE_TEXT = "node.js/v";

function refused(message: string, hint: string): GcspikeError {
  return new GcspikeError("attach", `${message} Nothing was changed.`, { hint });
}

function status(pid: number): ReadonlyMap<string, string> {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return new Map(
    text.split("\n").map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

/** "real effective saved file-system" */
function effectiveId(ids: string | undefined): number {
  return Number(ids?.split(/\s+/)[1] ?? Number.NaN);
}

/** Field 22 of /proc/PID/stat; null where there is no such process, or one that has ended and was not waited for. */
export function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function words(path: string): readonly string[] {
  return readFileSync(path, "utf8").split("\0").slice(0, -1);
}

export function commandOf(pid: number): readonly string[] {
  return words(`/proc/${pid}/cmdline`);
}

/** The address that Node's options name, of which the last one counts. */
export function inspectorAddress(options: readonly string[]): InspectorAddress {
  let address: InspectorAddress = { host: "", port: NODE_PORT, wasAsked: false };
  for (const word of options) {
    const [, name, value] = /^--(inspect|inspect-brk|inspect-wait|inspect-port|debug-port)(?:=(.*))?$/.exec(word) ?? [];
    if (name === undefined) continue;
    const [, host, port] = /^(?:(.*):)?(\d+)$/.exec(value ?? "") ?? [undefined, value ?? "", undefined];
    address = {
      host: host === undefined || host === "" ? address.host : host,
      port: port === undefined ? address.port : Number(port),
      wasAsked: address.wasAsked || !name.endsWith("-port"),
    };
  }
  return address;
}

function isLoopbackHost(host: string): boolean {
  return host === "" || host === "localhost" || host === "[::1]" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}

/** Options of its Node that stand on its command line. */
export function ownOptions(command: readonly string[]): readonly string[] {
  const script = command.findIndex((word, index) => index > 0 && !word.startsWith("-"));
  return command.slice(1, script < 0 ? undefined : script);
}

/** Options of its Node, from its command line and NODE_OPTIONS. */
function nodeOptionsOf(pid: number, command: readonly string[]): readonly string[] {
  const given = words(`/proc/${pid}/environ`).find((pair) => pair.startsWith("NODE_OPTIONS="));
  const own = ownOptions(command);
  try {
    return [...splitNodeOptions("NODE_OPTIONS", given?.slice("NODE_OPTIONS=".length) ?? ""), ...own];
  } catch {
    // Node would not have started with those: the program changed its own.
    return own;
  }
}

/** Bytes of what is found that are of interest. */
const FOUND_BYTES = 40;

/** `text` where it first stands in a file, and what follows it; null where it does not. */
export function textIn(path: string, text: string): string | null {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(4 * 1024 * 1024);
    for (let at = 0; ; ) {
      const got = readSync(file, buffer, 0, buffer.length, at);
      const found = buffer.subarray(0, got).indexOf(text);
      if (found >= 0 && (found + FOUND_BYTES <= got || got < buffer.length)) {
        return buffer.toString("latin1", found, Math.min(found + FOUND_BYTES, got));
      }
      if (got < buffer.length) return null;
      at += got - FOUND_BYTES;
    }
  } finally {
    closeSync(file);
  }
}

export function isNodeProgram(pid: number): boolean {
  return isNode(linkedExecutable(pid)) || textIn(`/proc/${pid}/exe`, NODE_TEXT) !== null;
}

/** The folders into which probes inside the process record: it has the files mapped. */
function foldersOf(pid: number): readonly string[] {
  const mapped = readFileSync(`/proc/${pid}/maps`, "utf8");
  const paths = mapped.match(new RegExp(String.raw`(?<= )/.*/${pid}-\d+(\.\d+)?\.gc$`, "gm")) ?? [];
  return [...new Set(paths.map((path) => dirname(path)))];
}

/** The gcspike that records into a folder; null where the folder does not say. */
function recorderOf(folder: string): number | null {
  try {
    const manifest = parseManifest(readFileSync(`${folder}/manifest.json`, "utf8"), folder);
    return manifest === null || manifest.recorderPid <= 0 ? null : manifest.recorderPid;
  } catch {
    // Its folder is being made, or gone.
    return null;
  }
}

/** A recording that a process is in. */
export interface RecordedInto {
  readonly folder: string;
  /** The gcspike that makes it; null where the folder does not say. */
  readonly recorderPid: number | null;
}

/** Those that this user may see. */
export function recordingsOf(pid: number): readonly RecordedInto[] {
  try {
    return foldersOf(pid).map((folder) => ({ folder, recorderPid: recorderOf(folder) }));
  } catch {
    // It ended, or is another user's.
    return [];
  }
}

/** Nobody wants this recording any more: the program stops it within moments. */
export function isAbandoned({ recorderPid }: RecordedInto): boolean {
  return recorderPid === null || startTicksOf(recorderPid) === null;
}

/** As many record it as can. */
export function recordedByMost(pid: number, folders: readonly string[]): GcspikeError {
  const recorders = folders.map((folder) => ({ folder, recorder: recorderOf(folder) }));
  const told = recorders.map(
    ({ folder, recorder }) => `into ${folder}${recorder === null ? "" : ` by gcspike ${recorder}`}`,
  );
  const one = recorders.find(({ recorder }) => recorder !== null)?.recorder ?? null;
  return refused(
    `Process ${pid} is being recorded ${folders.length} times already: ${told.join(", ")}.`,
    `Wait until one of them has ended${one === null ? "" : `, or end it: kill -INT ${one}`}.`,
  );
}

const NAMESPACES = [
  ["pid", "PID namespace", "-p -m"],
  ["mnt", "mount namespace", "-m"],
  ["net", "network namespace", "-n"],
] as const;

/** What lies between this process and that one. */
function requireSameNamespaces(pid: number): void {
  for (const [name, text, flags] of NAMESPACES) {
    if (readlinkSync(`/proc/self/ns/${name}`) === readlinkSync(`/proc/${pid}/ns/${name}`)) continue;
    throw refused(
      `Process ${pid} runs in another ${text}: in a container, most likely.`,
      `Run gcspike inside it: docker exec -it CONTAINER npx gcspike attach 1  (or nsenter -t ${pid} ${flags} as root, with gcspike in reach)`,
    );
  }
}

/**
 * Finds out whether a process can be attached to, without touching it. Throws GcspikeError that says what is in the way and what to
 * do: no such process, another user's, in a container, not Node, no inspector.
 */
export function requireAttachable(pid: number): AttachTarget {
  if (process.platform !== "linux") {
    throw refused(
      "gcspike attach works on Linux: it reads /proc.",
      "Start the program under gcspike: gcspike record -- node ...",
    );
  }
  const startTicks = startTicksOf(pid);
  if (startTicks === null) throw refused(`There is no process ${pid}.`, "Find it: pgrep -af node");
  try {
    return inspect(pid, startTicks);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH")
      throw refused(`Process ${pid} has just ended.`, "Find it: pgrep -af node");
    if (code !== "EACCES" && code !== "EPERM") throw error;
    throw refused(
      `The system does not show process ${pid} to this user: it runs with more rights than that.`,
      `Attach as root: sudo gcspike attach ${pid}`,
    );
  }
}

function inspect(pid: number, startTicks: string): AttachTarget {
  const facts = status(pid);
  if (facts.get("Tgid") !== String(pid)) {
    throw refused(`${pid} is a thread of process ${facts.get("Tgid")}.`, `gcspike attach ${facts.get("Tgid")}`);
  }
  const [uid, gid] = [effectiveId(facts.get("Uid")), effectiveId(facts.get("Gid"))];
  const own = process.geteuid?.() ?? 0;
  if (own !== 0 && uid !== own) {
    throw refused(
      `Process ${pid} belongs to another user (uid ${uid}).`,
      `Attach as that user or as root: sudo gcspike attach ${pid}`,
    );
  }
  requireSameNamespaces(pid);
  if (!isNodeProgram(pid)) {
    throw refused(
      `Process ${pid} (${facts.get("Name")}) is not Node.js.`,
      "Where Node was started by it, attach to that: pgrep -af node",
    );
  }
  // Without a handler the signal would end the process.
  const caught = BigInt(`0x${facts.get("SigCgt") ?? "0"}`);
  if (((caught >> (SIGUSR1 - 1n)) & 1n) === 0n) {
    throw refused(
      `Process ${pid} has no inspector to open: it was started with --disable-sigusr1, this Node was built without it, or it has only just begun.`,
      "Start the program under gcspike: gcspike record -- node ...",
    );
  }
  const command = commandOf(pid);
  const inspector = inspectorAddress(nodeOptionsOf(pid, command));
  if (!isLoopbackHost(inspector.host)) {
    throw refused(
      `Process ${pid} opens its inspector on ${inspector.host} (--inspect-port), where others could reach it.`,
      "Start the program under gcspike: gcspike record -- node ...",
    );
  }
  return { pid, command, startTicks, uid, gid, inspector };
}
