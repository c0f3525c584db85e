/** The only place that writes to stdout and stderr. */
import { fstatSync, writeSync } from "node:fs";
import { GcspikeError } from "../lib/errors.ts";

/** What a command may print to. stdout gets a report's data, stderr everything that is said about it. */
export interface Terminal {
  /** Returns when the data is written, and also where nobody reads any more. Throws GcspikeError where that fails. */
  readonly out: (data: string | Uint8Array) => void;
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
  /** May stderr show a live line or a spinner? */
  readonly interactive: boolean;
  readonly outColor: boolean;
  readonly errColor: boolean;
  /** May the whole screen be drawn on through stdout, and do keys come from it? */
  readonly hasScreen: () => boolean;
  readonly width: () => number;
  readonly rows: () => number;
}

/** Prints nothing. */
export const NO_TERMINAL: Terminal = {
  out: () => {},
  err: () => {},
  outIsTerminal: false,
  interactive: false,
  outColor: false,
  errColor: false,
  hasScreen: () => false,
  width: () => 80,
  rows: () => 24,
};

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "false" && value !== "0";
}

/** Sleeps without giving control back. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Writes all of it, at once. Not through process.stdout and process.stderr: for a pipe, Node would switch the description
 * that the target shares to non-blocking, and programs in other languages do not expect that.
 * Returns false where nobody reads any more. Throws what the file system throws otherwise.
 */
function writeAll(fd: number, bytes: Uint8Array): boolean {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return false;
      if (code !== "EAGAIN") throw error;
      // Somebody else made the pipe non-blocking, and it is full: its reader will make room.
      sleep(5);
    }
  }
  return true;
}

function writeToStdout(data: string | Uint8Array): void {
  try {
    writeAll(1, typeof data === "string" ? Buffer.from(data) : data);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new GcspikeError("stdout", `Cannot write to stdout: ${code}.`, { hint: "Write to a file: -o FILE", cause });
  }
}

function writeToStderr(text: string): void {
  try {
    writeAll(2, Buffer.from(text));
  } catch {
    // There is no place left to say so.
  }
}

/** Asks the file system first: node:tty, which process.stdout loads for a terminal, costs a tenth of a start. */
function isTerminal(fd: 1 | 2): boolean {
  return fstatSync(fd).isCharacterDevice() && (fd === 1 ? process.stdout : process.stderr).isTTY === true;
}

/** The terminal of this process. */
export function systemTerminal(env: NodeJS.ProcessEnv): Terminal {
  const plain = isSet(env.CI) || isSet(env.NO_COLOR) || env.TERM === "dumb";
  const outIsTerminal = isTerminal(1);
  const errIsTerminal = isTerminal(2);
  const stream = errIsTerminal ? process.stderr : outIsTerminal ? process.stdout : null;
  return {
    out: writeToStdout,
    err: writeToStderr,
    outIsTerminal,
    // A terminal whose size was never set has none: nothing can be drawn on it and taken away again.
    interactive: errIsTerminal && !plain && process.stderr.columns > 0,
    outColor: outIsTerminal && !plain,
    errColor: errIsTerminal && !plain,
    hasScreen: () => outIsTerminal && process.stdin.isTTY && env.TERM !== "dumb" && process.stdout.columns > 0,
    width: () => stream?.columns || 80,
    rows: () => stream?.rows || 24,
  };
}
