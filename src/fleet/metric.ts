/** Metrics as they stand, between what gathers them and what encodes them. */
import type { HistogramState } from "./histogram.ts";

/** Names and values, both as Prometheus has them. */
export type Labels = Readonly<Record<string, string>>;

interface Described {
  /** As Prometheus has it, without the `_total` of a counter. */
  readonly name: string;
  /** As OpenTelemetry has it, with its unit. */
  readonly otlp: { readonly name: string; readonly unit: string };
  readonly help: string;
}

export type Metric =
  | (Described & {
      readonly type: "counter" | "gauge";
      readonly points: readonly { readonly labels: Labels; readonly value: number }[];
    })
  | (Described & {
      readonly type: "histogram";
      readonly points: readonly { readonly labels: Labels; readonly histogram: HistogramState }[];
    });
