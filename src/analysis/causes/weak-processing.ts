/** Clearing weak references, ephemerons or finalisers dominates. */
import { formatMs, formatShare } from "../../lib/units.ts";
import { isExternalPressure, type SpikeFacts } from "./facts.ts";
import { deadYoungPagesMs } from "./large-pages.ts";
import { waitedShare, workedShare, workShare } from "./machine-time.ts";
import { ramp } from "./ramp.ts";
import type { Rule } from "./rule.ts";

/**
 * Of a full collection. What else it clears (strings, maps, code) is not about weak references of the program. EPHEMERON_MARKING is not
 * among them: V8 drains its ordinary marking there too ...
 */
const CLEARING = /^V8\.GC_MC_(?:CLEAR_(?:JS_)?WEAK|CLEAR_JOIN_FILTER|WEAKNESS|MARK_WEAK_CLOSURE_(?!EPHEMERON_MARKING))/;
/** ... unless it went on to this, which it only does where ephemerons lead to ephemerons: then all of it is about them. */
const LINEAR = "V8.GC_MC_MARK_WEAK_CLOSURE_EPHEMERON_LINEAR";
const DRAINING = "V8.GC_MC_MARK_WEAK_CLOSURE_EPHEMERON_MARKING";
const MOSTLY_LINEAR = 0.1;
/**
 * Of a scavenge. Ephemeron tables are gone through in the outermost phase itself, but so are all pages, and a concurrent marker is waited
 * for and pages of dead large objects are given back there: without these it is more likely to be about tables the longer it is, and
 * never certain. How long the thread waited is known of the whole stop only: it is taken to have waited there and in the parallel phase
 * alike.
 */
const SCAVENGING = /^V8\.GC_SCAVENGER_SCAVENGE(?:_WEAK.*)?$/;
const PARALLEL = /^V8\.GC_SCAVENGER_SCAVENGE_PARALLEL/;
const PAGES_MS_A_MIB = 0.004;
/** Callbacks of native code, which V8 runs at once where it is out of memory outside the heap: then they are about that. */
const CALLBACKS = /^V8\.GC_HEAP_EXTERNAL_(?:WEAK|SECOND_PASS)/;
const WORTH_SAYING = 0.2;
/** From here on it is what most of the collection was. */
const MOST_OF_IT = 0.55;

export const weakProcessing: Rule = {
  cause: "weak-processing",
  judge(facts) {
    const { kind, durationMs, machine } = facts;
    // It is this thread's own work: where it did not run, it waited there.
    const weakMs = Math.min(kind === "weak-callbacks" ? durationMs : clearingMs(facts), machine.cpuMs || durationMs);
    const share = workShare(weakMs, machine);
    if (!(share >= WORTH_SAYING)) return null;
    return {
      score: (0.3 + 0.65 * ramp(share, WORTH_SAYING, MOST_OF_IT)) * workedShare(machine),
      certainty: (kind === "scavenge" ? 0.6 : 0.85) * (1 - 0.4 * waitedShare(machine)),
      why: `clearing weak references, ephemerons (WeakMap, WeakSet) and finalisers took ${formatMs(weakMs)} of it`,
      evidence: [
        {
          signal: "weak",
          value: share,
          unit: "share",
          text: `${formatMs(weakMs)} (${formatShare(weakMs / durationMs)}) went into weak references, ephemerons and finalisers.`,
        },
      ],
      advice: [
        {
          text: "Every live entry of a WeakMap, WeakSet, WeakRef or FinalizationRegistry is visited by each collection: keep the data on the object itself (a private field), or give entries back by hand (delete, unregister).",
        },
      ],
    };
  },
};

/** As far as it is about weak references. */
function clearingMs(facts: SpikeFacts): number {
  const { kind, phases } = facts;
  if (phases === null) return 0;
  return kind === "scavenge" ? ofScavenge(facts, phases) : ofFull(facts, phases);
}

function ofScavenge(facts: SpikeFacts, phases: ReadonlyMap<string, number>): number {
  const { usedBefore, machine } = facts;
  const ms = sum(phases, SCAVENGING);
  const idleMs = Math.max(0, machine.wallMs - machine.cpuMs) || 0;
  const waitedMs = (idleMs * ms) / Math.max(1e-3, ms + sum(phases, PARALLEL));
  const pagesMs = ((usedBefore || 0) / 1024 ** 2) * PAGES_MS_A_MIB + deadYoungPagesMs(facts);
  return Math.max(0, ms - pagesMs - waitedMs);
}

function ofFull(facts: SpikeFacts, phases: ReadonlyMap<string, number>): number {
  const isLinear = (phases.get(LINEAR) ?? 0) >= facts.durationMs * MOSTLY_LINEAR;
  return (
    sum(phases, CLEARING) +
    (isLinear ? (phases.get(DRAINING) ?? 0) : 0) +
    (isExternalPressure(facts) ? 0 : sum(phases, CALLBACKS))
  );
}

function sum(phases: ReadonlyMap<string, number>, pattern: RegExp): number {
  let ms = 0;
  for (const [name, self] of phases) if (pattern.test(name)) ms += self;
  return ms;
}
