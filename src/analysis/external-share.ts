/**
 * How much of the memory outside the heap is accounted for: what V8 counts, against the Buffers and ArrayBuffers that were sampled where
 * they were allocated. Pure.
 */
import { formatBytes } from "../lib/units.ts";
import type { Samples } from "../recording/model.ts";
import type { GcHistory, HeapParts } from "./gc-history.ts";
import { lowerBound } from "./intervals.ts";
import { accountedText } from "./phrases.ts";
import type { Evidence, ExternalShare } from "./report-types.ts";

/**
 * What a full collection finds dead other threads free, and V8 counts it until then: in half a millisecond to some. Right behind a
 * collection nobody knows how much of it is still counted.
 */
const FREEING_MS = 20;
/** Below this the text says what the rest may be. */
const NEARLY_ALL = 0.8;

/** Bytes before each of these moments, in order; one more than there are moments. */
interface RunningSum {
  readonly timeMs: Float64Array;
  readonly bytes: Float64Array;
}

/** The memory outside an isolate's heap, at any moment. */
export class ExternalMemory {
  /** null: Buffers were not sampled. */
  readonly #sampled: { readonly born: RunningSum; readonly died: RunningSum } | null;

  constructor(samples: Samples | null) {
    const buffers = samples?.buffers ?? null;
    this.#sampled =
      buffers === null
        ? null
        : { born: runningSum(buffers.bornMs, buffers.bytes), died: runningSum(buffers.diedMs, buffers.bytes) };
  }

  /**
   * When `before`, the heap before a spike, was measured; right behind a full collection, when that began. Null where it is not known
   * how much there was, and where there was nothing.
   */
  shareBefore(before: HeapParts | null, history: GcHistory): ExternalShare | null {
    const full = before === null ? -1 : history.lastFull(before.timeMs);
    const isFreeing = before !== null && full >= 0 && before.timeMs - history.endOf(full) < FREEING_MS;
    return this.#shareAt(isFreeing ? history.partsAt(full, "before") : before);
  }

  #shareAt(parts: HeapParts | null): ExternalShare | null {
    if (parts === null || !(parts.external > 0)) return null;
    const accounted = this.#accountedAt(parts.timeMs);
    return {
      countedBytes: Math.round(parts.external),
      accountedBytes: accounted === null ? null : Math.round(accounted),
      share: Math.min(1, (accounted ?? 0) / parts.external),
    };
  }

  #accountedAt(timeMs: number): number | null {
    if (this.#sampled === null) return null;
    const { born, died } = this.#sampled;
    // What a collection finds dead is counted until then, and its death has the time at which that collection began.
    return Math.max(0, sumBefore(born, timeMs) - sumBefore(died, timeMs));
  }
}

export function externalEvidence({ countedBytes, accountedBytes, share }: ExternalShare): Evidence {
  const all = `Of ${formatBytes(countedBytes)} outside the heap`;
  const rest = "; the rest may belong to addons, WebAssembly, resizable ArrayBuffers, or be older than the recording";
  const text =
    accountedBytes === null
      ? `${all} nothing is accounted for: who allocates Buffers was not recorded.`
      : `${all} ${accountedText(share)} is accounted for: sampled Buffers and ArrayBuffers stand for ${formatBytes(accountedBytes)}${share < NEARLY_ALL ? rest : ""}.`;
  return { signal: "external.accounted", value: share, unit: "share", text };
}

/** Of samples by a time of theirs; those without one are left out. */
function runningSum(times: Float64Array, bytes: Float64Array): RunningSum {
  const order = Uint32Array.from(times, (_, i) => i)
    .filter((i) => Number.isFinite(times[i]))
    .sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
  const sums = new Float64Array(order.length + 1);
  for (let n = 0; n < order.length; n++) sums[n + 1] = (sums[n] ?? 0) + (bytes[order[n] ?? 0] ?? 0);
  return { timeMs: Float64Array.from(order, (i) => times[i] ?? 0), bytes: sums };
}

function sumBefore({ timeMs, bytes }: RunningSum, moment: number): number {
  return bytes[lowerBound(timeMs, moment)] ?? 0;
}
