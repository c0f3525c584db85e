import type { Cause, CauseSum, Report, Site, Spike } from "../analysis/report-types.ts";
import { plainText, plural } from "../lib/text.ts";
import { formatBytes, formatMs, formatShare } from "../lib/units.ts";
import { code, literal, table } from "./markdown-text.ts";
import {
  accountedClause,
  answerParts,
  circumstances,
  commandText,
  dumpText,
  isOfMachine,
  kindRows,
  knownFirst,
  memoryText,
  msOrDash,
  siteLocation,
  siteName,
  spikesText,
  tagsText,
  utilizationText,
} from "./phrases.ts";
import type { ReportView } from "./view-model.ts";

/** A comment on GitHub may have 65,536 characters; these bounds stay well below. */
const MAX_SPIKES = 20;
const MAX_SITES = 10;
const MAX_ISOLATES = 20;
const MAX_WARNINGS = 20;

/** The report for a pull-request comment or a job summary: GitHub-flavoured Markdown, UTF-8. */
export function renderMarkdown(view: ReportView): Uint8Array {
  const { report } = view;
  const [answer = "", ...rest] = answerParts(report);
  const more = rest.length === 0 ? "" : `, ${rest.slice(0, -1).join(", ")}. ${rest.at(-1)}.`;
  const blocks = [
    `## gcspike: ${code(commandText(report.recording.command))}`,
    literal(dumpText(report.recording) ?? ""),
    rest.length === 0 ? literal(answer) : `**${literal(answer)}**${literal(more)}`,
    report.summary.pauses.count > 0 ? kindTable(report) : "",
    report.isolates.length > 1 ? isolateTable(report) : "",
    [utilizationText(report.summary), memoryText(report.summary)]
      .filter((text) => text !== null)
      .map(literal)
      .join(" "),
    report.isolates.length > 0 ? spikes(view) : "",
    sites(view.sites),
    warnings(report),
    `<sub>${literal(circumstances(report.recording))}</sub>`,
  ];
  return new TextEncoder().encode(`${blocks.filter((block) => block !== "").join("\n\n")}\n`);
}

function kindTable({ summary }: Report): string {
  return table(
    ["Kind", "Pauses", "Total", "P50", "P90", "P99", "P99.9", "Worst"],
    kindRows(summary).map(({ name, statistics }) => [
      name,
      statistics.count.toLocaleString("en-US"),
      formatMs(statistics.totalMs),
      ...[statistics.p50Ms, statistics.p90Ms, statistics.p99Ms, statistics.p999Ms, statistics.maxMs].map(msOrDash),
    ]),
  );
}

function isolateTable({ isolates }: Report): string {
  const rows = isolates
    .slice(0, MAX_ISOLATES)
    .map(({ name, pid, gc }) => [
      code(plainText(name, 60)),
      String(pid),
      gc.pauses.count.toLocaleString("en-US"),
      formatMs(gc.pauses.totalMs),
      msOrDash(gc.pauses.p99Ms),
      msOrDash(gc.pauses.maxMs),
      formatShare(gc.wallShare),
    ]);
  const rest = isolates.length > MAX_ISOLATES ? `\n\nand ${isolates.length - MAX_ISOLATES} more` : "";
  return table(["Thread", "Process", "Pauses", "Total", "P99", "Worst", "GC share"], rows) + rest;
}

function spikes(view: ReportView): string {
  const { spikes: all, causes } = view.report;
  if (all.length === 0) return literal(spikesText(view));
  const rows = all.slice(0, MAX_SPIKES).map(spikeRow);
  const count = causes.reduce((sum, cause) => sum + cause.spikes, 0);
  const rest = count > MAX_SPIKES ? [`and ${plural(count - MAX_SPIKES, "more spike")}`] : [];
  return [
    `### ${literal(spikesText(view))}`,
    causeTable(causes),
    adviceList(causes),
    table(["Spike", "Duration", "Cause", "Confidence", "What happened", "First site"], rows, ":--|--:|:--|--:|:--|:--"),
    ...rest,
  ]
    .filter((block) => block !== "")
    .join("\n\n");
}

function causeTable(causes: readonly CauseSum[]): string {
  const rows = knownFirst(causes).map(({ cause, spikes: count, totalMs, confidence, sites: [site], externalShare }) => [
    isOfMachine(cause) ? `${cause} (the machine, not the code)` : cause,
    count.toLocaleString("en-US"),
    formatMs(totalMs),
    confidenceText(cause, confidence),
    siteCell(site, externalShare),
  ]);
  return table(["Cause", "Spikes", "Time", "Confidence", "First site"], rows, ":--|--:|--:|--:|:--");
}

/** What helps, a line a cause. */
function adviceList(causes: readonly CauseSum[]): string {
  return knownFirst(causes)
    .filter(({ advice }) => advice.length > 0)
    .map(({ cause, advice }) => {
      const texts = advice.map(({ text, flag }) => {
        const said = literal(plainText(text, 600));
        return flag === undefined ? said : `${code(plainText(flag, 80))} ${said}`;
      });
      return `- **${cause}**: ${texts.join(" Or: ")}`;
    })
    .join("\n");
}

function spikeRow(spike: Spike): readonly string[] {
  const { id, durationMs, cause, confidence, headline, tags, sites, external } = spike;
  return [
    id,
    formatMs(durationMs),
    cause,
    confidenceText(cause, confidence),
    literal([plainText(headline, 400), tagsText(tags)].filter((text) => text !== null).join(" ")),
    siteCell(sites[0], external?.share ?? null),
  ];
}

function confidenceText(cause: Cause, confidence: number): string {
  return cause === "unknown" ? "-" : confidence.toFixed(2);
}

/** With its share, which is one of what the cause is about. */
function siteCell(site: Site | undefined, externalShare: number | null): string {
  if (site === undefined) return "";
  return site.measure === "asked"
    ? siteText(site)
    : `${siteText(site)}, ${formatShare(site.share)} ${MEASURED[site.measure]}${accountedClause(site, externalShare)}`;
}

const MEASURED: Readonly<Record<Exclude<Site["measure"], "asked">, string>> = {
  allocated: "of the allocated bytes",
  survived: "of the surviving bytes",
  retained: "of the kept bytes",
  external: "of the bytes outside the heap",
};

function sites(all: readonly Site[]): string {
  if (all.length === 0) return "";
  const rows = all
    .slice(0, MAX_SITES)
    .map((site) => [siteText(site), formatShare(site.share), site.bytes === null ? "-" : formatBytes(site.bytes)]);
  return `### Most bytes were allocated here\n\n${table(["Site", "Share", "Estimated bytes"], rows)}`;
}

function siteText(site: Site): string {
  return `${code(siteName(site))} ${code(siteLocation(site))}`;
}

function warnings({ recording }: Report): string {
  const incomplete = recording.complete
    ? []
    : ["This recording is not complete; everything up to its end is in this report."];
  const messages = recording.warnings
    .slice(0, MAX_WARNINGS)
    .map(({ message, hint }) => literal(plainText(hint === undefined ? message : `${message} ${hint}`, 600)));
  const rest = recording.warnings.length > MAX_WARNINGS ? [`and ${recording.warnings.length - MAX_WARNINGS} more`] : [];
  const all = [...incomplete, ...messages, ...rest];
  return all.length === 0 ? "" : `### Warnings\n\n${all.map((text) => `- ${text}`).join("\n")}`;
}
