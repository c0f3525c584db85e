/** Exit codes of the contract (docs/cli.md). */
export const ExitCode = { ok: 0, regression: 1, usage: 2, inconclusive: 3, failed: 4 } as const;

/**
 * An error that a person can act on. `message` says what happened, `kept` what was kept of the work so far,
 * `hint` what to do next. The command line prints the three; a stack trace only with --verbose.
 */
export class GcspikeError extends Error {
  readonly code: string;
  readonly exitCode: number;
  readonly kept: string | undefined;
  readonly hint: string | undefined;

  constructor(
    code: string,
    message: string,
    options: { exitCode?: number; kept?: string | undefined; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "GcspikeError";
    this.code = code;
    this.exitCode = options.exitCode ?? ExitCode.failed;
    this.kept = options.kept;
    this.hint = options.hint;
  }
}

/** Wrong usage: nothing was run. */
export function usageError(message: string, hint?: string): GcspikeError {
  return new GcspikeError("usage", message, { exitCode: ExitCode.usage, ...(hint === undefined ? {} : { hint }) });
}
