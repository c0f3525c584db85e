/** A shell in a real terminal, of tmux: what it shows is what a person would see. */
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export interface TmuxOptions {
  readonly width: number;
  readonly rows: number;
  readonly cwd: string;
}

const LOOK_AGAIN_MS = 50;
let count = 0;

export class Tmux {
  /** A server of its own: nobody else's settings, and no other session ends with it. */
  readonly #server = ["-L", `gcspike-test-${process.pid}-${count++}`, "-f", "/dev/null"];

  constructor({ width, rows, cwd }: TmuxOptions) {
    const { CI: _ci, NO_COLOR: _color, NODE_OPTIONS: _options, TMUX: _tmux, ...env } = process.env;
    const shell = "env PS1='ready> ' HISTFILE= bash --norc --noprofile";
    const size = ["-x", String(width), "-y", String(rows)];
    execFileSync("tmux", [...this.#server, "new-session", "-d", ...size, "-c", cwd, shell], {
      env: { ...env, LC_ALL: "C.UTF-8" },
    });
  }

  #tmux(...words: readonly string[]): string {
    return execFileSync("tmux", [...this.#server, ...words], { encoding: "utf8" });
  }

  /** What it shows, a line a row. */
  screen(): string {
    return this.#tmux("capture-pane", "-p");
  }

  /** Types a command, and Enter. */
  type(text: string): void {
    this.#tmux("send-keys", "-l", text);
    this.press("Enter");
  }

  /** Keys by tmux's names: "Down", "Enter", "C-z", "q". */
  press(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  resize(width: number, rows: number): void {
    this.#tmux("resize-window", "-x", String(width), "-y", String(rows));
  }

  /** Resolves with the screen when it shows this; the test's own timeout is the limit. */
  async waitFor(what: string | RegExp | ((screen: string) => boolean)): Promise<string> {
    const holds =
      typeof what === "function"
        ? what
        : (screen: string): boolean => (typeof what === "string" ? screen.includes(what) : what.test(screen));
    for (;;) {
      const screen = this.screen();
      if (holds(screen)) return screen;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  close(): void {
    this.#tmux("kill-server");
  }
}
