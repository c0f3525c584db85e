/** Numbers as the page shows them: with a unit that stays on their line, and words where there is no number. */
import { formatBytes, formatMs, formatNumber } from "../../lib/units.ts";

const NO_BREAK = "\u00a0";
const UNKNOWN = "unknown";

type Measured = number | null | undefined;

/** A text with numbers as all of the page writes them: µ, and units that stay on their line. */
export function tidy(text: string): string {
  return text.replace(/ us(?=$|\.)/g, " µs").replaceAll(" ", NO_BREAK);
}

function shown(value: Measured, format: (value: number) => string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return tidy(format(value));
}

export const ms = (value: Measured): string => shown(value, formatMs);
export const bytes = (value: Measured): string => shown(value, formatBytes);
export const count = (value: Measured): string => shown(value, (n) => n.toLocaleString("en-US"));

/** 0.0613 -> "6.13 %". */
export const share = (value: Measured): string =>
  shown(value, (part) =>
    part > 0 && part < 0.0005 ? "under 0.1 %" : `${formatNumber(Math.round(part * 1e4) / 100)} %`,
  );

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)}${NO_BREAK}${value === 1 ? one : many}`;
}

function clock(ms: number, decimals: number): string {
  const seconds = Math.abs(ms) / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = (seconds % 60).toFixed(decimals).padStart(decimals === 0 ? 2 : decimals + 3, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const MINUTES_FROM_MS = 120_000;

/** A moment of the recording to the millisecond: "12.345 s", beyond two minutes "3:25.123". */
export function moment(at: Measured): string {
  return shown(at, (ms) => (ms < MINUTES_FROM_MS ? `${(ms / 1000).toFixed(3)} s` : clock(ms, 3)));
}

/** Labels of a time axis whose neighbours are `stepMs` apart: no more digits than tell them apart. */
export function timeLabels(at: readonly number[], stepMs: number): string[] {
  const decimals = Math.min(6, Math.max(0, Math.ceil(-Math.log10(stepMs / 1000) - 1e-9)));
  const inMinutes = (at.at(-1) ?? 0) >= MINUTES_FROM_MS;
  return at.map((ms) => (inMinutes ? clock(ms, decimals) : `${(ms / 1000).toFixed(decimals)}${NO_BREAK}s`));
}

const ISOLATE_KINDS: Readonly<Record<string, string>> = {
  main: "main thread",
  worker: "worker",
  child: "child process",
};

export function isolateKind(kind: string): string {
  return ISOLATE_KINDS[kind] ?? kind;
}
