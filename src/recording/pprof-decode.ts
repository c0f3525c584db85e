/** Allocations out of the pprof that pprof-encode.ts writes. Reads as far as a file that was cut goes. */
import { constants, gunzipSync } from "node:zlib";
import { boundText } from "./fields.ts";
import { originOf } from "./frames.ts";
import type { AllocationSample, Allocations, AllocationWindow, Frame } from "./model.ts";
import { type Numbering, numbering } from "./numbering.ts";
import { WindowLabel } from "./pprof-encode.ts";
import { eachField, type Field, packedVarints } from "./protobuf.ts";

/** 10 minutes of windows of a large program unpack to some 20 MB. */
const MAX_BYTES = 512 * 1024 ** 2;
/**
 * What may become objects, whatever the file holds: in 512 MiB there is room for a hundred million of the smallest messages.
 * 10 minutes of a large program are 300,000 samples of 30,000 functions.
 */
const MAX_SAMPLES = 6_000_000;
const MAX_TABLE_ENTRIES = 1_000_000;
/** A stack is looked at this far: 128 frames are some 400 bytes. */
const MAX_STACK_BYTES = 16 * 1024;

export interface DecodedPprof {
  readonly allocations: Allocations;
  /** The file was cut, or holds more than is read: windows behind the last one are missing. */
  readonly cut: boolean;
}

interface Tables {
  readonly strings: string[];
  readonly functions: Map<number, { readonly name: number; readonly file: number }>;
  readonly locations: Map<number, { readonly functionId: number; readonly line: number; readonly column: number }>;
  period: number;
}

interface MutableWindow extends AllocationWindow {
  readonly samples: AllocationSample[];
}

/** Decodes gzipped pprof. Throws where `file` is not gzip, damaged, or larger than 512 MiB unpacked. */
export function decodePprof(file: Uint8Array): DecodedPprof {
  const { bytes, cut } = unpack(file);
  const tables: Tables = { strings: [], functions: new Map(), locations: new Map(), period: 0 };
  let whole = eachField(bytes, 0, bytes.length, (field) => readTable(bytes, field, tables));
  const places = new Map([...tables.locations.keys()].map((id, index) => [id, index]));
  const stacks = numbering<string, readonly number[]>();
  const windows = new Map<string, MutableWindow>();
  let samples = 0;
  eachField(bytes, 0, bytes.length, (field) => {
    if (field.number !== 2) return;
    if (samples++ < MAX_SAMPLES) readSample(bytes, field, tables.strings, { places, stacks, windows });
    else whole = false;
  });
  return {
    allocations: {
      frames: [...tables.locations.values()].map((location) => frameAt(location, tables)),
      stacks: stacks.values,
      windows: [...windows.values()].sort((a, b) => a.startMs - b.startMs),
      intervalBytes: tables.period,
    },
    cut: cut || !whole,
  };
}

function unpack(file: Uint8Array): { bytes: Buffer; cut: boolean } {
  try {
    return { bytes: gunzipSync(file, { maxOutputLength: MAX_BYTES }), cut: false };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR")) throw error;
    const options = { maxOutputLength: MAX_BYTES, finishFlush: constants.Z_SYNC_FLUSH };
    return { bytes: gunzipSync(file, options), cut: true };
  }
}

function readTable(bytes: Buffer, { number, value, start, end }: Field, tables: Tables): void {
  const { strings, functions, locations } = tables;
  if (number === 4 && locations.size < MAX_TABLE_ENTRIES) {
    const location = fieldsOf(bytes, start, end);
    const position = location.get(4);
    const line = position === undefined ? location : fieldsOf(bytes, position.start, position.end);
    locations.set(numberOf(location, 1), {
      functionId: numberOf(line, 1),
      line: numberOf(line, 2),
      column: numberOf(line, 3),
    });
  } else if (number === 5 && functions.size < MAX_TABLE_ENTRIES) {
    const fields = fieldsOf(bytes, start, end);
    functions.set(numberOf(fields, 1), { name: numberOf(fields, 2), file: numberOf(fields, 4) });
  } else if (number === 6 && strings.length < MAX_TABLE_ENTRIES) {
    strings.push(boundText(bytes.toString("utf8", start, end)));
  } else if (number === 12) {
    tables.period = value;
  }
}

function frameAt(
  location: { readonly functionId: number; readonly line: number; readonly column: number },
  { functions, strings }: Tables,
): Frame {
  const called = functions.get(location.functionId);
  const file = strings[called?.file ?? 0] ?? "";
  const { line, column } = location;
  return { function: strings[called?.name ?? 0] ?? "", file, line, column, origin: originOf(file, line) };
}

interface Samples {
  /** Place in Allocations.frames of each location id. */
  readonly places: ReadonlyMap<number, number>;
  readonly stacks: Numbering<string, readonly number[]>;
  /** By the bytes of the labels, which all samples of a window share. */
  readonly windows: Map<string, MutableWindow>;
}

function readSample(bytes: Buffer, sample: Field, strings: readonly string[], samples: Samples): void {
  let stack = -1;
  let objects = 0;
  let size = 0;
  const labels: Field[] = [];
  eachField(bytes, sample.start, sample.end, (field) => {
    if (field.number === 1) stack = stackNumber(bytes, field, samples);
    else if (field.number === 2) [objects = 0, size = 0] = packedVarints(bytes, field.start, field.end);
    else if (field.number === 3) labels.push(field);
  });
  const key = labels.map(({ start, end }) => bytes.toString("latin1", start, end)).join();
  let window = samples.windows.get(key);
  if (window === undefined) {
    window = newWindow(bytes, labels, strings);
    samples.windows.set(key, window);
  }
  if (stack >= 0) window.samples.push({ stack, objects, bytes: size });
}

/** Equal stacks have equal bytes, so that each is taken apart once. */
function stackNumber(bytes: Buffer, { start, end }: Field, { places, stacks }: Samples): number {
  const read = Math.min(end, start + MAX_STACK_BYTES);
  return stacks.number(bytes.toString("latin1", start, read), () =>
    packedVarints(bytes, start, read).flatMap((id) => places.get(id) ?? []),
  );
}

function newWindow(bytes: Buffer, labels: readonly Field[], strings: readonly string[]): MutableWindow {
  const values = new Map<string | undefined, number>();
  for (const { start, end } of labels) {
    const label = fieldsOf(bytes, start, end);
    values.set(strings[numberOf(label, 1)], numberOf(label, 3));
  }
  return {
    startMs: values.get(WindowLabel.start) ?? 0,
    endMs: values.get(WindowLabel.end) ?? 0,
    truncated: values.has(WindowLabel.truncated),
    samples: [],
  };
}

/** The fields of a message whose fields do not repeat. */
function fieldsOf(bytes: Buffer, start: number, end: number): ReadonlyMap<number, Field> {
  const fields = new Map<number, Field>();
  eachField(bytes, start, end, (field) => fields.set(field.number, field));
  return fields;
}

/** 0 is what protobuf leaves out. */
function numberOf(fields: ReadonlyMap<number, Field>, number: number): number {
  return fields.get(number)?.value ?? 0;
}
