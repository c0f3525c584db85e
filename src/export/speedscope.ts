/**
 * speedscope's own format, for https://www.speedscope.app and what reads the same
 * (https://github.com/jlfwong/speedscope/blob/main/src/lib/file-format-spec.ts).
 */
import { attributedPauses } from "../analysis/pause-stacks.ts";
import { plainText } from "../lib/text.ts";
import type { Frame, IsolateData } from "../recording/model.ts";
import type { ExportInput } from "./export-input.ts";
import { FrameTable } from "./frame-table.ts";
import { heapRows, stackFrames } from "./heap-rows.ts";
import { TextParts } from "./text-parts.ts";

interface SampledProfile {
  readonly name: string;
  readonly unit: "bytes" | "milliseconds";
  /** Indices into the frames, root first. */
  readonly samples: (readonly number[])[];
  readonly weights: number[];
}

/**
 * One file with up to four profiles an isolate, in order of time: bytes that were allocated, those of them that were alive at the end,
 * ArrayBuffers, and the pauses. What has no sample has no profile.
 */
export function exportSpeedscope({ recording, report }: ExportInput): Uint8Array {
  const table = new FrameTable();
  const profiles = new Map<string, SampledProfile>();
  const add = (
    isolate: IsolateData,
    what: string,
    unit: SampledProfile["unit"],
    frames: readonly Frame[],
    weight: number,
  ) => {
    if (!(weight > 0)) return;
    const key = `${isolate.id}\0${what}`;
    const profile = profiles.get(key) ?? {
      name: `${plainText(isolate.name)}: ${what}`,
      unit,
      samples: [],
      weights: [],
    };
    profiles.set(key, profile);
    profile.samples.push(frames.map((frame) => table.numberOf(frame)).reverse());
    profile.weights.push(weight);
  };
  for (const { isolate, stack, allocated, live, buffers } of heapRows(recording)) {
    const frames = stackFrames(isolate, stack);
    add(isolate, "allocated", "bytes", frames, allocated.bytes);
    add(isolate, "alive at the end", "bytes", frames, live?.bytes ?? 0);
    add(isolate, "Buffers and ArrayBuffers", "bytes", frames, buffers);
  }
  for (const { isolate, durationMs, parts } of attributedPauses(recording, report.spikes)) {
    for (const { frames, share } of parts) add(isolate, "pauses", "milliseconds", frames, durationMs * share);
  }
  const name = plainText(recording.path.split(/[\\/]/).findLast((part) => part !== "") ?? "");
  return encode(name, table, [...profiles.values()]);
}

function encode(name: string, { frames }: FrameTable, profiles: readonly SampledProfile[]): Uint8Array {
  const text = new TextParts();
  const $schema = "https://www.speedscope.app/file-format-schema.json";
  text.add(`${JSON.stringify({ $schema, exporter: "gcspike", name, activeProfileIndex: 0 }).slice(0, -1)},`);
  text.add(`"shared":${JSON.stringify({ frames: frames.map(frameOf) })},"profiles":[`);
  for (const [index, { samples, weights, ...rest }] of profiles.entries()) {
    const endValue = weights.reduce((sum, weight) => sum + weight, 0);
    text.add(index === 0 ? "" : ",");
    text.add(`${JSON.stringify({ type: "sampled", ...rest, startValue: 0, endValue }).slice(0, -1)},"samples":[`);
    for (const [place, sample] of samples.entries()) text.add(`${place === 0 ? "" : ","}[${sample.join()}]`);
    text.add('],"weights":[');
    for (const [place, weight] of weights.entries()) text.add(`${place === 0 ? "" : ","}${weight}`);
    text.add("]}");
  }
  text.add("]}\n");
  return text.bytes();
}

function frameOf({ function: name, file, line, column }: FrameTable["frames"][number]) {
  return {
    name,
    ...(file === "" ? {} : { file }),
    ...(line > 0 ? { line } : {}),
    ...(column > 0 ? { col: column } : {}),
  };
}
