import { readdirSync, readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { withoutPrototypes } from "../../../scripts/own-shapes.mjs";

describe("the agent's object literals", () => {
  it.each([
    ["[{}, { a: 1, b: [{ c: 2 }] }]", [{}, { a: 1, b: [{ c: 2 }] }]],
    ["((a, { b }) => ({ ...a, b, [b]() {} }.b))({ x: 1 }, { b: 'y' })", "y"],
    ["'{ not: 1 }\u{1F600}' + JSON.stringify({ a: 'é' })", '{ not: 1 }\u{1F600}{"a":"é"}'],
    ["/* { no: 1 } */ ({ __proto__: null, a: 1 })", { a: 1 }],
    ["1", 1],
  ])("mean the same without a prototype: %s", (code, value) => {
    const changed = withoutPrototypes(code);
    expect(runInNewContext(`JSON.stringify(${changed})`)).toBe(JSON.stringify(value));
    expect(withoutPrototypes(changed)).toBe(changed);
  });

  it("have none in what is shipped", () => {
    const folder = new URL("../../../dist/agent/", import.meta.url);
    const shipped = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
    for (const code of shipped) expect(withoutPrototypes(code)).toBe(code);
    expect(shipped.join("").split(/__proto__: ?null/).length).toBeGreaterThan(30);
  });
});
