/** Somebody asked for the collection. */
import { plainText } from "../../lib/text.ts";
import { GcFlag } from "../../recording/spec.ts";
import { stackText } from "../phrases.ts";
import type { Rule } from "./rule.ts";

const ASKED =
  /testing|heap profiler|debugger|low memory notification|sampling profiler|measure memory|snapshot creator/;

export const explicit: Rule = {
  cause: "explicit",
  judge({ kind, flags, reasons, trigger }) {
    if (kind === "incremental-steps") return null;
    const reason = reasons.find((one) => ASKED.test(one)) ?? "";
    const isForced = (flags & GcFlag.forced) !== 0;
    if (!isForced && reason === "") return null;
    const who = trigger === null ? "" : `, in ${stackText([trigger])}`;
    const how = /heap profiler/.test(reason) ? "a heap snapshot or a heap profiler" : "gc() or a tool";
    return {
      // Without the call there would have been none of it, however long something else made it.
      score: 1,
      certainty: reason === "" ? 0.9 : 0.97,
      why: `${how} asked for it${who}`,
      evidence: [
        {
          signal: "asked",
          value: 1,
          unit: "flag",
          text: `V8 did not choose this moment: ${reason === "" ? "the collection was forced" : `its reason was "${plainText(reason, 60)}"`}.`,
        },
      ],
      advice: [
        {
          text: /heap profiler/.test(reason)
            ? "A heap snapshot collects first and then holds the thread while it writes: take it where nobody waits, or from a process that is out of rotation."
            : "Leave out the call: V8 collects by itself, and a forced collection marks the whole heap each time. If it must be, ask for a young one: gc({ type: 'minor' }).",
        },
      ],
    };
  },
};
