/** What fetch leaves to be said and bounded. */
import { plainText } from "./text.ts";

/** Why fetch threw, in a word or a few: it says "fetch failed", and what failed is its cause. */
export function fetchFailure(error: unknown, timeoutMs: number): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return cause instanceof Error && cause.name === "TimeoutError"
    ? `no answer within ${timeoutMs / 1000} s`
    : plainText(String(cause), 200);
}

/** The body; of one that is longer, nothing. */
export async function readUpTo({ body }: Response, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += part.length;
    if (length > limit) return new Uint8Array();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
