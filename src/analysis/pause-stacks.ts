/** Which stacks the time of each pause goes to: those whose bytes the collection had to do with. Pure. */
import { type Frame, type IsolateData, PAUSE_KINDS, type PauseKind, type Recording } from "../recording/model.ts";
import { type ObservedIsolate, observe } from "./observed.ts";
import type { Cause, Spike } from "./report-types.ts";
import { SpikeSites } from "./spike-sites.ts";
import { bytesByStack, type Selection } from "./stack-bytes.ts";

/** Pauses of the same windows share their parts: so many of those are remembered. */
const REMEMBERED = 100;
/** Stacks of one pause that are told apart, the largest; the others are one. */
const MOST_STACKS = 10;

const pseudoFrame = (name: string): Frame => ({ function: name, file: "", line: 0, column: 0, origin: "native" });
const OTHER_STACKS = pseudoFrame("(other stacks)");
const MACHINE = pseudoFrame("(the machine)");
const NOT_KNOWN = pseudoFrame("(not known)");

/** A part of a pause's time. */
export interface PausePart {
  /** Leaf first. Where it is no stack, one frame in parentheses that says what it is. */
  readonly frames: readonly Frame[];
  /** 0 to 1; those of one pause add up to 1. */
  readonly share: number;
}

export interface AttributedPause {
  readonly isolate: IsolateData;
  readonly pause: number;
  readonly kind: PauseKind;
  readonly startMs: number;
  readonly durationMs: number;
  /** The spike that it is; null: it is none. */
  readonly spike: Spike | null;
  /** Most time first. */
  readonly parts: readonly PausePart[];
}

/**
 * Every pause of a recording, isolate by isolate in order of time. A spike's time goes to the stacks of the bytes that its verdict is
 * about, or to who asked for it, or to the machine. That of another pause goes to the stacks of what it found alive, which is what
 * collections take time for, and where that is not known to those of what was allocated before it.
 */
export function* attributedPauses(recording: Recording, spikes: readonly Spike[]): Generator<AttributedPause> {
  const byPause = new Map(spikes.map((spike) => [keyOf(spike.isolate, spike.kind, spike.startMs), spike]));
  for (const observed of observe(recording)) {
    const { isolate } = observed;
    const stacks = new PauseStacks(observed);
    for (let pause = 0; pause < isolate.pauses.count; pause++) {
      const kind = PAUSE_KINDS[isolate.pauses.kind[pause] ?? 0] ?? "scavenge";
      const startMs = isolate.pauses.startMs[pause] ?? 0;
      const durationMs = isolate.pauses.durationMs[pause] ?? 0;
      const spike = byPause.get(keyOf(isolate.id, kind, startMs)) ?? null;
      const time = { kind, startMs, endMs: startMs + durationMs };
      yield { isolate, pause, kind, startMs, durationMs, spike, parts: stacks.of(pause, time, spike) };
    }
  }
}

function keyOf(isolate: string, kind: Spike["kind"], startMs: number): string {
  return `${isolate}\0${kind}\0${startMs}`;
}

class PauseStacks {
  readonly #isolate: IsolateData;
  readonly #sites: SpikeSites;
  readonly #known = new Map<string, readonly PausePart[]>();

  constructor({ isolate, history }: ObservedIsolate) {
    this.#isolate = isolate;
    this.#sites = new SpikeSites(isolate, history);
  }

  of(
    pause: number,
    time: { readonly kind: PauseKind; readonly startMs: number; readonly endMs: number },
    spike: Spike | null,
  ): readonly PausePart[] {
    const { pauses, triggerStacks } = this.#isolate;
    const cause: Cause | null = spike?.cause ?? null;
    if (cause === "descheduled" || cause === "page-faults") return [{ frames: [MACHINE], share: 1 }];
    const selection =
      cause === null
        ? (this.#sites.kept(time) ?? this.#sites.allocated(time, "heap"))
        : this.#sites.behind(cause, time);
    const parts = selection === null ? [] : (this.#known.get(keyOfSelection(selection)) ?? this.#partsOf(selection));
    if (parts.length > 0) return parts;
    const trigger = triggerStacks[pauses.triggerStack[pause] ?? -1] ?? [];
    return [{ frames: trigger.length > 0 ? trigger : [NOT_KNOWN], share: 1 }];
  }

  #partsOf(selection: Selection): readonly PausePart[] {
    const { frames, stacks } = this.#isolate.allocations ?? { frames: [], stacks: [] };
    const byStack = [...bytesByStack(this.#isolate, selection, this.#sites.scavengeMs)].filter(
      ([, bytes]) => bytes > 0,
    );
    byStack.sort(([a, bytesOfA], [b, bytesOfB]) => bytesOfB - bytesOfA || a - b);
    const total = byStack.reduce((sum, [, bytes]) => sum + bytes, 0);
    const parts = byStack.slice(0, MOST_STACKS).map(([stack, bytes]) => ({
      frames: (stacks[stack] ?? []).flatMap((frame) => frames[frame] ?? []),
      share: bytes / total,
    }));
    const rest = byStack.slice(MOST_STACKS).reduce((sum, [, bytes]) => sum + bytes, 0);
    const all = rest === 0 ? parts : [...parts, { frames: [OTHER_STACKS], share: rest / total }];
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(keyOfSelection(selection), all);
    return all;
  }
}

function keyOfSelection(selection: Selection): string {
  return Object.values(selection).join();
}
