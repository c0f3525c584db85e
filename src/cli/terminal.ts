/** The only place that writes to stdout and stderr. */
import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { GcspikeError } from "../lib/errors.ts";

/** What a command may print to. stdout gets a report's data, stderr everything that is said about it. */
export interface Terminal {
  /** Resolves when the data is written, and also where nobody reads any more (EPIPE). */
  readonly out: (data: string | Uint8Array) => Promise<void>;
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
  /** May stderr show a live line or a spinner? */
  readonly interactive: boolean;
  readonly outColor: boolean;
  readonly errColor: boolean;
  readonly width: () => number;
  readonly rows: () => number;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "false" && value !== "0";
}

/**
 * Writes to stderr at once. Not through process.stderr: for a pipe, Node would switch the description that the target
 * shares to non-blocking, and programs in other languages do not expect that.
 */
function writeToStderr(text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(2, bytes, written);
    } catch (error) {
      // A target that made the pipe non-blocking left it full: the reader will make room. Otherwise nobody reads.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function writeToStdout(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // The callback gets the error too; without a listener it would also end the process.
    if (process.stdout.listenerCount("error") === 0) process.stdout.on("error", () => {});
    process.stdout.write(data, (error) => {
      const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
      if (code === undefined || code === "EPIPE" || code === "ERR_STREAM_DESTROYED") resolve();
      else reject(new GcspikeError("stdout", `Cannot write to stdout: ${code}.`, { hint: "Write to a file: -o FILE" }));
    });
  });
}

/** The terminal of this process. */
export function systemTerminal(env: NodeJS.ProcessEnv): Terminal {
  const outIsTerminal = isatty(1);
  const errIsTerminal = isatty(2);
  const plain = isSet(env.CI) || isSet(env.NO_COLOR) || env.TERM === "dumb";
  return {
    out: writeToStdout,
    err: writeToStderr,
    outIsTerminal,
    interactive: errIsTerminal && !plain,
    outColor: outIsTerminal && !plain,
    errColor: errIsTerminal && !plain,
    width: () => (errIsTerminal ? process.stderr.columns : outIsTerminal ? process.stdout.columns : 80),
    rows: () => (errIsTerminal ? process.stderr.rows : 24),
  };
}
