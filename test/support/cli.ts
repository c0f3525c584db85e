/** gcspike as a person's shell starts it: the real program, in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const GCSPIKE = join(ROOT, "bin", "gcspike.js");

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** stdin; empty by default. */
  readonly input?: string | Buffer;
}

/** This process's environment without what would change the output under test. */
function plainEnvironment(changes: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { CI: _ci, NO_COLOR: _color, FORCE_COLOR: _force, NODE_OPTIONS: _options, ...env } = process.env;
  return { ...env, ...changes };
}

/** A program that runs: what it printed so far, and how to wait for more. */
export class Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";
  #changed: (() => void)[] = [];
  #isOver = false;

  constructor(program: string, words: readonly string[], options: RunOptions = {}) {
    // A session of its own, without a terminal: signals to it are to it alone, wherever the tests run.
    this.process = spawn(program, words, {
      cwd: options.cwd,
      env: plainEnvironment(options.env),
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.process.stdout?.setEncoding("utf8").on("data", (text: string) => this.#note(() => (this.stdout += text)));
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => this.#note(() => (this.stderr += text)));
    // A program that does not read its input is no failure of the test.
    this.process.stdin?.on("error", () => {});
    this.process.stdin?.end(options.input ?? "");
    this.ended = new Promise((resolve, reject) => {
      this.process.once("error", reject);
      this.process.once("close", (code, signal) => {
        this.#note(() => (this.#isOver = true));
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  #note(change: () => void): void {
    change();
    for (const wake of this.#changed.splice(0)) wake();
  }

  /** Resolves when `text` was printed to stdout. Rejects where the program ends before. */
  waitFor(text: string): Promise<void> {
    return this.#until(() => this.stdout.includes(text), text);
  }

  /** The same for stderr. */
  waitForError(text: string): Promise<void> {
    return this.#until(() => this.stderr.includes(text), text);
  }

  async #until(isPrinted: () => boolean, text: string): Promise<void> {
    while (!isPrinted()) {
      if (this.#isOver) throw new Error(`ended before it printed "${text}":\n${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }
}

export function startGcspike(words: readonly string[], options: RunOptions = {}): Running {
  return new Running(process.execPath, [GCSPIKE, ...words], options);
}

export function runGcspike(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startGcspike(words, options).ended;
}

/** A new folder, which `remove` takes away with all that is in it. */
export function temporaryFolder(name = "gcspike-test-"): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), name));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
