import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { frameOf } from "../../../src/recording/frames.ts";
import type { Frame } from "../../../src/recording/model.ts";
import { applySourceMaps } from "../../../src/recording/source-maps.ts";

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "gcspike-test-")));
  mkdirSync(join(folder, "src"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SOURCE = `export interface Session { id: number }

/** Long names, so that minifying has something to do. */
export function hydrateSession(identifier: number): Session {
  const parsed = [identifier].map((value) => ({ id: value }));
  return parsed[0] as Session;
}

export const rememberOrder = (order: Session) => {
  return { order, again: hydrateSession(order.id) };
};
`;

/** A minified bundle of SOURCE, as people ship it. */
async function bundle(sourcemap: boolean | "inline"): Promise<string> {
  writeFileSync(join(folder, "src/session.ts"), SOURCE);
  const build = await rolldown({ input: join(folder, "src/session.ts") });
  const file = join(folder, "dist/bundle.mjs");
  await build.write({ file, format: "esm", minify: true, sourcemap });
  await build.close();
  return file;
}

/** Prints where V8 says that the functions stand which a script exports. */
const PRINT_LOCATIONS = `
const { Session } = require("node:inspector");
import(process.argv[1]).then((functions) => {
  const session = new Session();
  session.connect();
  session.post("Debugger.enable");
  for (const [exported, value] of Object.entries(functions)) {
    globalThis.value = value;
    session.post("Runtime.evaluate", { expression: "value" }, (_, { result }) => {
      session.post("Runtime.getProperties", { objectId: result.objectId }, (_, { internalProperties }) => {
        const { lineNumber, columnNumber } = internalProperties.find(({ name }) => name === "[[FunctionLocation]]").value.value;
        console.log(JSON.stringify([exported, value.name, lineNumber, columnNumber]));
      });
    });
  }
});
`;

/** The frames of the functions that `script` exports, from 1 on, as everything that the probe writes. */
function framesOf(script: string): Readonly<Record<string, Frame>> {
  const url = pathToFileURL(script).href;
  const lines = execFileSync(process.execPath, ["-e", PRINT_LOCATIONS, url], { encoding: "utf8" }).trim().split("\n");
  const frames = lines.map((line) => {
    const [exported, name, row, column]: [string, string, number, number] = JSON.parse(line);
    return [exported, frameOf(name, url, row + 1, column + 1)] as const;
  });
  return Object.fromEntries(frames);
}

function only({ frames }: { readonly frames: readonly Frame[] }): Frame | undefined {
  return frames[0];
}

describe("source maps", () => {
  test.each([["beside the script", true] as const, ["inline", "inline"] as const])(
    "%s lead to the original position",
    async (_, sourcemap) => {
      const frames = framesOf(await bundle(sourcemap));
      const { hydrateSession, rememberOrder } = frames;
      if (!hydrateSession || !rememberOrder) throw new Error("not exported");
      expect(hydrateSession.function).not.toBe("hydrateSession");
      const mapped = applySourceMaps([hydrateSession, rememberOrder]);
      expect(mapped.warnings).toEqual([]);
      expect(mapped.frames.map(({ function: name, file, line, origin }) => [name, file, line, origin])).toEqual([
        ["hydrateSession", join(folder, "src/session.ts"), 4, "user"],
        ["rememberOrder", join(folder, "src/session.ts"), 9, "user"],
      ]);
    },
  );

  test("that are damaged leave the generated position and are named once", () => {
    const script = join(folder, "broken.js");
    writeFileSync(script, "function serve() {}\n//# sourceMappingURL=broken.js.map\n");
    writeFileSync(join(folder, "broken.js.map"), "secret that is no JSON");
    const frame = frameOf("serve", script, 1, 15);
    const mapped = applySourceMaps([frame, { ...frame, column: 1 }]);
    expect(only(mapped)).toEqual(frame);
    expect(mapped.warnings).toHaveLength(1);
    expect(mapped.warnings[0]?.message).toContain(`${script} (not a valid source map)`);
    expect(JSON.stringify(mapped.warnings)).not.toContain("secret");
  });

  test.each([
    ["a map that was not shipped", "function serve() {}\n//# sourceMappingURL=gone.js.map\n"],
    ["no map", "function serve() {}\n"],
    ["the words inside code", 'const text = "//# sourceMappingURL=broken.js.map";\nfunction serve() {}\n'],
    ["a map on the network", "function serve() {}\n//# sourceMappingURL=https://example.com/a.map\n"],
  ])("%s is no reason to warn", (_, text) => {
    const script = join(folder, "plain.js");
    writeFileSync(script, text);
    writeFileSync(join(folder, "broken.js.map"), "no JSON");
    const frame = frameOf("serve", script, 1, 15);
    expect(applySourceMaps([frame])).toEqual({ frames: [frame], warnings: [] });
  });

  test("are not looked for in what is no file", () => {
    const pipe = join(folder, "pipe.js");
    execFileSync("mkfifo", [pipe]);
    const frames = [pipe, "/dev/zero", folder, "node:fs", "", "relative.js"].map((file) => frameOf("f", file, 1, 1));
    expect(applySourceMaps(frames)).toEqual({ frames, warnings: [] });
  });

  test("keep V8's name where the map's nearest name belongs to something else", async () => {
    const script = await bundle(true);
    const text = readFileSync(script, "utf8");
    const arrow = text.indexOf("=>({id:");
    expect(arrow).toBeGreaterThan(0);
    const column = text.lastIndexOf("map(", arrow) + "map(".length + 1;
    const mapped = only(applySourceMaps([frameOf("", script, 1, column)]));
    expect([mapped?.function, mapped?.line]).toEqual(["(anonymous)", 5]);
  });
});

test("a map that names sources and names which it does not have changes no frame, and ends no report", () => {
  const script = join(folder, "odd.js");
  const map = { version: 3, sources: [], names: [null], mappings: "AACAA,SCCCC" };
  const data = Buffer.from(JSON.stringify(map)).toString("base64");
  writeFileSync(script, `function odd() {}\n//# sourceMappingURL=data:application/json;base64,${data}\n`);
  const frame = frameOf("odd", script, 1, 13);
  expect(applySourceMaps([frame]).frames).toEqual([frame]);
});
