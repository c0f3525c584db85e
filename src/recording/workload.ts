/** workload.json: what the recorded program measured itself, read with suspicion. */
import { join } from "node:path";
import { plainText } from "../lib/text.ts";
import { readBounded } from "./bounded-file.ts";
import { msSince } from "./columns.ts";
import { asFields, type Fields, listOf, numberOf, textOf } from "./fields.ts";
import { parseObject } from "./manifest.ts";
import type { MeasuredWorkload } from "./model.ts";
import type { Measurement, Warning, Workload } from "./spec.ts";

const WORKLOAD_FILE = "workload.json";
const WORKLOAD_SCHEMA = "gcspike.workload/1";
const MAX_BYTES = 1024 * 1024;
const MAX_METRICS = 100;
const MAX_OPTIONS = 100;
const MAX_NAME = 80;
const MAX_UNIT = 20;

interface ReadWorkload {
  readonly workload: MeasuredWorkload | null;
  readonly warnings: readonly Warning[];
}

/**
 * The workload's numbers in the recording `folder`, which started at `startNs`; a file that cannot be used becomes a warning.
 */
export function readWorkload(folder: string, startNs: bigint): ReadWorkload {
  const text = readBounded(join(folder, WORKLOAD_FILE), MAX_BYTES);
  if (text === "ENOENT") return { workload: null, warnings: [] };
  if (typeof text === "string") return unusable(`it cannot be read (${text})`);
  const fields = parseObject(text.toString());
  if (fields === null) return unusable("it is no JSON object");
  if (fields.schema !== WORKLOAD_SCHEMA) return unusable(`its schema is not ${WORKLOAD_SCHEMA}`);
  const listed = Array.isArray(fields.metrics) ? fields.metrics.length : 0;
  const metrics = distinct(listOf(fields.metrics).slice(0, MAX_METRICS).flatMap(measurementOf));
  return {
    workload: {
      schema: WORKLOAD_SCHEMA,
      name: nameOf(fields.name, MAX_NAME) ?? "",
      options: optionsOf(asFields(fields.options) ?? {}),
      metrics,
      measured: measuredOf(fields.measured, startNs),
    },
    warnings: metrics.length === listed ? [] : [leftOut(listed - metrics.length, listed)],
  };
}

function unusable(why: string): ReadWorkload {
  return {
    workload: null,
    warnings: [
      {
        code: "workload-unreadable",
        message: `${WORKLOAD_FILE} is left out: ${why}.`,
        hint: "docs/recording-format.md says what stands in it.",
      },
    ],
  };
}

function leftOut(count: number, listed: number): Warning {
  return {
    code: "workload-metrics",
    message: `${count.toLocaleString("en-US")} of ${listed.toLocaleString("en-US")} metrics in ${WORKLOAD_FILE} are left out.`,
    hint: `It may have ${MAX_METRICS}, each with a metric, a unit, better and a finite value, and none twice.`,
  };
}

/** A text that is not empty and can stand in a table's cell. */
function nameOf(value: unknown, limit: number): string | null {
  const name = plainText(textOf(value) ?? "", limit).trim();
  return name === "" ? null : name;
}

function measurementOf(item: unknown): readonly Measurement[] {
  const fields = asFields(item);
  const metric = nameOf(fields?.metric, MAX_NAME);
  const unit = nameOf(fields?.unit, MAX_UNIT);
  const value = numberOf(fields?.value);
  const better = fields?.better;
  if (metric === null || unit === null || value === null || (better !== "lower" && better !== "higher")) return [];
  return [{ metric, unit, better, value }];
}

/** Digits of a time in ns that no clock has reached. */
const NANOSECONDS = /^\d{1,18}$/;

function measuredOf(value: unknown, startNs: bigint): MeasuredWorkload["measured"] {
  const fields = asFields(value);
  const since = (text: string | null): number =>
    text !== null && NANOSECONDS.test(text) ? msSince(startNs, BigInt(text)) : Number.NaN;
  const [fromMs, toMs] = [since(textOf(fields?.fromNs)), since(textOf(fields?.toNs))];
  return fromMs < toMs ? { fromMs, toMs } : null;
}

function distinct(metrics: readonly Measurement[]): readonly Measurement[] {
  return metrics.filter(({ metric }, index) => metrics.findIndex((other) => other.metric === metric) === index);
}

function optionsOf(fields: Fields): Workload["options"] {
  const entries = Object.entries(fields)
    .slice(0, MAX_OPTIONS)
    .flatMap(([key, value]): [string, string | number | boolean][] => {
      const name = nameOf(key, MAX_NAME);
      const option = typeof value === "boolean" ? value : (numberOf(value) ?? nameOf(value, MAX_NAME));
      return name === null || option === null ? [] : [[name, option]];
    });
  return Object.fromEntries(entries);
}
