/** Which sites allocate, keep or let survive more than they did: the differential table. Pure. */
import type { SiteChange, SiteChangeMeasure } from "./check-types.ts";
import { mean, standardError } from "./moments.ts";
import type { SiteBytes } from "./site-bytes.ts";

/** At most this many sites are listed. */
const MOST_CHANGES = 20;
/** A difference counts from this many of its standard errors on: sites with many bytes differ by many from run to run. */
const ERRORS = 2;

interface Both {
  readonly function: string;
  readonly file: string;
  line: number;
  readonly baseline: number[];
  readonly candidate: number[];
}

/**
 * Sites of which the candidate has more beyond chance, those first that have most beyond it; where chance may be all, whatever has
 * more. A list of sites a run.
 */
export function siteChanges(
  baseline: readonly (readonly SiteBytes[])[],
  candidate: readonly (readonly SiteBytes[])[],
  measure: SiteChangeMeasure,
): readonly SiteChange[] {
  const sites = new Map<string, Both>();
  const add = (side: "baseline" | "candidate", runs: readonly (readonly SiteBytes[])[]): void => {
    for (const [run, list] of runs.entries()) {
      for (const site of list) {
        const both = entry(site, sites, baseline.length, candidate.length);
        if (side === "candidate") both.line = site.line;
        both[side][run] = (both[side][run] ?? 0) + (site[measure] ?? 0);
      }
    }
  };
  add("baseline", baseline);
  add("candidate", candidate);
  const more = [...sites.values()].map(changeOf).filter(({ grownBy }) => grownBy > 0);
  const certainly = more.filter(({ certain }) => certain > 0);
  const grown = certainly.length > 0 ? certainly : more;
  const total = grown.reduce((sum, { grownBy }) => sum + grownBy, 0);
  return grown
    .sort((a, b) => b.certain - a.certain || (a.key < b.key ? -1 : 1))
    .slice(0, MOST_CHANGES)
    .map(({ site, baselineBytes, candidateBytes, grownBy }) => ({
      function: site.function,
      file: site.file,
      line: site.line,
      baselineBytes: Math.round(baselineBytes),
      candidateBytes: Math.round(candidateBytes),
      share: grownBy / total,
    }));
}

function entry(site: SiteBytes, sites: Map<string, Both>, baselineRuns: number, candidateRuns: number): Both {
  const key = `${site.file}\0${site.function}`;
  const known = sites.get(key);
  if (known !== undefined) return known;
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  const { file, line } = site;
  const made = {
    function: site.function,
    file,
    line,
    baseline: zeros(baselineRuns),
    candidate: zeros(candidateRuns),
  };
  sites.set(key, made);
  return made;
}

function changeOf(site: Both) {
  const before = meanAndError(site.baseline);
  const after = meanAndError(site.candidate);
  const grownBy = after.mean - before.mean;
  return {
    site,
    key: `${site.file}\0${site.function}`,
    baselineBytes: before.mean,
    candidateBytes: after.mean,
    grownBy,
    /** What it has grown by at least, but for chance. */
    certain: grownBy - ERRORS * Math.hypot(before.error, after.error),
  };
}

function meanAndError(values: readonly number[]): { readonly mean: number; readonly error: number } {
  if (values.length === 0) return { mean: 0, error: 0 };
  return { mean: mean(values), error: values.length === 1 ? 0 : standardError(values) };
}
