/** What the sites of one run allocated, what of that survived a collection, and what is kept at its end. Pure. */
import type { Frame, IsolateData, Recording } from "../../recording/model.ts";
import { type RunMeasure, runBytes } from "../run-bytes.ts";
import { siteOfStack, tallySites } from "../sites.ts";
import { fromRoot } from "./from-root.ts";

/** Sites of a run that are kept: those with the most bytes of each kind. */
const MOST_SITES = 500;
const MEASURES: readonly RunMeasure[] = ["allocated", "survived", "kept"];

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
  if (isolate.allocations === null) return;
  const siteOf = siteOfStack(isolate.allocations);
  const bytes = runBytes(isolate);
  for (const measure of MEASURES) {
    const stacks = bytes[measure];
    if (stacks === null) continue;
    for (const [frame, sum] of tallySites(stacks, siteOf).frames) {
      const site = siteAt(sites, frame, root);
      site[measure] = (site[measure] ?? 0) + sum;
    }
    if (measure !== "allocated") for (const site of sites.values()) site[measure] ??= 0;
  }
}

function siteAt(sites: Map<string, Counts>, frame: Frame, root: string): Counts {
  const file = fromRoot(frame.file, root);
  const key = `${file}\0${frame.function}`;
  const known = sites.get(key);
  if (known !== undefined) return known;
  const made = { function: frame.function, file, line: frame.line, allocated: 0, survived: null, kept: null };
  sites.set(key, made);
  return made;
}

function mostOf(sites: readonly SiteBytes[]): readonly SiteBytes[] {
  if (sites.length <= MOST_SITES) return sites;
  const measures = [({ allocated }: SiteBytes) => allocated, ({ survived }: SiteBytes) => survived ?? 0];
  const chosen = measures.flatMap((of) => sites.toSorted((a, b) => of(b) - of(a)).slice(0, MOST_SITES / 2));
  return [...new Set(chosen)];
}
