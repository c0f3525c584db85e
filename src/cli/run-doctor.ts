import type { Terminal } from "./terminal.ts";

export async function runDoctor(_format: "terminal" | "json", _terminal: Terminal): Promise<number> {
  return 0;
}
