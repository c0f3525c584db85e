/** Durations and sizes as people write and read them. */
import { usageError } from "./errors.ts";

const DURATION_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

function parse(flag: string, text: string, table: Readonly<Record<string, number>>, example: string): number {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text.trim());
  const unit = match?.[2] ?? "";
  const factor = Object.hasOwn(table, unit) ? table[unit] : undefined;
  if (match?.[1] === undefined || factor === undefined) {
    throw usageError(`${flag} cannot be "${text}".`, `Write a number with a unit: ${example}.`);
  }
  return Number(match[1]) * factor;
}

/** `500us`, `10ms`, `2s`, `5m`, `1h` to milliseconds. Throws a usage error that names the flag. */
export function parseDuration(flag: string, text: string): number {
  return parse(flag, text, DURATION_MS, "500us, 10ms, 2s or 5m");
}

/** `64MiB`, `512KiB`, `1GB` to bytes. Throws a usage error that names the flag. */
export function parseSize(flag: string, text: string): number {
  return parse(flag, text, SIZE_BYTES, "512KiB, 64MiB or 1GiB");
}

/** "10%" or "0.1" as a share, above 0. A number without % is below 1: "5" would be 500 % for some and 5 % for others. @throws a usage error */
export function parseShare(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const isPercent = match?.[2] === "%";
  const share = match === null ? Number.NaN : Number(match[1]) / (isPercent ? 100 : 1);
  if (share > 0 && share <= 10 && (isPercent || share < 1)) return share;
  throw usageError(`${flag} cannot be "${text}".`, `Give a share above 0, such as ${flag} 10%`);
}

/** From here on a number is shown with an exponent. */
const HUGE = 1e15;

/** Two or three significant digits: 0.043 -> "0.043", 36.24 -> "36.2", 146.2 -> "146", 1234.5 -> "1,235", 1e300 -> "1e300". */
export function formatNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return "0";
  if (Math.abs(value) >= HUGE) return Number(value.toPrecision(3)).toExponential().replace("+", "");
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  if (magnitude >= 2) return Math.round(value).toLocaleString("en-US");
  const digits = Math.min(6, 2 - magnitude);
  return Number(value.toFixed(digits)).toString();
}

/** Milliseconds as "41.8 ms", "12 us", "72.4 s", "10 min 5 s", "24 h". */
export function formatMs(ms: number): string {
  const magnitude = Math.abs(ms);
  if (magnitude >= HUGE) return `${formatNumber(ms / 3_600_000)} h`;
  if (magnitude >= 7_200_000) return inTwoUnits(Math.round(ms / 60_000), "h", "min");
  if (magnitude >= 120_000) return inTwoUnits(Math.round(ms / 1000), "min", "s");
  if (magnitude >= 1000) return `${formatNumber(ms / 1000)} s`;
  if (magnitude >= 0.1 || ms === 0) return `${formatNumber(ms)} ms`;
  return `${formatNumber(ms * 1000)} us`;
}

/** 605 -> "10 min 5 s", 600 -> "10 min". */
function inTwoUnits(value: number, large: string, small: string): string {
  const rest = Math.abs(value % 60);
  return `${Math.trunc(value / 60)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** Bytes as "212 MiB", "9.8 MiB", "640 B". */
export function formatBytes(bytes: number): string {
  const magnitude = Math.abs(bytes);
  if (magnitude >= 1024 ** 3) return `${formatNumber(bytes / 1024 ** 3)} GiB`;
  if (magnitude >= 1024 ** 2) return `${formatNumber(bytes / 1024 ** 2)} MiB`;
  if (magnitude >= 1024) return `${formatNumber(bytes / 1024)} KiB`;
  return `${formatNumber(bytes)} B`;
}

/** 0.0613 -> "6.1 %". */
export function formatShare(share: number): string {
  return `${formatNumber(Math.round(share * 1000) / 10)} %`;
}

/** A value of any unit: "41.8 ms", "212 MiB", "6.1 %", "4.2 MiB/h", "9,998/s", "318 pauses". */
export function formatQuantity(value: number, unit: string): string {
  switch (unit) {
    case "ms":
      return formatMs(value);
    case "bytes":
      return formatBytes(value);
    case "bytes/h":
      return `${formatBytes(value)}/h`;
    case "share":
      return formatShare(value);
    default:
      return unit.startsWith("1/") ? `${formatNumber(value)}${unit.slice(1)}` : `${formatNumber(value)} ${unit}`;
  }
}
