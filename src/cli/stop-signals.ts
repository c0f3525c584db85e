/** Signals that ask gcspike to end while it has something to put in order first. */
import { constants } from "node:os";
import { GcspikeError } from "../lib/errors.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** @throws GcspikeError that has `kept` and exit code 128 + signal, where one has come */
type ThrowIfStopped = (kept: string) => void;

/** Runs `work`, which no such signal ends: it asks between two steps whether one has come. The first one counts. */
export async function stoppable<T>(work: (throwIfStopped: ThrowIfStopped) => Promise<T>): Promise<T> {
  let first: NodeJS.Signals | undefined;
  const note = (signal: NodeJS.Signals): void => {
    first ??= signal;
  };
  for (const signal of STOP_SIGNALS) process.on(signal, note);
  try {
    return await work((kept) => {
      if (first === undefined) return;
      throw new GcspikeError("stopped", `Stopped by ${first}.`, { exitCode: 128 + constants.signals[first], kept });
    });
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, note);
  }
}

/** `signal` aborts when such a signal comes, or on `abort`; until `release` no such signal ends gcspike. */
export function untilStopSignal(): {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  readonly release: () => void;
} {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  for (const signal of STOP_SIGNALS) process.on(signal, abort);
  return {
    signal: controller.signal,
    abort,
    release: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, abort);
    },
  };
}
