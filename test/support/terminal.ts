/** A terminal that keeps what was printed. */
import { NO_TERMINAL, type Terminal } from "../../src/cli/terminal.ts";

export interface FakeTerminal extends Terminal {
  readonly printed: { out: string; err: string };
}

export function fakeTerminal(changes: Partial<Terminal> = {}): FakeTerminal {
  const printed = { out: "", err: "" };
  return {
    ...NO_TERMINAL,
    printed,
    out: (data) => {
      printed.out += typeof data === "string" ? data : Buffer.from(data).toString("utf8");
    },
    err: (text) => {
      printed.err += text;
    },
    ...changes,
  };
}
