/** A terminal that keeps what was printed. */
import type { Terminal } from "../../src/cli/terminal.ts";

export interface FakeTerminal extends Terminal {
  readonly printed: { out: string; err: string };
}

export function fakeTerminal(changes: Partial<Terminal> = {}): FakeTerminal {
  const printed = { out: "", err: "" };
  return {
    printed,
    out: (data) => {
      printed.out += typeof data === "string" ? data : Buffer.from(data).toString("utf8");
    },
    err: (text) => {
      printed.err += text;
    },
    outIsTerminal: false,
    interactive: false,
    outColor: false,
    errColor: false,
    hasScreen: () => false,
    width: () => 80,
    rows: () => 24,
    ...changes,
  };
}
