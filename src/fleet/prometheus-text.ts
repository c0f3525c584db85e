/**
 * Text for Prometheus without native histograms, and for eyes: OpenMetrics (https://prometheus.io/docs/specs/om/open_metrics_spec), which
 * has exemplars, and Prometheus's own older format, which has none.
 */
import { PAUSE_BOUNDS } from "../export/openmetrics.ts";
import type { Exemplar, HistogramState } from "./histogram.ts";
import type { Labels, Metric } from "./metric.ts";

export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";
export const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `every`: labels that each value has. */
export function encodeText(metrics: readonly Metric[], every: Labels, isOpenMetrics: boolean): string {
  const lines = metrics
    .filter(({ points }) => points.length > 0)
    .flatMap((metric) => [...head(metric, isOpenMetrics), ...samples(metric, every, isOpenMetrics)]);
  return `${[...lines, ...(isOpenMetrics ? ["# EOF"] : [])].join("\n")}\n`;
}

function head({ name, type, help }: Metric, isOpenMetrics: boolean): readonly string[] {
  const family = type === "counter" && !isOpenMetrics ? `${name}_total` : name;
  return [`# TYPE ${family} ${type}`, `# HELP ${family} ${help}`];
}

function samples(metric: Metric, every: Labels, isOpenMetrics: boolean): readonly string[] {
  if (metric.type === "histogram") {
    return metric.points.flatMap(({ labels, histogram }) =>
      histogramSamples(metric.name, { ...every, ...labels }, histogram, isOpenMetrics),
    );
  }
  const name = metric.type === "counter" ? `${metric.name}_total` : metric.name;
  return metric.points.map(({ labels, value }) => `${name}${labelText({ ...every, ...labels })} ${value}`);
}

function histogramSamples(
  name: string,
  labels: Labels,
  { count, sum, coarse, exemplars }: HistogramState,
  isOpenMetrics: boolean,
): readonly string[] {
  let cumulative = 0;
  const buckets = coarse.map((inBucket, index) => {
    cumulative += inBucket;
    const le = index < PAUSE_BOUNDS.length ? boundText(PAUSE_BOUNDS[index] ?? 0) : "+Inf";
    const exemplar = isOpenMetrics ? exemplars.get(index) : undefined;
    return `${name}_bucket${labelText({ ...labels, le })} ${cumulative}${exemplar === undefined ? "" : exemplarText(exemplar)}`;
  });
  return [...buckets, `${name}_sum${labelText(labels)} ${sum}`, `${name}_count${labelText(labels)} ${count}`];
}

/** OpenMetrics wants a bound to look the same everywhere: 1.0, not 1. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function exemplarText({ dump, seconds, epochMs }: Exemplar): string {
  return ` # ${labelText({ dump })} ${seconds} ${(epochMs / 1000).toFixed(3)}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
