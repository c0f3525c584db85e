/** `<isolate>.memory.json` in a ring: what its logs forgot and may refer to, and how far that is. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { asFields, integerOf } from "../../recording/fields.ts";
import { parseObject } from "../../recording/manifest.ts";
import type { SavedMemory } from "./cut.ts";

/** By suffix of the log. */
export interface MemoryFile {
  /** The first positions that are not forgotten. */
  readonly first: Readonly<Record<string, number>>;
  readonly memories: Readonly<Record<string, SavedMemory>>;
}

/** Written whole, and renamed into place. Throws what the file system throws. */
export function writeMemory(path: string, { first, memories }: MemoryFile): void {
  const saved = Object.entries(memories).map(([suffix, { records, numbers, count }]) => [
    suffix,
    { records: records.map((record) => record.toString("base64")), numbers, count },
  ]);
  writeFileSync(`${path}.tmp`, JSON.stringify({ first, memories: Object.fromEntries(saved) }));
  renameSync(`${path}.tmp`, path);
}

/** Empty where there is none. */
export function readMemory(path: string): MemoryFile {
  const fields = parseObject(textOf(path));
  const first = Object.entries(asFields(fields?.first) ?? {}).map(([suffix, position]) => [
    suffix,
    integerOf(position) ?? 0,
  ]);
  const memories = Object.entries(asFields(fields?.memories) ?? {}).map(([suffix, saved]) => [suffix, savedOf(saved)]);
  return { first: Object.fromEntries(first), memories: Object.fromEntries(memories) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function savedOf(value: unknown): SavedMemory {
  const fields = asFields(value);
  return {
    records: itemsOf(fields?.records).flatMap((text) => (typeof text === "string" ? Buffer.from(text, "base64") : [])),
    numbers: itemsOf(fields?.numbers).flatMap((number) => integerOf(number) ?? []),
    count: integerOf(fields?.count) ?? 0,
  };
}
