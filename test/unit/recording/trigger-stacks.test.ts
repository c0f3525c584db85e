import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FunctionRecordFields } from "../../../src/recording/log-writer.ts";
import type { IsolateData } from "../../../src/recording/model.ts";
import { readRecording } from "../../../src/recording/read-recording.ts";
import { GC } from "../../../src/recording/spec.ts";
import { atMs, PID, writeRecordingFolder } from "../../support/recording-folder.ts";

const ID = `${PID}-0`;
const HEADER = 4096;
let folder: string;
let sources: string;

beforeEach(() => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), "gcspike-test-")));
  folder = join(parent, "test.gcspike");
  sources = join(parent, "sources");
  mkdirSync(folder);
  mkdirSync(sources);
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

async function read(): Promise<IsolateData> {
  const [isolate] = (await readRecording(folder)).isolates;
  if (isolate === undefined) throw new Error("no isolate");
  return isolate;
}

/** One scavenge for each stack, a ms long, two ms apart. */
async function record(functions: readonly FunctionRecordFields[], stacks: readonly (readonly number[])[]) {
  const gc = stacks.map((stack, i) => ({
    kind: 1,
    startNs: atMs(i * 2),
    endNs: atMs(i * 2 + 1),
    stack: stack.map(BigInt),
  }));
  writeRecordingFolder(folder, { isolates: [{ id: ID, gc, functions }] });
  return read();
}

function named(name: string, script = "/app/server.js"): FunctionRecordFields {
  return { name, script, position: null };
}

function namesAt({ pauses, triggerStacks }: IsolateData, pause: number): readonly string[] | undefined {
  return triggerStacks[pauses.triggerStack[pause] ?? -1]?.map((frame) => frame.function);
}

describe("the stack that triggered a pause", () => {
  test("has the functions that its numbers mean, innermost first", async () => {
    const isolate = await record([named("main"), named("serve"), named("hydrate")], [[3, 2, 1], [], [1], [3, 2, 1]]);
    expect([0, 1, 2, 3].map((pause) => namesAt(isolate, pause))).toEqual([
      ["hydrate", "serve", "main"],
      undefined,
      ["main"],
      ["hydrate", "serve", "main"],
    ]);
    expect([...isolate.pauses.triggerStack]).toEqual([0, -1, 1, 0]);
    expect(isolate.triggerStacks).toHaveLength(2);
  });

  test("leaves out functions that the log does not have", async () => {
    const isolate = await record([named("main")], [[0, 1, 99], [7], [2 ** 31]]);
    expect(namesAt(isolate, 0)).toEqual(["main"]);
    expect([...isolate.pauses.triggerStack]).toEqual([0, -1, -1]);
  });

  test("is unknown where the functions were not recorded", async () => {
    await record([named("main")], [[1]]);
    rmSync(join(folder, `${ID}.functions`));
    expect([...(await read()).pauses.triggerStack]).toEqual([-1]);
  });

  test("with more frames than there is room for keeps to its room", async () => {
    await record([named("main")], [[1]]);
    const path = join(folder, `${ID}.gc`);
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(4_000_000_000, HEADER + GC.frameCount);
    writeFileSync(path, bytes);
    expect(namesAt(await read(), 0)).toEqual(["main"]);
  });

  test("tells whose code a frame is", async () => {
    const functions = [
      named("serve", "file:///app/my%20server.mjs"),
      named("emit", "node:events"),
      named("ArrayMap", ""),
      named("collect", "/opt/gcspike/dist/agent/preload.cjs"),
      named("follow", "/opt/gcspike/dist/agent/attach.cjs"),
    ];
    const isolate = await record(functions, [[1, 2, 3, 4, 5]]);
    expect(isolate.triggerStacks[0]?.map((frame) => [frame.function, frame.file, frame.line, frame.origin])).toEqual([
      ["serve", "/app/my server.mjs", 0, "user"],
      ["emit", "node:events", 0, "node"],
      ["ArrayMap", "", 0, "native"],
      ["collect", "/opt/gcspike/dist/agent/preload.cjs", 0, "gcspike"],
      ["follow", "/opt/gcspike/dist/agent/attach.cjs", 0, "gcspike"],
    ]);
  });

  test("has lines and columns where the script is here, whatever ends its lines", async () => {
    const source =
      "\ufeff// \u{1F600} two units\r\nfunction one() {}\n\u2028  const two = () => {};\rfunction three() {}";
    const text = source.slice(1);
    const script = join(sources, "app.mjs");
    writeFileSync(script, source);
    const at = (name: string, words: string): FunctionRecordFields => ({
      name,
      script: pathToFileURL(script).href,
      position: text.indexOf(words),
    });
    const functions = [
      at("one", "() {}"),
      at("two", "() =>"),
      { ...at("three", ""), position: text.lastIndexOf("() {}") },
      { ...at("beyond", ""), position: text.length },
      { ...at("unknown", ""), position: null },
    ];
    const isolate = await record(functions, [[1, 2, 3, 4, 5]]);
    expect(isolate.triggerStacks[0]?.map((frame) => [frame.function, frame.line, frame.column])).toEqual([
      ["one", 2, 13],
      ["two", 4, 15],
      ["three", 5, 15],
      ["beyond", 0, 0],
      ["unknown", 0, 0],
    ]);
  });
});
