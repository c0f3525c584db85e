/**
 * What V8 prints about a collection besides its pause. Flags of the target and what they add:
 *
 *     --trace-gc           the reason, at the end of the line
 *     --trace-gc-nvp       instead of that line name=value pairs (JSON from Node 26 on): phases in milliseconds, bytes survived
 *     --trace-gc-verbose   after each collection a line a space, and external memory
 *
 * All of it is printed by the target on stdout.
 */
import { parseTraceGc } from "./trace-gc.mjs";

const HEADER = /\[(\d+):(0x[0-9a-f]+)(?::\d+)?\] +(\d+) ms: (.*)$/;
const SPACE = /\[\d+:(0x[0-9a-f]+)(?::\d+)?\] ([A-Z][A-Za-z -]+),? *used: +(\d+) KB, available:\*? *(\d+) KB/;
const EXTERNAL = /\[\d+:(0x[0-9a-f]+)(?::\d+)?\] (External memory reported|Backing store memory): +(\d+) KB/;
const PAIR = /([a-z][a-z_.]*)=(-?[\d.]+|[a-z]+)/g;
const KINDS = { s: "scavenge", mc: "mark-compact", mms: "minor-mark-sweep" };

function namedValues(body) {
  if (body.startsWith("GC: {")) return JSON.parse(body.slice("GC: ".length));
  if (!body.startsWith("pause=")) return null;
  const pairs = Array.from(body.matchAll(PAIR), ([, name, value]) => [
    name,
    /[a-z]/.test(value) ? value : Number(value),
  ]);
  return Object.fromEntries(pairs);
}

function collectionIn(line) {
  const [, pid, isolate, at, body] = HEADER.exec(line) ?? [];
  if (body === undefined) return null;
  const values = namedValues(body);
  const rest = { spacesKb: {}, availableKb: 0, externalKb: 0 };
  if (values !== null) {
    const place = { pid: Number(pid), isolate, atMs: Number(at) };
    return { ...place, kind: KINDS[values.gc], pauseMs: values.pause, reason: values.reason ?? null, values, ...rest };
  }
  const [plain] = parseTraceGc(line);
  if (plain === undefined) return null;
  const { stepsMs: _steps, ...entry } = plain;
  return { ...entry, reason: /current mu = [\d.]+\) (.*)$/.exec(body)?.[1] ?? null, values: {}, ...rest };
}

/**
 * Collections in order of printing: pid, isolate, atMs, kind, pauseMs, the reason (null where it was not printed), the named
 * values, and what was in use after it: KiB by space, KiB that the heap may still grow, KiB of external memory.
 */
export function parseTraceGcDetails(text) {
  const collections = [];
  const latest = new Map();
  for (const line of text.split("\n")) {
    const collection = collectionIn(line);
    if (collection !== null) {
      collections.push(collection);
      latest.set(collection.isolate, collection);
      continue;
    }
    const [, isolate, space, used, available] = SPACE.exec(line) ?? [];
    const after = latest.get(isolate);
    if (after !== undefined) {
      after.spacesKb[space] = Number(used);
      if (space === "Memory allocator") after.availableKb = Number(available);
    }
    const [, owner, , kb] = EXTERNAL.exec(line) ?? [];
    const owned = latest.get(owner);
    // Buffers are in one of the two counts or in both.
    if (owned !== undefined) owned.externalKb = Math.max(owned.externalKb, Number(kb));
  }
  return collections;
}
