/** Node's own modules that are not loaded before they are needed. */
import { createRequire } from "node:module";

/**
 * Some of Node's modules abort a program that was started from a snapshot when they are loaded before it runs (node:v8,
 * node:child_process and node:net on Node 24 and 26); nothing can catch that.
 */
export const isFromSnapshot = process.execArgv.some((argument) => argument.startsWith("--snapshot-blob"));

/** One of Node's modules. Throws where this Node has none of that name. */
export function builtin<T>(name: string): T {
  return createRequire(__filename)(name) as T;
}
