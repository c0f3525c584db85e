/** The options of the flight recorder, which `record` and `attach` share. Stands alone, so that --help loads no recorder. */
import type { Command } from "commander";
import { usageError } from "../lib/errors.ts";
import { parseDuration, parseSize } from "../lib/units.ts";
import type { FlightOptions } from "../recorder/flight/flight-options.ts";

export interface FlightFlags {
  readonly trigger?: readonly string[] | undefined;
  /** ms */
  readonly keep?: number | undefined;
  readonly maxDumps?: number | undefined;
  /** bytes */
  readonly maxDisk?: number | undefined;
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`--max-dumps cannot be "${text}".`, "Give a whole number: --max-dumps 10");
}

export function addFlightFlags(command: Command): void {
  command
    .optionsGroup("A flight recorder instead: it keeps the last time only, and writes it when something happens:")
    .option(
      "--trigger <what>",
      "pause>50ms, gc.share>10%, gc.outside>30ms, heap>800MiB, loop.delay>200ms, heap.limit or death, which always is one; again for another",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option("--keep <duration>", "how much of the time before it is kept (default: 60s)", (text) =>
      parseDuration("--keep", text),
    )
    .option("--max-dumps <number>", "keep so many, the oldest go first (default: 10)", parseCount)
    .option("--max-disk <size>", "take no more than this, half of it for dumps (default: 1GiB)", (text) =>
      parseSize("--max-disk", text),
    );
}

/** Undefined where no trigger is named. @throws a usage error where another of these options is */
export function flightOf({ trigger, keep, maxDumps, maxDisk }: FlightFlags): FlightOptions | undefined {
  if (trigger !== undefined) return { triggers: trigger, keepMs: keep, maxDumps, maxDiskBytes: maxDisk };
  const alone =
    keep !== undefined
      ? "--keep"
      : maxDumps !== undefined
        ? "--max-dumps"
        : maxDisk !== undefined
          ? "--max-disk"
          : null;
  if (alone === null) return undefined;
  throw usageError(`${alone} is for a flight recorder, which needs a trigger.`, "Name one: --trigger 'pause>50ms'");
}
