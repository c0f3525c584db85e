/** "pause.p99<5ms": what people hold against a limit. */

export interface Comparison {
  readonly name: string;
  readonly comparison: "<" | "<=" | ">" | ">=";
  /** The limit as it was written. */
  readonly limit: string;
}

/** Null where the text is none. */
export function parseComparison(text: string): Comparison | null {
  const [, name = "", comparison = "", limit = ""] = /^\s*([\w.-]+)\s*([<>]=?)\s*(\S+)\s*$/.exec(text) ?? [];
  return name === "" ? null : { name, comparison: comparison as Comparison["comparison"], limit };
}
