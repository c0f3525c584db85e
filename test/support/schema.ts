import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { expect } from "vitest";

function load(name: string): ValidateFunction {
  const schema: object = JSON.parse(readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8"));
  return new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);
}

const reports = load("report.schema.json");
const comparisons = load("compare.schema.json");
const checks = load("check.schema.json");
const others = {
  recorded: load("recorded.schema.json"),
  exported: load("exported.schema.json"),
  top: load("top.schema.json"),
  doctor: load("doctor.schema.json"),
  workload: load("workload.schema.json"),
  calibration: load("calibration.schema.json"),
};

function expectValid(validate: ValidateFunction, value: unknown): void {
  validate(JSON.parse(JSON.stringify(value)));
  expect(validate.errors ?? []).toEqual([]);
}

/** Fails with every violation of docs/report.schema.json. `report` as a reader of the JSON gets it. */
export function expectValidReport(report: unknown): void {
  expectValid(reports, report);
}

/** The same of docs/compare.schema.json. */
export function expectValidComparison(comparison: unknown): void {
  expectValid(comparisons, comparison);
}

/** The same of docs/check.schema.json. */
export function expectValidCheck(check: unknown): void {
  expectValid(checks, check);
}

/** The same of docs/<name>.schema.json. */
export function expectValidJson(name: keyof typeof others, value: unknown): void {
  expectValid(others[name], value);
}
