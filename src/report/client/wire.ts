/**
 * How a ReportView or a comparison travels inside the HTML file: JSON in which every typed array is replaced by a reference into one
 * binary blob. Both ends stand in this file so that they cannot drift apart; it knows neither Node nor the browser.
 *
 * The blob is columns one behind the other, each starting at a multiple of 8 bytes, little-endian:
 *
 *     time    differences of microseconds, Float64: rounded before they are subtracted, so that errors do not add up.
 *             Small whole numbers have mostly zero bytes, which is what gzip likes
 *     value   Float32: seven digits are more than anybody reads off a chart
 *     kind    Uint8
 *     index   Int32
 */
import type { Spike } from "../../analysis/report-types.ts";
import type { Selection } from "../../analysis/stack-bytes.ts";
import type { AllocationView, IsolateView, PageView } from "../view-model.ts";
import type { FlameColumns } from "./flame-columns.ts";

/**
 * Allocation windows as columns: stack s is `stackFrames[stackEnds[s - 1] .. stackEnds[s]]`, root first; window w has the
 * entries from `entryEnds[w - 1]` to `entryEnds[w]`, each a stack and its bytes.
 */
export interface AllocationData {
  readonly frames: AllocationView["frames"];
  readonly stackEnds: Int32Array;
  readonly stackFrames: Int32Array;
  readonly windows: readonly { readonly startMs: number; readonly endMs: number; readonly bytes: number }[];
  readonly entryEnds: Int32Array;
  readonly entryStacks: Int32Array;
  readonly entryBytes: Float64Array;
}

export type IsolateData = Omit<IsolateView, "allocations"> & { readonly allocations: AllocationData | null };

/** A spike's flame graphs; frames are those of its isolate's allocations. */
export interface SpikeFlamesData {
  readonly spike: string;
  readonly flames: readonly { readonly selection: Selection; readonly calls: FlameColumns }[];
}

export interface ReportData extends Omit<PageView, "isolates" | "flames"> {
  readonly isolates: readonly IsolateData[];
  /** The spikes that are in the file, worst first. */
  readonly spikes: readonly Spike[];
  /** Spikes of the recording; more than `spikes.length` where the file leaves some out. */
  readonly spikeCount: number;
  readonly flames: readonly SpikeFlamesData[];
  /** So many of the longest spikes have flame graphs, where anything is known for them. */
  readonly mostFlamed: number;
}

type ColumnType = "time" | "value" | "kind" | "index";

const BYTES: Readonly<Record<ColumnType, number>> = { time: 8, value: 4, kind: 1, index: 4 };
const TIME_COLUMNS: ReadonlySet<string> = new Set(["startMs", "timeMs", "spacesTimeMs"]);
const REFERENCE = "$column";
const ALIGNMENT = 8;

function columnType(key: string, values: unknown): ColumnType | null {
  if (values instanceof Float64Array) return TIME_COLUMNS.has(key) ? "time" : "value";
  if (values instanceof Uint8Array) return "kind";
  if (values instanceof Int32Array) return "index";
  return null;
}

function writeColumn(view: DataView, at: number, type: ColumnType, values: ArrayLike<number>): void {
  const size = BYTES[type];
  let previous = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] ?? Number.NaN;
    if (type === "time") {
      const microseconds = Math.round(value * 1000);
      view.setFloat64(at + i * size, microseconds - previous, true);
      if (Number.isFinite(microseconds)) previous = microseconds;
    } else if (type === "value") view.setFloat32(at + i * size, value, true);
    else if (type === "kind") view.setUint8(at + i, value);
    else view.setInt32(at + i * size, value, true);
  }
}

function readColumn(blob: DataView, type: ColumnType, at: number, count: number): ArrayLike<number> {
  const size = BYTES[type];
  if (type === "kind") return new Uint8Array(blob.buffer, blob.byteOffset + at, count);
  if (type === "index") return Int32Array.from({ length: count }, (_, i) => blob.getInt32(at + i * size, true));
  const values = new Float64Array(count);
  let microseconds = 0;
  for (let i = 0; i < count; i += 1) {
    if (type === "time") {
      const step = blob.getFloat64(at + i * size, true);
      values[i] = (microseconds + step) / 1000;
      if (Number.isFinite(step)) microseconds += step;
    } else values[i] = blob.getFloat32(at + i * size, true);
  }
  return values;
}

/**
 * Turns the data into JSON and its blob. `text` is applied to every string on the way; what is not finite outside a
 * column becomes null, as JSON has it.
 */
export function pack(data: object, text: (value: string) => string): { json: string; blob: Uint8Array } {
  const columns: { readonly type: ColumnType; readonly values: ArrayLike<number>; readonly at: number }[] = [];
  let bytes = 0;
  const json = JSON.stringify(data, (key, value: unknown) => {
    if (typeof value === "string") return text(value);
    const type = columnType(key, value);
    if (type === null) return value;
    const values = value as ArrayLike<number>;
    const at = bytes;
    columns.push({ type, values, at });
    bytes = Math.ceil((at + values.length * BYTES[type]) / ALIGNMENT) * ALIGNMENT;
    return { [REFERENCE]: [type, at, values.length] };
  });
  const blob = new Uint8Array(bytes);
  const view = new DataView(blob.buffer);
  for (const { type, values, at } of columns) writeColumn(view, at, type, values);
  return { json, blob };
}

/** The other direction. Throws where the blob is shorter than the JSON says. */
export function unpack<Data>(json: string, blob: Uint8Array): Data {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  return JSON.parse(json, (_key, value: unknown) => {
    if (typeof value !== "object" || value === null || !(REFERENCE in value)) return value;
    const [type, at, count] = value[REFERENCE] as [ColumnType, number, number];
    return readColumn(view, type, at, count);
  }) as Data;
}
