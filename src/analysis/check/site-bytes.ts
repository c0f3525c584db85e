/** What the sites of one run allocated, what of that survived a collection, and what is kept at its end. Pure. */
import type { IsolateData, Recording, SampleColumns } from "../../recording/model.ts";
import { lowerBound } from "../intervals.ts";
import { siteOfStack, tallySites } from "../sites.ts";
import { bytesOfWindows } from "../stack-bytes.ts";

/** Sites of a run that are kept: those with the most bytes of each kind. */
const MOST_SITES = 500;

/** One site of one run. Code moves from one version to the next: file and function are the site, not the line. */
export interface SiteBytes {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly allocated: number;
  /** null: deaths were not recorded. */
  readonly survived: number | null;
  readonly kept: number | null;
}

type Counts = { -readonly [Key in keyof SiteBytes]: SiteBytes[Key] };

/** `root`: a folder whose files are named from there, so that two checkouts have the same names. */
export function siteBytesOf(recording: Recording, root: string): readonly SiteBytes[] {
  const sites = new Map<string, Counts>();
  for (const isolate of recording.isolates) addIsolate(sites, isolate, root);
  return mostOf([...sites.values()]);
}

function addIsolate(sites: Map<string, Counts>, isolate: IsolateData, root: string): void {
  const { samples, allocations } = isolate;
  if (allocations === null) return;
  const frames = siteOfStack(allocations);
  const entry = (frame: { function: string; file: string; line: number }): Counts => {
    const file = fromRoot(frame.file, root);
    const key = `${file}\0${frame.function}`;
    const known = sites.get(key);
    if (known !== undefined) return known;
    const deaths = samples === null ? null : 0;
    const made = { function: frame.function, file, line: frame.line, allocated: 0, survived: deaths, kept: deaths };
    sites.set(key, made);
    return made;
  };
  if (samples === null) {
    for (const [frame, bytes] of tallySites(bytesOfWindows(allocations.windows), frames).frames) {
      entry(frame).allocated += bytes;
    }
    return;
  }
  for (const columns of [samples.heap, samples.buffers]) {
    if (columns === null) continue;
    for (let i = 0; i < columns.count; i++) {
      const frame = frames[columns.stack[i] ?? -1];
      if (frame !== undefined) addSample(entry(frame), columns, i, isolate);
    }
  }
}

function addSample(site: Counts, { bornMs, diedMs, bytes }: SampleColumns, i: number, { pauses }: IsolateData): void {
  const size = bytes[i] ?? 0;
  const died = diedMs[i] ?? 0;
  const next = pauses.startMs[lowerBound(pauses.startMs, bornMs[i] ?? 0, pauses.count)] ?? Number.POSITIVE_INFINITY;
  site.allocated += size;
  // Of what was born after the last collection nobody knows.
  if (died <= next || next === Number.POSITIVE_INFINITY) return;
  site.survived = (site.survived ?? 0) + size;
  if (died === Number.POSITIVE_INFINITY) site.kept = (site.kept ?? 0) + size;
}

function fromRoot(file: string, root: string): string {
  const path = file.startsWith("file://") ? file.slice("file://".length) : file;
  return root !== "" && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

function mostOf(sites: readonly SiteBytes[]): readonly SiteBytes[] {
  if (sites.length <= MOST_SITES) return sites;
  const measures = [({ allocated }: SiteBytes) => allocated, ({ survived }: SiteBytes) => survived ?? 0];
  const chosen = measures.flatMap((of) => sites.toSorted((a, b) => of(b) - of(a)).slice(0, MOST_SITES / 2));
  return [...new Set(chosen)];
}
