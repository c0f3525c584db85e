import { describe, expect, test } from "vitest";
import { exportSpeedscope } from "../../../src/export/speedscope.ts";
import { allocatedBytes, EXPORT_STORIES, exportInput, pauseTotals } from "../../support/exported.ts";

interface File {
  readonly shared: {
    readonly frames: readonly { readonly name: string; readonly file?: string; readonly line?: number }[];
  };
  readonly profiles: readonly {
    readonly type: string;
    readonly name: string;
    readonly unit: string;
    readonly startValue: number;
    readonly endValue: number;
    readonly samples: readonly (readonly number[])[];
    readonly weights: readonly number[];
  }[];
}

const decode = (bytes: Uint8Array): File => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe.each(Object.keys(EXPORT_STORIES))("the story %s", (story) => {
  const input = exportInput(story);
  const { shared, profiles } = decode(exportSpeedscope(input));
  const total = (what: string) =>
    sum(profiles.filter(({ name }) => name.endsWith(`: ${what}`)).map(({ weights }) => sum(weights)));

  test("profiles add up to the report", () => {
    expect(total("pauses")).toBeCloseTo(pauseTotals(input).totalMs, 6);
    expect(total("allocated")).toBeCloseTo(allocatedBytes(input), 3);
  });

  test("has a weight a sample, frames that are there, and ends where the weights do", () => {
    for (const { samples, weights, startValue, endValue } of profiles) {
      expect(weights).toHaveLength(samples.length);
      expect(startValue + sum(weights)).toBeCloseTo(endValue, 6);
      for (const frame of samples.flat()) expect(shared.frames[frame]).toBeDefined();
    }
  });
});

test("stacks begin with the root, and frames say where they are", () => {
  const { shared, profiles } = decode(exportSpeedscope(exportInput("everything")));
  const allocated = profiles.find(({ name }) => name === "main: allocated");
  expect(allocated?.samples[0]?.map((frame) => shared.frames[frame])).toEqual([
    { name: "(root)" },
    { name: "listen", file: "server.js", line: 3 },
    { name: "handle", file: "src/orders.js", line: 12 },
    { name: "parse", file: "src/parse.js", line: 7 },
  ]);
  expect(profiles.map(({ name, unit }) => `${name}, ${unit}`)).toEqual([
    "main: allocated, bytes",
    "main: alive at the end, bytes",
    "main: Buffers and ArrayBuffers, bytes",
    "main: pauses, milliseconds",
    "image-worker: pauses, milliseconds",
    "child.js: pauses, milliseconds",
  ]);
});
