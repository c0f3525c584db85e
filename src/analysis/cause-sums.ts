/** The spikes of a report by cause: what to look at first. Pure. */
import type { Cause, CauseSum, Site, Spike } from "./report-types.ts";
import { MAX_SITES, siteKey } from "./sites.ts";
import type { Spikes } from "./spikes.ts";

/** Most time first. Spikes that are not described count as unknown. */
export function sumCauses({ spikes, count, totalMs }: Spikes): readonly CauseSum[] {
  const byCause = new Map<Cause, Spike[]>();
  for (const spike of spikes) {
    const known = byCause.get(spike.cause);
    if (known === undefined) byCause.set(spike.cause, [spike]);
    else known.push(spike);
  }
  const sums = new Map([...byCause].map(([cause, of]) => [cause, sumOf(cause, of)]));
  if (count > spikes.length) {
    const described = spikes.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const known = sums.get("unknown") ?? sumOf("unknown", []);
    sums.set("unknown", {
      ...known,
      spikes: known.spikes + count - spikes.length,
      totalMs: known.totalMs + totalMs - described,
    });
  }
  return [...sums.values()].sort((a, b) => b.totalMs - a.totalMs);
}

/** `spikes`: longest first. */
function sumOf(cause: Cause, spikes: readonly Spike[]): CauseSum {
  const totalMs = spikes.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const weighted = spikes.reduce((sum, { confidence, durationMs }) => sum + confidence * durationMs, 0);
  return {
    cause,
    spikes: spikes.length,
    totalMs,
    confidence: totalMs > 0 ? Math.round((weighted / totalMs) * 100) / 100 : 0,
    worstSpike: spikes[0]?.id ?? null,
    sites: sumSites(spikes),
    externalShare: cause === "external-memory" ? meanExternalShare(spikes) : null,
    advice: spikes[0]?.advice ?? [],
  };
}

function meanExternalShare(spikes: readonly Spike[]): number | null {
  let total = 0;
  let weighted = 0;
  for (const { external, durationMs } of spikes) {
    if (external === null) continue;
    total += durationMs;
    weighted += external.share * durationMs;
  }
  return total > 0 ? weighted / total : null;
}

/** A site's share over all spikes is the mean of its shares, weighted by their time: what it has to do with the time lost. */
function sumSites(spikes: readonly Spike[]): readonly Site[] {
  const sums = new Map<string, { site: Site; weight: number; bytes: number | null; survivedBytes: number | null }>();
  let total = 0;
  for (const { sites, durationMs } of spikes) {
    if (sites.length > 0) total += durationMs;
    for (const site of sites) {
      const key = siteKey({ ...site, column: site.column ?? 0 });
      const sum = sums.get(key) ?? { site, weight: 0, bytes: null, survivedBytes: null };
      sum.weight += site.share * durationMs;
      sum.bytes = add(sum.bytes, site.bytes);
      sum.survivedBytes = add(sum.survivedBytes, site.survivedBytes);
      sums.set(key, sum);
    }
  }
  return [...sums.values()]
    .sort((a, b) => b.weight - a.weight)
    .slice(0, MAX_SITES)
    .map(({ site, weight, bytes, survivedBytes }) => ({ ...site, share: weight / total, bytes, survivedBytes }));
}

function add(sum: number | null, bytes: number | null): number | null {
  return bytes === null ? sum : (sum ?? 0) + bytes;
}
