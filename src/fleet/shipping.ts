/**
 * Ships dumps, one after the other, each in a process of its own (ship.ts): what reading and explaining a recording needs of memory is
 * given back when it ends, and a dump that cannot be read takes nobody down.
 */
import { spawn } from "node:child_process";
import { SHIP_TIMEOUT_MS } from "./settings.ts";

/** What came of one. */
export type Shipped = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The heap of the process that ships, MiB: a minute of a busy program is some 100. */
const HEAP_MIB = 512;
const REASON_CHARACTERS = 500;
/** More dumps than that do not wait: there is one in a minute, at most. */
const MOST_WAITING = 20;

export class Shipping {
  readonly #script: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #done: (shipped: Shipped) => void;
  #waiting: (readonly [path: string, id: string])[] = [];
  #isRunning = false;
  #idle: (() => void)[] = [];

  /** `script`: ship.ts, built. `env` says where to. */
  constructor(script: string, env: NodeJS.ProcessEnv, done: (shipped: Shipped) => void) {
    this.#script = script;
    this.#env = env;
    this.#done = done;
  }

  /** `id`: what the dump is called there. */
  add(path: string, id: string): void {
    if (this.#waiting.length === MOST_WAITING) this.#done({ ok: false, reason: "too many dumps wait" });
    else this.#waiting.push([path, id]);
    void this.#run();
  }

  /** Resolves when none waits. */
  finish(): Promise<void> {
    if (!this.#isRunning) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#done(await this.#ship(next));
    }
    this.#isRunning = false;
    for (const wake of this.#idle.splice(0)) wake();
  }

  #ship(words: readonly string[]): Promise<Shipped> {
    return new Promise((resolve) => {
      const child = spawn(
        process.execPath,
        [`--max-old-space-size=${HEAP_MIB}`, "--no-warnings", this.#script, ...words],
        {
          stdio: ["ignore", "ignore", "pipe"],
          env: this.#env,
          timeout: SHIP_TIMEOUT_MS,
          killSignal: "SIGKILL",
        },
      );
      // Nothing of ours goes on when the companion has ended.
      const end = (): boolean => child.kill("SIGKILL");
      process.once("exit", end);
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(0, REASON_CHARACTERS);
      });
      child.on("error", (error) => resolve({ ok: false, reason: error.message }));
      child.on("close", (code, signal) => {
        process.off("exit", end);
        if (code === 0) resolve({ ok: true });
        else resolve({ ok: false, reason: said.trim() || `its process ended by ${signal ?? code}` });
      });
    });
  }
}
