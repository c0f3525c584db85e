/**
 * Allocations as pprof, for gcspike itself, `go tool pprof` and everything else that reads the format
 * (https://github.com/google/pprof/blob/main/proto/profile.proto).
 */
import { gzipSync } from "node:zlib";
import { emptyTableToken, Profile, StringTable } from "pprof-format";
import type { Allocations, AllocationWindow } from "./model.ts";

/** The labels of every sample; docs/recording-format.md says what they mean. */
export const WindowLabel = { start: "window_start_ms", end: "window_end_ms", truncated: "window_truncated" } as const;

/**
 * Gzipped pprof of `allocations`. `startedAt` is the calendar time of the recording's start. Tables come first and samples
 * behind them, window after window, so that a file that is cut later still has all windows before the cut.
 */
export function encodePprof(allocations: Allocations, startedAt: Date): Buffer {
  const strings = new StringTable();
  const windows = allocations.windows.map((window) => samplesMessage(window, allocations, strings));
  return gzipSync(Buffer.concat([tableMessage(allocations, startedAt, strings), ...windows]));
}

/** Everything but the samples. */
function tableMessage(allocations: Allocations, startedAt: Date, strings: StringTable): Uint8Array {
  const { frames, windows, intervalBytes } = allocations;
  const bytes = strings.dedup("bytes");
  const startMs = windows[0]?.startMs ?? 0;
  const endMs = windows.reduce((latest, { endMs }) => Math.max(latest, endMs), startMs);
  return new Profile({
    sampleType: [
      { type: strings.dedup("alloc_objects"), unit: strings.dedup("count") },
      { type: strings.dedup("alloc_space"), unit: bytes },
    ],
    function: frames.map((frame, index) => ({
      id: index + 1,
      name: strings.dedup(frame.function),
      systemName: strings.dedup(frame.function),
      filename: strings.dedup(frame.file),
      startLine: frame.line,
    })),
    location: frames.map((frame, index) => ({
      id: index + 1,
      line: [{ functionId: index + 1, line: frame.line, column: frame.column }],
    })),
    timeNanos: BigInt(startedAt.getTime() + startMs) * 1_000_000n,
    durationNanos: BigInt(endMs - startMs) * 1_000_000n,
    periodType: { type: strings.dedup("space"), unit: bytes },
    period: intervalBytes,
    defaultSampleType: strings.dedup("alloc_space"),
    stringTable: strings,
  }).encode();
}

/** Messages that follow each other are one message: the samples of one window, without tables. */
function samplesMessage(window: AllocationWindow, { stacks }: Allocations, strings: StringTable): Uint8Array {
  const unit = strings.dedup("milliseconds");
  const label = [
    { key: strings.dedup(WindowLabel.start), num: window.startMs, numUnit: unit },
    { key: strings.dedup(WindowLabel.end), num: window.endMs, numUnit: unit },
    ...(window.truncated ? [{ key: strings.dedup(WindowLabel.truncated), num: 1 }] : []),
  ];
  // A window without samples is one sample of nothing: that nothing was allocated is known, too.
  const samples = window.samples.length === 0 ? [{ stack: -1, objects: 0, bytes: 0 }] : window.samples;
  return new Profile({
    sample: samples.map(({ stack, objects, bytes }) => ({
      locationId: (stacks[stack] ?? []).map((frame) => frame + 1),
      value: [objects, bytes],
      label,
    })),
    stringTable: new StringTable(emptyTableToken),
  }).encode();
}
