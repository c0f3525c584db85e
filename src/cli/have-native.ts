/** Machines and Nodes that this package brings no binary for: it is compiled here, once, where there is a C++ compiler. */
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { machineName, probeFileName, slabPoolFileName } from "../lib/native-file.ts";
import { packageRoot } from "../lib/package.ts";
import { withSpinner } from "./spinner.ts";
import type { Terminal } from "./terminal.ts";

type Addon = "gc-probe" | "slab-pool";

const run = promisify(execFile);
/** The probe takes half a minute on two slow cores. */
const TIMEOUT_MS = 10 * 60_000;

function binaryOf(addon: Addon): string {
  const machine = machineName();
  const name = addon === "gc-probe" ? probeFileName(machine, process.versions.modules) : slabPoolFileName(machine);
  return join(packageRoot(), "prebuilds", name);
}

/** Beside the binary that could not be made stands why: it is tried once, and again by `gcspike doctor`. */
const failureFile = (addon: Addon): string => `${binaryOf(addon)}.failed`;

/** Why there is no probe for this Node, null where that was never tried or there is one. */
export function whyNotCompiled(): string | null {
  try {
    return readFileSync(failureFile("gc-probe"), "utf8").slice(0, 500);
  } catch {
    return null;
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** native/compile.mjs says it in one line, the last one. */
function reasonOf(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
  return stderr?.trim().split("\n").at(-1) || message;
}

async function compile(addon: Addon, what: string, terminal: Terminal): Promise<void> {
  const root = packageRoot();
  const text = `Compiling ${what}, once: this package has no binary for Node ${process.version} on ${machineName()}`;
  if (!terminal.interactive) terminal.err(`${text}\n`);
  const words = [join(root, "native", "compile.mjs"), addon, binaryOf(addon)];
  // What is meant for the program is not for the compiler.
  const { NODE_OPTIONS: _options, ...env } = process.env;
  try {
    await withSpinner(terminal, text, () => run(process.execPath, words, { env, timeout: TIMEOUT_MS }));
  } catch (error) {
    keepReason(addon, reasonOf(error));
  }
}

function keepReason(addon: Addon, reason: string): void {
  try {
    writeFileSync(failureFile(addon), reason);
  } catch {
    // The disk is full: it is tried again next time.
  }
}

async function have(addon: Addon, what: string, terminal: Terminal): Promise<void> {
  if (existsSync(binaryOf(addon)) || existsSync(failureFile(addon))) return;
  if (isWritable(join(packageRoot(), "prebuilds"))) await compile(addon, what, terminal);
}

/**
 * Before something is recorded: compiles the probe for the Node that runs gcspike, where there is none. Where that does not work,
 * the recording says that there is none, and is made without.
 */
export function haveProbe(terminal: Terminal): Promise<void> {
  return have("gc-probe", "the GC probe", terminal);
}

/** Tries everything that is missing, also what failed before. */
export async function haveAll(terminal: Terminal): Promise<void> {
  for (const [addon, what] of [
    ["gc-probe", "the GC probe"],
    ["slab-pool", "the slab pool"],
  ] as const) {
    if (isWritable(join(packageRoot(), "prebuilds"))) rmSync(failureFile(addon), { force: true });
    await have(addon, what, terminal);
  }
}
