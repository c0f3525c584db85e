/** The terminal while a program has all of it: raw keys in, lines out, and everything as it was before, however that ends. */
import { inForeground } from "../../recorder/signals.ts";
import type { Terminal } from "../terminal.ts";

/** The other screen, no cursor, no wrapping of lines. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[0m\u001b[2J";
const LEAVE = "\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l";
/** Terminals that know it show all of what stands between at once. */
const BEGIN = "\u001b[?2026h";
const END = "\u001b[?2026l";

/** What turns a screen of `before` into one of `after`. */
export function drawing(before: readonly string[], after: readonly string[]): string {
  const changed = after.map((text, row) =>
    text === before[row] ? "" : `\u001b[${row + 1};1H\u001b[2K${text}\u001b[0m`,
  );
  const text = changed.join("");
  return text === "" ? "" : BEGIN + text + END;
}

export interface ScreenEvents {
  readonly input: (text: string) => void;
  /** Nobody types any more. */
  readonly gone: () => void;
  /** It has another size, or is empty: everything has to be drawn. */
  readonly changed: () => void;
}

export class FullScreen {
  readonly #terminal: Terminal;
  readonly #events: ScreenEvents;
  /** What it shows; null where it is not ours. */
  #shown: readonly string[] | null = null;

  constructor(terminal: Terminal, events: ScreenEvents) {
    this.#terminal = terminal;
    this.#events = events;
  }

  open(): void {
    process.on("SIGWINCH", this.redraw);
    process.on("SIGTSTP", this.#stopped);
    process.on("SIGCONT", this.#enter);
    // Also where this process ends by an error, before that is printed.
    process.on("uncaughtExceptionMonitor", this.#leave);
    process.on("exit", this.#leave);
    process.stdin.setEncoding("utf8").on("data", this.#events.input).on("end", this.#events.gone);
    this.#enter();
  }

  close(): void {
    this.#leave();
    process.off("SIGWINCH", this.redraw);
    process.off("SIGTSTP", this.#stopped);
    process.off("SIGCONT", this.#enter);
    process.off("uncaughtExceptionMonitor", this.#leave);
    process.off("exit", this.#leave);
    process.stdin.off("data", this.#events.input).off("end", this.#events.gone);
  }

  draw(lines: readonly string[]): void {
    if (this.#shown === null) return;
    this.#write(drawing(this.#shown, lines));
    this.#shown = lines;
  }

  readonly redraw = (): void => {
    if (this.#shown === null) return;
    this.#shown = [];
    this.#write("\u001b[0m\u001b[2J");
    this.#events.changed();
  };

  /** Stops this process and all of its job, as Ctrl-Z does where a terminal is not raw. */
  readonly suspend = (): void => {
    process.kill(0, "SIGTSTP");
  };

  #write(text: string): void {
    try {
      this.#terminal.out(text);
    } catch {
      // The terminal has gone: a signal says so, or the end of its keys.
    }
  }

  /** In the background the terminal belongs to the shell, until the job is continued in the foreground. */
  readonly #enter = (): void => {
    if (this.#shown !== null || !inForeground()) return;
    this.#shown = [];
    process.stdin.setRawMode(true);
    process.stdin.resume();
    this.#write(ENTER);
    this.#events.changed();
  };

  readonly #leave = (): void => {
    if (this.#shown === null) return;
    this.#shown = null;
    this.#write(LEAVE);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  };

  readonly #stopped = (): void => {
    this.#leave();
    // What SIGTSTP does by default, after the terminal is whole again.
    process.kill(process.pid, "SIGSTOP");
  };
}
