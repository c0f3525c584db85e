/** An isolate's live-heap or wall-clock profile: the parts that the agent wrote, as one, in the original source's positions. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Profile, StringTable, type ValueType } from "pprof-format";
import { ANONYMOUS, frameOf } from "./frames.ts";
import type { Frame } from "./model.ts";
import { type Numbering, numbering } from "./numbering.ts";
import { replaceFile } from "./replace-file.ts";
import { applySourceMaps } from "./source-maps.ts";
import type { Warning } from "./spec.ts";

export type ProfileKind = "live" | "wall";

const MAX_PART_BYTES = 256 * 1024 * 1024;
/** How @datadog/pprof tells functions without a name apart; their line and column say the same. */
const ANONYMOUS_AT = /^\(anonymous:L#\d+:C#\d+\)$/;

/** `<isolate>.<kind>.<n>.pb.gz`, by n. */
function partsOf(folder: string, isolateId: string, kind: ProfileKind): readonly string[] {
  const prefix = `${isolateId}.${kind}.`;
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && /^\d{1,6}\.pb\.gz$/.test(name.slice(prefix.length)))
    .sort((a, b) => Number.parseInt(a.slice(prefix.length), 10) - Number.parseInt(b.slice(prefix.length), 10))
    .map((name) => join(folder, name));
}

interface Merged {
  readonly frames: Numbering<string, Frame>;
  /** By stack: the numbers of its frames, leaf first. */
  readonly samples: Map<string, { readonly stack: readonly number[]; readonly value: readonly number[] }>;
}

/** Frames of a location, the innermost inlined one first. */
function framesAt(profile: Profile): ReadonlyMap<number, readonly Frame[]> {
  const text = (index: number | bigint): string => profile.stringTable.strings[Number(index)] ?? "";
  const functions = new Map(profile.function.map((called) => [Number(called.id), called]));
  const frameAt = ({ functionId, line, column }: Profile["location"][number]["line"][number]): Frame => {
    const called = functions.get(Number(functionId));
    const name = text(called?.name ?? 0);
    const file = text(called?.filename ?? 0);
    return frameOf(ANONYMOUS_AT.test(name) ? ANONYMOUS : name, file, Number(line), Number(column));
  };
  return new Map(profile.location.map(({ id, line }) => [Number(id), line.map(frameAt)]));
}

/** What gcspike itself did to take and write the profile is left out. */
function addPart(profile: Profile, { frames, samples }: Merged): void {
  const places = framesAt(profile);
  for (const { locationId, value } of profile.sample) {
    const called = locationId.flatMap((id) => places.get(Number(id)) ?? []);
    if (called.some(({ origin }) => origin === "gcspike")) continue;
    const stack = called.map((frame) =>
      frames.number(`${frame.file}\0${frame.line}\0${frame.column}\0${frame.function}`, () => frame),
    );
    const before = samples.get(stack.join())?.value ?? [];
    samples.set(stack.join(), { stack, value: value.map((one, index) => (before[index] ?? 0) + Number(one)) });
  }
}

function encode({ samples }: Merged, frames: readonly Frame[], parts: readonly Profile[]): Uint8Array {
  const [first] = parts;
  const strings = new StringTable();
  const again = (index: number | bigint): number => strings.dedup(first?.stringTable.strings[Number(index)] ?? "");
  const valueType = ({ type, unit }: ValueType) => ({ type: again(type), unit: again(unit) });
  return new Profile({
    sampleType: first?.sampleType.map(valueType) ?? [],
    ...(first?.periodType && { periodType: valueType(first.periodType), period: first.period }),
    timeNanos: first?.timeNanos ?? 0,
    durationNanos: parts.reduce((sum, { durationNanos }) => sum + BigInt(durationNanos), 0n),
    function: frames.map((frame, index) => {
      const name = strings.dedup(frame.function);
      return { id: index + 1, name, systemName: name, filename: strings.dedup(frame.file) };
    }),
    location: frames.map(({ line, column }, index) => ({
      id: index + 1,
      line: [{ functionId: index + 1, line, column }],
    })),
    sample: [...samples.values()].map(({ stack, value }) => ({
      locationId: stack.map((frame) => frame + 1),
      value: [...value],
    })),
    stringTable: strings,
  }).encode();
}

/**
 * Writes `<isolate>.<kind>.pb.gz` from its parts, then removes them. The isolate's process must have ended. Returns null where
 * there is no part, else what is missing. Throws what the file system throws; the parts are then still there.
 */
export function mergeProfiles(folder: string, isolateId: string, kind: ProfileKind): readonly Warning[] | null {
  const files = partsOf(folder, isolateId, kind);
  if (files.length === 0) return null;
  const parts = files.map((file) =>
    Profile.decode(gunzipSync(readFileSync(file), { maxOutputLength: MAX_PART_BYTES })),
  );
  const merged: Merged = { frames: numbering(), samples: new Map() };
  for (const part of parts) addPart(part, merged);
  const { frames, warnings } = applySourceMaps(merged.frames.values);
  replaceFile(join(folder, `${isolateId}.${kind}.pb.gz`), gzipSync(encode(merged, frames, parts)));
  for (const file of files) rmSync(file);
  return warnings;
}
