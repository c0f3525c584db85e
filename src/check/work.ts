/** How much a run did: what bytes and counts are divided by. */
import { GcspikeError, usageError } from "../lib/errors.ts";
import { plainText } from "../lib/text.ts";
import type { Recording } from "../recording/model.ts";

/** A number, the same for every run, or how often a tag of this name came. */
export type Work = { readonly units: number } | { readonly tag: string };

const TAG = "tag:";

/** "1000", or "tag:request". @throws a usage error */
export function parseWork(text: string | undefined): Work {
  if (text === undefined) return { units: 1 };
  if (text.startsWith(TAG) && text.length > TAG.length) return { tag: text.slice(TAG.length) };
  const units = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (units > 0) return { units };
  throw usageError(
    `--work cannot be "${text}".`,
    "Give how many units of work a run does, --work 10000, or a tag that stands for one, --work tag:request",
  );
}

/** "" where nobody said how much a run does; runs that were counted in different things cannot be compared. */
export function countedIn(text: string | undefined): string {
  if (text === undefined) return "";
  return text.startsWith(TAG) ? text : "units";
}

/** Throws GcspikeError where the tag never came. */
export function workOf(recording: Recording, work: Work): number {
  if ("units" in work) return work.units;
  let count = 0;
  for (const { tags } of recording.isolates) {
    if (tags === null) continue;
    const name = tags.names.indexOf(work.tag);
    for (let i = 0; i < tags.count; i++) if (tags.name[i] === name && name >= 0) count += tags.weight[i] ?? 0;
  }
  if (count > 0) return count;
  const names = [...new Set(recording.isolates.flatMap(({ tags }) => tags?.names ?? []))].slice(0, 5);
  throw new GcspikeError(
    "work",
    `The program never set the tag "${plainText(work.tag, 60)}" that its work is counted by.`,
    {
      kept: `Its recording is in ${recording.path}.`,
      hint:
        names.length === 0
          ? "It set no tag at all: docs/tags.md says how."
          : `It set ${names.map((name) => plainText(name, 40)).join(", ")}.`,
    },
  );
}
