/** From V8's names to Frames. */
import { fileURLToPath } from "node:url";
import { boundText } from "./fields.ts";
import type { Frame } from "./model.ts";

/** Our own code in the target, wherever it is installed. */
const AGENT_SCRIPT = /[\\/]dist[\\/]agent[\\/](?:always-on|attach|preload|say-exit|start-isolate)\.cjs$/;
const FUNCTION_LIMIT = 500;
export const ANONYMOUS = "(anonymous)";

/**
 * The frame of a function as V8 names it. `script` is a path, a file: URL, `node:...` or "" ; line and column start at 1, and
 * 0 is unknown.
 */
export function frameOf(name: string, script: string, line: number, column: number): Frame {
  const file = boundText(pathOf(script));
  return {
    function: name === "" ? ANONYMOUS : boundText(name, FUNCTION_LIMIT),
    file,
    line: Math.max(line, 0),
    column: Math.max(column, 0),
    origin: originOf(file, line),
  };
}

/** Code without a script is native unless it has a line: that is what eval() and new Function() make. */
export function originOf(file: string, line: number): Frame["origin"] {
  if (file === "") return line > 0 ? "user" : "native";
  if (file.startsWith("node:")) return "node";
  return AGENT_SCRIPT.test(file) ? "gcspike" : "user";
}

export function pathOf(script: string): string {
  if (!script.startsWith("file:")) return script;
  try {
    return fileURLToPath(script);
  } catch {
    return script;
  }
}
