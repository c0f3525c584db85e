/** Original positions through source maps: inline ones, and files beside the script. */
import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  AnyMap,
  decodedMappings,
  GREATEST_LOWER_BOUND,
  originalPositionFor,
  type TraceMap,
} from "@jridgewell/trace-mapping";
import { formatBytes } from "../lib/units.ts";
import { readBounded } from "./bounded-file.ts";
import { boundText } from "./fields.ts";
import { ANONYMOUS, originOf, pathOf } from "./frames.ts";
import type { Frame } from "./model.ts";
import { firstAbove, groupBy } from "./searching.ts";
import type { Warning } from "./spec.ts";

/** V8 counts lines and columns from 1; a source map counts lines from 1 and columns from 0. */
const V8_FIRST_COLUMN = 1;
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Decoded, mappings take about 16 times their text: 16 MiB of them are some 250 MB. */
const MAX_MAPPINGS_LENGTH = 16 * 1024 * 1024;
/**
 * V8's position of a function is its parameter list. Its name stands before it, at most " = async function" away; a name
 * further back belongs to something else.
 */
const LONGEST_NAME_GAP = " = async function".length;
const NAMED_IN_WARNING = 3;

interface MappedFrames {
  /** In the order given. */
  readonly frames: readonly Frame[];
  readonly warnings: readonly Warning[];
}

/**
 * The frames with the positions and function names of the original source. A frame keeps its own where there is no map, the
 * script is not on this machine, or the map does not cover it. Scripts are taken one after the other, so that one map is in
 * memory at a time.
 */
export function applySourceMaps(frames: readonly Frame[]): MappedFrames {
  const mapped = [...frames];
  const broken: string[] = [];
  const mappable = [...frames.keys()].filter((index) => isMappable(frames[index]));
  for (const [script, indices] of groupBy(mappable, (index) => frames[index]?.file ?? "")) {
    const map = loadMap(script);
    if (typeof map === "string") broken.push(`${script} (${map})`);
    if (map === null || typeof map === "string") continue;
    try {
      for (const index of indices) {
        const frame = frames[index];
        if (frame !== undefined) mapped[index] = mapFrame(map, frame);
      }
    } catch {
      broken.push(`${script} (not a valid source map)`);
    }
  }
  return { frames: mapped, warnings: broken.length === 0 ? [] : [brokenWarning(broken)] };
}

function isMappable(frame: Frame | undefined): boolean {
  return frame?.origin === "user" && frame.line > 0 && isAbsolute(frame.file);
}

function mapFrame(map: TraceMap, frame: Frame): Frame {
  const column = Math.max(0, frame.column - V8_FIRST_COLUMN);
  const original = originalPositionFor(map, { line: frame.line, column, bias: GREATEST_LOWER_BOUND });
  // A map may name sources that it does not have.
  if (typeof original.source !== "string") return frame;
  const file = boundText(pathOf(original.source));
  return {
    function: originalName(map, frame, column) ?? frame.function,
    file,
    line: original.line,
    column: original.column + 1,
    origin: originOf(file, original.line),
  };
}

/** The map's name for the identifier that directly precedes the function's parameters in the generated line. */
function originalName(map: TraceMap, frame: Frame, column: number): string | null {
  if (frame.function === ANONYMOUS) return null;
  const segments = decodedMappings(map)[frame.line - 1] ?? [];
  const first = firstAbove(segments.length, (index) => segments[index]?.[0], column);
  for (const segment of segments.slice(0, first).reverse()) {
    const end = segment[0] + frame.function.length;
    if (column - end > LONGEST_NAME_GAP) return null;
    const name = segment.length === 5 ? map.names[segment[4]] : undefined;
    if (typeof name === "string" && end <= column) return boundText(name);
  }
  return null;
}

/** The script's map; null where it has none, or why it cannot be used. */
function loadMap(script: string): TraceMap | string | null {
  const source = readBounded(script, MAX_FILE_BYTES);
  if (!Buffer.isBuffer(source)) return null;
  const url = sourceMappingUrl(source);
  if (url === null) return null;
  try {
    return parseMap(script, url);
  } catch {
    // Not the error's own text: it would quote whatever file the recording points to.
    return "not a valid source map";
  }
}

function parseMap(script: string, url: string): TraceMap | string | null {
  const inline = /^data:[^,]*?(;base64)?,/.exec(url);
  if (inline !== null) {
    const data = url.slice(inline[0].length);
    return traceMap(
      inline[1] === undefined ? decodeURIComponent(data) : Buffer.from(data, "base64").toString(),
      script,
    );
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(url) && !url.startsWith("file:")) return null;
  const path = url.startsWith("file:") ? pathOf(url) : resolve(script, "..", decodeURIComponent(url));
  const text = readBounded(path, MAX_FILE_BYTES);
  if (text === "ENOENT") return null;
  return typeof text === "string" ? text : traceMap(text.toString(), path);
}

function traceMap(text: string, path: string): TraceMap | string {
  const map: unknown = JSON.parse(text);
  if (typeof map !== "object" || map === null) return "not a valid source map";
  if ("mappings" in map && typeof map.mappings === "string" && map.mappings.length > MAX_MAPPINGS_LENGTH) {
    return `more than ${formatBytes(MAX_MAPPINGS_LENGTH)} of mappings`;
  }
  const traced = AnyMap(text, pathToFileURL(path).href);
  decodedMappings(traced);
  return traced;
}

/**
 * What the last `//# sourceMappingURL=` says. Only comments may follow it: the same words inside code, as compilers have
 * them, are none.
 */
function sourceMappingUrl(source: Buffer): string | null {
  const start = source.lastIndexOf("sourceMappingURL=") - "//# ".length;
  if (start < 0) return null;
  const match = /^\/[/*][#@][ \t]sourceMappingURL=(\S+)/.exec(source.toString("utf8", start));
  if (match?.[1] === undefined) return null;
  const rest = source.toString("utf8", start + Buffer.byteLength(match[0]));
  return rest.split("\n").every(isComment) ? match[1] : null;
}

function isComment(line: string): boolean {
  const text = line.trim();
  return text === "" || text === "*/" || text.startsWith("//");
}

function brokenWarning(broken: readonly string[]): Warning {
  const named = broken.slice(0, NAMED_IN_WARNING).join(", ");
  const more = broken.length > NAMED_IN_WARNING ? ` and ${broken.length - NAMED_IN_WARNING} more` : "";
  return {
    code: "source-map",
    message: `The source maps of these scripts cannot be used: ${named}${more}. Their frames show the generated code.`,
    hint: "Build the scripts again with source maps, then record again.",
  };
}
