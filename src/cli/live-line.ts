/**
 * The live line. The target writes to the same terminal, at any moment and anywhere in a line, so a line that is redrawn
 * with \r would erase its output. Instead the terminal scrolls everything above the bottom row (DECSTBM), and the line
 * stands in that row; the cursor is where the target left it, before and after.
 */
import { inForeground } from "../recorder/signals.ts";
import type { Terminal } from "./terminal.ts";

const SAVE = "\u001b7";
const RESTORE = "\u001b8";
/** Fewer rows than this are left to the target alone. */
const MIN_ROWS = 4;
const INTERVAL_MS = 500;

/** Makes the bottom row free: a cursor standing in it moves up with its line. Column and attributes stay. */
export function reserveRow(): string {
  return `${SAVE}\u001b[r${RESTORE}\u001bD\u001b[A`;
}

/** Draws `text` into the bottom row of `rows`. Sets the scroll region again each time: the target may have reset it. */
export function drawRow(rows: number, width: number, text: string): string {
  const line = text.slice(0, Math.max(0, width - 1));
  return `${SAVE}\u001b[1;${rows - 1}r\u001b[${rows};1H\u001b[0m\u001b[2K${line}${RESTORE}`;
}

/** Gives the bottom row back, empty. */
export function releaseRow(rows: number): string {
  return `${SAVE}\u001b[r\u001b[${rows};1H\u001b[0m\u001b[2K${RESTORE}`;
}

/** Shows `describe()` twice a second until `stop`. */
export class LiveLine {
  readonly #terminal: Terminal;
  readonly #describe: () => string;
  #timer: NodeJS.Timeout | undefined;
  /** Rows of the terminal when the row was reserved; 0: it is not. */
  #rows = 0;

  constructor(terminal: Terminal, describe: () => string) {
    this.#terminal = terminal;
    this.#describe = describe;
  }

  start(): void {
    process.on("SIGTSTP", this.#suspend);
    process.on("SIGCONT", this.#resume);
    process.on("exit", this.stop);
    this.#resume();
  }

  readonly stop = (): void => {
    process.off("SIGTSTP", this.#suspend);
    process.off("SIGCONT", this.#resume);
    process.off("exit", this.stop);
    this.#hide();
  };

  /** In the background the terminal belongs to the shell: nothing is drawn until gcspike is continued in the foreground. */
  readonly #resume = (): void => {
    if (this.#timer !== undefined || !inForeground()) return;
    this.#timer = setInterval(this.#draw, INTERVAL_MS);
    this.#draw();
  };

  readonly #suspend = (): void => {
    this.#hide();
    // What SIGTSTP does by default, after the terminal is whole again.
    process.kill(process.pid, "SIGSTOP");
  };

  #hide(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#rows > 0) this.#terminal.err(releaseRow(this.#rows));
    this.#rows = 0;
  }

  readonly #draw = (): void => {
    const rows = this.#terminal.rows();
    if (rows < MIN_ROWS) return;
    const reserve = rows === this.#rows ? "" : reserveRow();
    this.#rows = rows;
    this.#terminal.err(reserve + drawRow(rows, this.#terminal.width(), this.#describe()));
  };
}
