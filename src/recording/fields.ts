/** Reading JSON that somebody else wrote: every value is checked and every length bounded. */

export type Fields = Readonly<Record<string, unknown>>;

/** The longest name, label or path that is kept; a longer one ends in "...". */
const TEXT_LIMIT = 2000;
const LIST_LIMIT = 10_000;

export function boundText(text: string, limit: number = TEXT_LIMIT): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 3)}...`;
}

/** The value as an object; null where it is none. */
export function asFields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function textOf(value: unknown): string | null {
  return typeof value === "string" ? boundText(value) : null;
}

export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function integerOf(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, LIST_LIMIT) : [];
}

export function textsOf(value: unknown): readonly string[] {
  return listOf(value).flatMap((item) => textOf(item) ?? []);
}

/** Nanoseconds as a decimal string, the way they stand in JSON; null where it is not one of at most 64 bits. */
export function nanosecondsOf(value: unknown): bigint | null {
  if (typeof value !== "string" || !/^\d{1,19}$/.test(value)) return null;
  return BigInt(value);
}
