"use strict";
// Loaded into a program under proof, which runs without the optimising compilers so that no function is inlined: bytes by function,
// into the folder CORPUS_BYTES five seconds after a thread began (at its end nothing is kept any more). CORPUS_COUNT says what is
// counted: "kept" or "allocated" bytes in the heap, by V8's sampling heap profiler, or "buffers", of which every one is counted.
const { Buffer } = require("node:buffer");
const fs = require("node:fs");
const { Session } = require("node:inspector");
const { syncBuiltinESMExports } = require("node:module");
const { join } = require("node:path");
const { threadId } = require("node:worker_threads");
const zlib = require("node:zlib");

const what = process.env.CORPUS_COUNT;
const count = what === "buffers" ? countBuffers() : sampleHeap(what === "allocated");
setTimeout(() => {
  fs.writeFileSync(join(process.env.CORPUS_BYTES, `${process.pid}-${threadId}.json`), JSON.stringify(count()));
}, 5000).unref();

const isOfProgram = (url) => url.startsWith("file:") || url.startsWith("/");

function add(counts, name, url, bytes) {
  const key = `${name} ${url}`;
  counts.set(key, (counts.get(key) ?? 0) + bytes);
}

const listOf = (counts) =>
  [...counts].map(([key, bytes]) => ({ function: key.split(" ")[0], file: key.slice(key.indexOf(" ") + 1), bytes }));

function sampleHeap(all) {
  const session = new Session();
  session.connect();
  session.post("HeapProfiler.startSampling", {
    samplingInterval: 16384,
    includeObjectsCollectedByMajorGC: all,
    includeObjectsCollectedByMinorGC: all,
  });
  return () => {
    const counts = new Map();
    session.post("HeapProfiler.stopSampling", (_, { profile }) => {
      // What V8's and Node's own functions allocate counts for the program's function that called them.
      const visit = ({ callFrame, selfSize, children }, caller) => {
        const owner = isOfProgram(callFrame.url) ? callFrame : caller;
        if (owner !== null) add(counts, owner.functionName || "(anonymous)", owner.url, selfSize);
        for (const child of children) visit(child, owner);
      };
      visit(profile.head, null);
    });
    return listOf(counts);
  };
}

/** Bytes of what the functions return that programs get their Buffers from; of nested calls the outermost counts. */
function countBuffers() {
  const counts = new Map();
  let depth = 0;
  const noted = (call) => {
    depth++;
    try {
      const result = call();
      if (depth === 1 && ArrayBuffer.isView(result)) note(result.byteLength);
      return result;
    } finally {
      depth--;
    }
  };
  const note = (bytes) => {
    const frame = /at (?:async )?(?:\w+\.)?(\w+) .*?((?:file:\/\/)?\/[^:]+):\d+:\d+/;
    const stack = new Error().stack.split("\n").filter((line) => !line.includes(__filename));
    const [, name, file] = stack.map((line) => frame.exec(line)).find((match) => match !== null) ?? [];
    if (name !== undefined) add(counts, name, file, bytes);
  };
  const wrap = (owner, name) => {
    const original = owner[name];
    owner[name] = (...values) => noted(() => original.apply(owner, values));
  };
  for (const name of ["alloc", "allocUnsafe", "concat", "from"]) wrap(Buffer, name);
  wrap(fs, "readFileSync");
  wrap(zlib, "inflateRawSync");
  syncBuiltinESMExports();
  globalThis.Uint8Array = new Proxy(Uint8Array, {
    construct: (target, values, self) => noted(() => Reflect.construct(target, values, self)),
  });
  return () => listOf(counts);
}
