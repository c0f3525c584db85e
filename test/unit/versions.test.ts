/** docs/versioning.md promises what the code says: version, formats and schemas with their numbers. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FORMAT_VERSION } from "../../src/recording/spec.ts";
import { ROOT } from "../support/cli.ts";

const read = (...path: readonly string[]): string => readFileSync(join(ROOT, ...path), "utf8");

const versioning = read("docs", "versioning.md");
const { version, engines } = JSON.parse(read("package.json"));

/** "gcspike.report/1", each once, in order. */
function schemasIn(text: string): readonly string[] {
  return [...new Set(text.match(/\bgcspike\.[a-z]+\/\d+/g))].sort();
}

const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => read("src", name));
const schemas = schemasIn(sources.join("\n"));

test("the newest section of the changelog is that of the package's version", () => {
  const [, newest] = /^## (.+)$/m.exec(read("CHANGELOG.md")) ?? [];
  expect(newest).toBe(version);
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

describe("schemas", () => {
  test("of the code are those that docs/versioning.md names, with their numbers", () => {
    expect(schemas.length).toBeGreaterThan(10);
    expect(schemasIn(versioning)).toEqual(schemas);
  });

  test("have one number each", () => {
    const names = schemas.map((schema) => schema.split("/")[0]);
    expect(names).toEqual([...new Set(names)]);
  });

  const files = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".schema.json"));

  test.each(files)("docs/%s is of the number that the code writes", (file) => {
    const { const: written } = JSON.parse(read("docs", file)).properties.schema;
    expect(written).toMatch(new RegExp(`^gcspike\\.${file.replace(".schema.json", "")}/\\d+$`));
    expect(schemas).toContain(written);
  });

  test("of what --json prints stand in docs/cli.md, and link to their shape", () => {
    const table = read("docs", "cli.md").split("\n## JSON\n")[1]?.split("\n## ")[0] ?? "";
    const promised = /^\| JSON.*$/m.exec(versioning)?.[0] ?? "";
    expect(schemasIn(table)).toEqual([...schemasIn(promised), "gcspike.workload/1"].sort());
    for (const file of files) expect(table).toContain(`](${file})`);
  });
});

test("the format of recordings", () => {
  expect(versioning).toContain(`format version ${FORMAT_VERSION} ([recording-format.md](recording-format.md))`);
  expect(read("native", "gc-probe", "format.h")).toContain(`kFormatVersion = ${FORMAT_VERSION};`);
  expect(read("docs", "recording-format.md")).toMatch(
    new RegExp(`^# The recording format, version ${FORMAT_VERSION}\n`),
  );
});

test("the oldest Node", () => {
  const [, oldest] = /^>=(\d+)$/.exec(engines.node) ?? [];
  expect(versioning).toContain(`| Node | ${oldest} and later |`);
  expect(read("README.md")).toContain(`Node ${oldest} or later`);
});
