import { describe, expect, test } from "vitest";
import { chooseExport } from "../../../src/cli/run-export.ts";
import { metricsUrl } from "../../../src/cli/send-otlp.ts";
import { EXPORT_FORMAT_NAMES, EXPORT_FORMATS } from "../../../src/export/formats.ts";

describe("the format", () => {
  test("is what the name ends with, in any case, unless it is said", () => {
    for (const format of EXPORT_FORMAT_NAMES) {
      for (const end of EXPORT_FORMATS[format].extensions) {
        expect(chooseExport({ output: `folder/server${end}` })).toBe(format);
        expect(chooseExport({ output: `SERVER${end.toUpperCase()}` })).toBe(format);
        expect(chooseExport({ output: `server${end}`, format: "csv" })).toBe("csv");
      }
    }
  });

  test.each(["server", "server.json", "server.gz", ""])("%s says none", (output) => {
    expect(() => chooseExport({ output })).toThrow("does not say which format");
  });
});

describe("an endpoint", () => {
  test.each([
    ["http://localhost:4318", "http://localhost:4318/v1/metrics"],
    ["https://otlp.example.org/", "https://otlp.example.org/v1/metrics"],
    ["http://localhost:4318/v1/metrics", "http://localhost:4318/v1/metrics"],
    ["http://localhost/api/otlp?key=1", "http://localhost/api/otlp?key=1"],
  ])("%s is %s", (endpoint, url) => expect(metricsUrl(endpoint).href).toBe(url));

  test.each(["localhost:4318", "", "ftp://host/", "file:///etc/passwd", "\u001b[31m"])("%j is none", (endpoint) => {
    expect(() => metricsUrl(endpoint)).toThrow("--endpoint cannot be");
  });
});
