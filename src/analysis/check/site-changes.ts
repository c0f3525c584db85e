/** Which sites allocate, keep or let survive more than they did: the differential table. Pure. */
import type { RunMeasure } from "../run-bytes.ts";
import type { SiteChange } from "./check-types.ts";
import { mean, standardError } from "./moments.ts";
import type { SiteBytes } from "./site-bytes.ts";

/** At most this many sites are listed. */
const MOST_CHANGES = 20;
/** A difference counts from this many of its standard errors on: sites with many bytes differ by many from run to run. */
const ERRORS = 2;

/** Of one run. */
export interface RunSites {
  readonly sites: readonly SiteBytes[];
  /** How often the young generation was collected; 0 where that is not known. */
  readonly scavenges: number;
}

interface Side {
  /** Bytes by run. */
  readonly bytes: number[];
  /** Bytes by run as they are compared. */
  readonly compared: number[];
}

interface Both {
  readonly function: string;
  readonly file: string;
  line: number;
  readonly baseline: Side;
  readonly candidate: Side;
}

/**
 * Sites of which the candidate has more beyond chance, those first that have most beyond it; where chance may be all, whatever has
 * more.
 *
 * Whoever allocates more makes V8 collect more often, and each collection copies once more what everybody holds. So bytes that
 * survived are compared at the same number of collections: what a site has more of then is its own doing.
 */
export function siteChanges(
  baseline: readonly RunSites[],
  candidate: readonly RunSites[],
  measure: RunMeasure,
): readonly SiteChange[] {
  const sites = new Map<string, Both>();
  const usual = mean(baseline.map(({ scavenges }) => scavenges));
  const isPerCollection = measure === "survived" && [...baseline, ...candidate].every(({ scavenges }) => scavenges > 0);
  const add = (side: "baseline" | "candidate", runs: readonly RunSites[]): void => {
    for (const [run, { sites: list, scavenges }] of runs.entries()) {
      const scale = isPerCollection ? usual / scavenges : 1;
      for (const site of list) {
        const both = entry(site, sites, baseline.length, candidate.length);
        if (side === "candidate") both.line = site.line;
        const { bytes, compared } = both[side];
        bytes[run] = (bytes[run] ?? 0) + (site[measure] ?? 0);
        compared[run] = (bytes[run] ?? 0) * scale;
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
  const zeros = (count: number): Side => ({ bytes: new Array(count).fill(0), compared: new Array(count).fill(0) });
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
  const before = meanAndError(site.baseline.compared);
  const after = meanAndError(site.candidate.compared);
  const grownBy = after.mean - before.mean;
  return {
    site,
    key: `${site.file}\0${site.function}`,
    baselineBytes: mean(site.baseline.bytes),
    candidateBytes: mean(site.candidate.bytes),
    grownBy,
    /** What it has grown by at least, but for chance. */
    certain: grownBy - ERRORS * Math.hypot(before.error, after.error),
  };
}

function meanAndError(values: readonly number[]): { readonly mean: number; readonly error: number } {
  if (values.length === 0) return { mean: 0, error: 0 };
  return { mean: mean(values), error: values.length === 1 ? 0 : standardError(values) };
}
