/** The program that is to be traced: whether that is possible, which of its files holds V8, and where that lies in its memory. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { arch, platform } from "node:os";
import { basename } from "node:path";
import { GcspikeError } from "../../lib/errors.ts";
import { programName } from "../../lib/program-name.ts";
import { listText, plainText } from "../../lib/text.ts";
import { errorCode } from "../../recording/bounded-file.ts";
import { commandOf, isNodeProgram, NODE_TEXT, startTicksOf, textIn } from "../attach/target.ts";
import { bpftraceVersion } from "./bpftrace.ts";
import { ElfFile } from "./elf.ts";
import { type HeapLayout, readHeapLayout } from "./heap-layout.ts";
import { type CodeLayout, readCodeLayout } from "./inlined-functions.ts";
import { type Mapping, parseMaps } from "./memory-map.ts";
import { lackingForEbpf, type Machine } from "./requirements.ts";
import { findFunctions, type V8Functions } from "./v8-functions.ts";

export interface TraceTarget {
  readonly pid: number;
  readonly command: readonly string[];
  readonly startTicks: string;
  /** "20.20.2"; "" not known. */
  readonly node: string;
  /** The file that holds V8, as bpftrace finds it: with a process's number it looks for files where that process does. */
  readonly binary: string;
  readonly functions: V8Functions;
  /** How functions of JavaScript are found on its stack; why they are not, where that is not known. */
  readonly javaScript: JavaScriptLayout | string;
  /** Its files are not those of the same path here: it is in a container. */
  readonly hasOtherFiles: boolean;
}

export interface JavaScriptLayout {
  readonly heap: HeapLayout;
  /** Null: functions that the optimiser inlined are not found. */
  readonly code: CodeLayout | null;
  /** V8's builtins in the program's memory. */
  readonly builtins: { readonly from: number; readonly to: number };
}

/** The PID namespace of the machine itself (PROC_PID_INIT_INO): bpftrace knows processes by their numbers there. */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";
/** What may stand in a bpftrace program as the name of a file. */
const PLAIN_PATH = /^[\w./+@-]+$/;
/** Where Node is a library, as some distributions build it. */
const LIBRARY = /^lib(node|v8)\b.*\.so/;
const VERSION = /node\.js\/v(\d{1,3}\.\d{1,3}\.\d{1,3})/;
const MOST_NAMED = 8;

function refused(message: string, hint: string): GcspikeError {
  return new GcspikeError("ebpf", `${message} Nothing was changed.`, { hint });
}

function thisMachine(): Machine {
  const readText = (path: string): string | null => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return null;
    }
  };
  return { platform: platform(), arch: arch(), readText, exists: existsSync, bpftraceVersion };
}

/** Throws GcspikeError where this machine or this user cannot trace at all. */
export function requireEbpf(): void {
  const lacking = lackingForEbpf(thisMachine());
  if (lacking.length > 0) {
    const fixes = lacking.map(({ fix }) => fix).join("; ");
    throw refused(`--ebpf does not work here: ${listText(lacking.map(({ what }) => what))}.`, `Needed: ${fixes}.`);
  }
  if (readlinkSync("/proc/self/ns/pid") !== FIRST_PID_NAMESPACE) {
    throw refused(
      "--ebpf does not work in a container: the kernel knows processes by other numbers than are seen here.",
      "Run it on the machine itself, as root: it can trace programs in containers.",
    );
  }
}

interface Candidate {
  readonly pid: number;
  readonly name: string;
}

function candidates(): readonly Candidate[] {
  return readdirSync("/proc").flatMap((entry) => {
    const pid = /^\d+$/.test(entry) ? Number(entry) : process.pid;
    if (pid === process.pid) return [];
    try {
      const command = commandOf(pid);
      return command.length === 0 ? [] : [{ pid, name: programName(command) }];
    } catch {
      // It has ended.
      return [];
    }
  });
}

function isNode({ pid }: Candidate): boolean {
  try {
    return isNodeProgram(pid);
  } catch {
    return false;
  }
}

/**
 * The one Node program of this name: that of its script ("api.js" or "api"), or what it calls itself (process.title). Throws GcspikeError
 * where there is none, or more than one.
 */
export function pidOfName(name: string): number {
  const isNamed = (one: Candidate): boolean => one.name === name || one.name.replace(/\.[cm]?[jt]s$/, "") === name;
  const found = candidates().filter((one) => isNamed(one) && isNode(one));
  const [only, ...others] = found;
  if (only === undefined) {
    throw refused(`No Node.js program here is called "${plainText(name, 60)}".`, "Find it: pgrep -af node");
  }
  if (others.length > 0) {
    const pids = found.slice(0, MOST_NAMED).map(({ pid }) => String(pid));
    const more = found.length > MOST_NAMED ? " and more" : "";
    throw refused(
      `${found.length} Node.js programs here are called "${plainText(name, 60)}": ${pids.join(", ")}${more}.`,
      `Give the number of one: gcspike attach ${only.pid} --ebpf`,
    );
  }
  return only.pid;
}

/** Throws GcspikeError where the process cannot be traced: there is none, it is not Node, its functions cannot be found. */
export function requireTraceable(pid: number): TraceTarget {
  const startTicks = startTicksOf(pid);
  if (startTicks === null) throw refused(`There is no process ${pid}.`, "Find it: pgrep -af node");
  try {
    return inspect(pid, startTicks);
  } catch (error) {
    if (error instanceof GcspikeError || startTicksOf(pid) === startTicks) throw error;
    throw refused(`Process ${pid} has just ended (${errorCode(error)}).`, "Find it: pgrep -af node");
  }
}

function inspect(pid: number, startTicks: string): TraceTarget {
  const tgid = /^Tgid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (tgid !== String(pid)) {
    throw refused(`${pid} is a thread of process ${tgid}.`, `gcspike attach ${tgid} --ebpf`);
  }
  if (!isNodeProgram(pid)) {
    throw refused(`Process ${pid} is not Node.js.`, "Where Node was started by it, attach to that: pgrep -af node");
  }
  const mappings = parseMaps(readFileSync(`/proc/${pid}/maps`, "utf8"));
  const exe = readlinkSync(`/proc/${pid}/exe`);
  const library = mappings.find(({ path }) => LIBRARY.test(basename(path)))?.path;
  const path = library ?? exe;
  const hasOtherFiles = readlinkSync("/proc/self/ns/mnt") !== readlinkSync(`/proc/${pid}/ns/mnt`);
  // The kernel opens /proc/PID/exe also where the file was deleted.
  const file = library === undefined ? `/proc/${pid}/exe` : `/proc/${pid}/root${library}`;
  const binary = hasOtherFiles ? path : file;
  if (!PLAIN_PATH.test(binary)) {
    throw refused(`The path ${plainText(binary, 200)} cannot be given to bpftrace.`, "Install Node at a plainer one.");
  }
  const elf = ElfFile.open(file);
  if (elf === null) throw refused(`${path} is no program for x64.`, "Nothing to do here: --ebpf knows no other one.");
  try {
    const functions = requireFunctions(elf, path);
    const node = VERSION.exec(textIn(file, NODE_TEXT) ?? "")?.[1] ?? "";
    return {
      pid,
      command: commandOf(pid),
      startTicks,
      node,
      binary,
      functions,
      javaScript: javaScriptLayout(elf, functions, node, mappedAt(elf, mappings, path)),
      hasOtherFiles,
    };
  } finally {
    elf.close();
  }
}

function requireFunctions(elf: ElfFile, path: string): V8Functions {
  const functions = findFunctions(elf);
  if (!("missing" in functions)) return functions;
  const { missing } = functions;
  throw refused(
    `${path} does not name the functions of V8 that --ebpf watches: ${listText(missing)} ${missing.length === 1 ? "is" : "are"} missing.`,
    "Its symbols were stripped, or this version of Node has them under other names: 20, 22, 24 and 26 from nodejs.org work. gcspike attach without --ebpf needs none.",
  );
}

function javaScriptLayout(
  elf: ElfFile,
  { builtins }: V8Functions,
  node: string,
  moved: number | null,
): TraceTarget["javaScript"] {
  const major = Number.parseInt(node, 10);
  const heap = readHeapLayout(elf, major);
  if (heap === null) return `how Node ${node || "of this version"} lays out functions is not known`;
  if (builtins === null || moved === null) return "this Node was stripped of the symbols that tell JavaScript from C++";
  const from = builtins.address + moved;
  return { heap, code: readCodeLayout(elf, major), builtins: { from, to: from + builtins.bytes } };
}

/** What the file's addresses are moved by: its first segment lies where its first mapping is. Null where that is not there. */
function mappedAt(elf: ElfFile, mappings: readonly Mapping[], path: string): number | null {
  const plain = (name: string): string => name.replace(/ \(deleted\)$/, "");
  const first = elf.segments.find(({ offset }) => offset === 0);
  const mapping = mappings.find((one) => one.offset === 0 && plain(one.path) === plain(path));
  return first === undefined || mapping === undefined ? null : mapping.from - first.address;
}
