/** Sentences that every text renderer says in the same words. All text from the recording is plain (control-free) here. */
import { accountedText, formatMoment, locationText } from "../analysis/phrases.ts";
import type { Cause, CauseSum, GcSummary, PauseStatistics, Report, Site, SpikeTag } from "../analysis/report-types.ts";
import { programName } from "../lib/program-name.ts";
import { shellWord } from "../lib/shell.ts";
import { plainText, plural } from "../lib/text.ts";
import { foremost } from "../lib/triggers.ts";
import { formatBytes, formatMs, formatNumber, formatShare } from "../lib/units.ts";
import { PAUSE_KINDS } from "../recording/model.ts";
import type { ReportView } from "./view-model.ts";

/** The command as one line; arguments with spaces or quotes are quoted. */
export function commandText(command: readonly string[]): string {
  return plainText(command.map(shellWord).join(" "), 160);
}

/** "server.js ended by SIGINT after 72.4 s." */
export function endText({ command, exit, durationMs }: Report["recording"]): string {
  const name = plainText(programName(command), 60) || "the program";
  const length = formatMs(durationMs);
  if (exit === null) return `${name} was recorded for ${length}.`;
  if (exit.signal !== null) return `${name} ended by ${plainText(exit.signal, 20)} after ${length}.`;
  return exit.code === 0 || exit.code === null
    ? `${name} ended after ${length}.`
    : `${name} ended with exit code ${exit.code} after ${length}.`;
}

/** The answer, as the parts of a line: P99, the worst, and what GC took. One sentence where there was no pause. */
export function answerParts({ recording, summary, isolates }: Report): readonly string[] {
  if (isolates.length === 0) return ["No Node.js process was recorded, so there is nothing to say about its pauses."];
  const { p99Ms, maxMs } = summary.pauses;
  if (p99Ms === null || maxMs === null) {
    const outside = summary.outsidePausesMs ?? 0;
    const steps = outside > 0 ? ` Incremental steps took ${formatMs(outside)}.` : "";
    return [`No collection stopped the program in the ${formatMs(recording.durationMs)} that were recorded.${steps}`];
  }
  return [`P99 pause ${formatMs(p99Ms)}`, `worst ${formatMs(maxMs)}`, shareText(summary, isolates)];
}

function shareText(gc: GcSummary, isolates: Report["isolates"]): string {
  const share = (ms: number) => formatShare(gc.observedMs > 0 ? ms / gc.observedMs : 0);
  const paused = share(gc.pauses.totalMs);
  const thread = isolates[0]?.kind === "worker" ? "its thread" : "the main thread";
  const what = isolates.length > 1 ? `the ${isolates.length} threads` : thread;
  return gc.outsidePausesMs === null
    ? `GC paused ${what} for ${paused} of the time (work outside pauses was not recorded)`
    : `GC took ${formatShare(gc.wallShare)} of ${what} (${paused} paused, ${share(gc.outsidePausesMs)} in incremental steps)`;
}

/** "6 spikes of 10 ms or more, together 183 ms.", or that there is none. */
export function spikesText({ report }: ReportView): string {
  const count = report.causes.reduce((sum, cause) => sum + cause.spikes, 0);
  const total = report.causes.reduce((sum, cause) => sum + cause.totalMs, 0);
  const threshold = formatMs(report.thresholds.spikeMs);
  if (count === 0) return `No spike: nothing stopped the program for ${threshold} or more.`;
  return count === 1
    ? `1 spike of ${threshold} or more: ${formatMs(total)}.`
    : `${plural(count, "spike")} of ${threshold} or more, together ${formatMs(total)}.`;
}

/** "survivor-copy   146 ms in 4 scavenges, confidence 0.93" */
export function causeText({ cause, spikes, totalMs, confidence }: CauseSum): string {
  const sure = cause === "unknown" ? "" : `, confidence ${confidence.toFixed(2)}`;
  return `${cause}   ${formatMs(totalMs)} in ${plural(spikes, "spike")}${sure}`;
}

/** A confidence in words. */
export function sureText(confidence: number): string {
  if (confidence >= 0.9) return "nearly certain";
  if (confidence >= 0.75) return "likely";
  if (confidence >= 0.55) return "more likely than not";
  return "a guess";
}

/** Causes that are no fault of the program's. */
const OF_THE_MACHINE: ReadonlySet<Cause> = new Set(["descheduled", "page-faults"]);

export function isOfMachine(cause: Cause): boolean {
  return OF_THE_MACHINE.has(cause);
}

/** The causes that were told first, then what is unknown. */
export function knownFirst(causes: readonly CauseSum[]): readonly CauseSum[] {
  return [...causes.filter(({ cause }) => cause !== "unknown"), ...causes.filter(({ cause }) => cause === "unknown")];
}

const MEASURE_TEXT: Readonly<Record<Site["measure"], (it: string) => string>> = {
  allocated: (it) => `by bytes allocated before ${it}`,
  survived: (it) => `by bytes that survived ${it}`,
  retained: () => "by bytes that nothing has freed since the last full collection",
  external: () => "by bytes outside the heap",
  asked: (it) => `who asked for ${it}`,
};

/**
 * What a table of sites is about, and how sure its functions are. `externalShare`: how much of the memory outside the heap is accounted
 * for, where the sites are about that. `spikes`: how many the table is about; it may stand under the longest of them.
 */
export function sitesHead(sites: readonly Site[], externalShare: number | null, spikes: number): string {
  const [first] = sites;
  if (first === undefined) return "";
  const what = MEASURE_TEXT[first.measure](spikes === 1 ? "it" : "them");
  const all = spikes === 2 ? "Over both spikes" : `Over all ${spikes.toLocaleString("en-US")} spikes`;
  const sure = `${first.exact ? "exact" : "estimated"}: ${inlinedText(first)}`;
  const accounted = accountedClause(first, externalShare);
  return `${spikes === 1 ? capitalized(what) : `${all}, ${what}`}${accounted}${first.measure === "asked" ? "" : ` (${sure})`}:`;
}

const capitalized = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** ", of which about 96 % is accounted for", behind bytes outside the heap; "" behind others. */
export function accountedClause({ measure }: Site, externalShare: number | null): string {
  return measure === "external" && externalShare !== null
    ? `, of which ${accountedText(externalShare)} is accounted for`
    : "";
}

/** What became of functions that the optimiser put into their callers. */
export function inlinedText({ exact }: Pick<Site, "exact">): string {
  return exact ? "inlined functions are told apart" : "an inlined function hides behind its caller";
}

/** "In its worst 10 ms the program had 0 % of the thread, in its worst 100 ms 48 %." null without GC or a window of 10 ms. */
export function utilizationText({ mmu, wallShare }: GcSummary): string | null {
  if (wallShare === 0) return null;
  const worst = [10, 50, 100].flatMap((windowMs) => mmu.filter((entry) => entry.windowMs === windowMs));
  const [first, ...rest] = worst.map(({ windowMs, utilization }) => ({
    window: formatMs(windowMs),
    share: formatShare(utilization),
  }));
  if (first === undefined) return null;
  const more = rest.map(({ window, share }) => `, in its worst ${window} ${share}`).join("");
  return `In its worst ${first.window} the program had ${first.share} of the thread${more}.`;
}

/** "Peaks: heap 212 MiB, external 14 MiB, resident 301 MiB. Sums: allocated 4.1 GiB, promoted 210 MiB." null without any. */
export function memoryText(gc: GcSummary): string | null {
  const list = (entries: readonly (readonly [string, number | null])[]) =>
    entries.flatMap(([name, bytes]) => (bytes === null ? [] : [`${name} ${formatBytes(bytes)}`])).join(", ");
  const peaks = list([
    ["heap", gc.peakHeapUsedBytes],
    ["external", gc.peakExternalBytes],
    ["resident", gc.peakRssBytes],
  ]);
  const flow = list([
    ["allocated", gc.allocatedBytes],
    ["promoted", gc.promotedBytes],
  ]);
  const sentences = [peaks === "" ? "" : `Peaks: ${peaks}.`, flow === "" ? "" : `Sums: ${flow}.`];
  return peaks + flow === "" ? null : sentences.filter((sentence) => sentence !== "").join(" ");
}

export interface KindRow {
  readonly name: string;
  readonly statistics: PauseStatistics;
}

/** Kinds that occurred, in V8's order, and all of them together where there are several. */
export function kindRows({ byKind, pauses }: GcSummary): readonly KindRow[] {
  const rows = PAUSE_KINDS.flatMap((kind) => {
    const statistics = byKind[kind];
    return statistics === undefined ? [] : [{ name: kind, statistics }];
  });
  return rows.length > 1 ? [...rows, { name: "all", statistics: pauses }] : rows;
}

/** Milliseconds, "-" where there is no value. */
export function msOrDash(ms: number | null): string {
  return ms === null ? "-" : formatMs(ms);
}

const MOST_TAGS = 3;
/** Requests come unevenly: what lies between is no difference that one could see. */
const USUAL_LIFT = { from: 0.8, to: 1.25 };

/** "In the 3 s before it: GET /report 12 times, 9.1 times its usual rate; nightly once." null without tags. */
export function tagsText(tags: readonly SpikeTag[]): string | null {
  if (tags.length === 0) return null;
  const texts = tags.slice(0, MOST_TAGS).map(({ name, count, lift }) => {
    const times = count === 1 ? "once" : `${count.toLocaleString("en-US")} times`;
    return `${plainText(name, 80) || "(unnamed)"} ${times}${liftText(lift)}`;
  });
  return `In the 3 s before it: ${texts.join("; ")}.`;
}

/** ", 9.1 times its usual rate": how often a tag came, against how often it usually does; "" where that is not known. */
export function liftText(lift: number | null): string {
  if (lift === null || !Number.isFinite(lift)) return "";
  if (lift < USUAL_LIFT.from) return ", less often than usual";
  if (lift <= USUAL_LIFT.to) return ", as often as usual";
  return `, ${formatNumber(Number(lift.toPrecision(2)))} times its usual rate`;
}

/** "hydrateSession", "(anonymous)". */
export function siteName(site: Site): string {
  const name = plainText(site.function, 60);
  return name === "" ? "(anonymous)" : name;
}

/** "src/cart.ts:112"; what eval() and new Function() make has no file. */
export function siteLocation({ file, line }: Site): string {
  return file === "" ? "evaluated code" : locationText(file, line);
}

/** How the program ended, where that was not in order. */
function exitFact({ exit }: Report["recording"]): readonly string[] {
  if (exit === null) return [];
  if (exit.signal !== null) return [`ended by ${plainText(exit.signal, 20)}`];
  return exit.code === 0 || exit.code === null ? [] : [`exit code ${exit.code}`];
}

/** "Written by the flight recorder: pause>50ms at 0:57, a scavenge of 62 ms, and 3 more triggers."; null of what is no dump. */
export function dumpText({ dump }: Report["recording"]): string | null {
  const why = foremost(dump?.triggers ?? []);
  if (dump === undefined || why === undefined) return null;
  const others = dump.triggers.length - 1 + dump.untold;
  const more = others === 0 ? "" : `, and ${plural(others, "more trigger")}`;
  const trigger = `${plainText(why.trigger, 60)} at ${formatMoment(why.atMs)}`;
  return `Written by the flight recorder: ${trigger}, ${plainText(why.what, 200)}${more}.`;
}

/** "node v20.20.2 on linux x64, 2 processors, 72.4 s from 2026-11-22 09:14:00 UTC", less what is not known. */
export function circumstances(recording: Report["recording"]): string {
  const { node, platform, arch, cpus, durationMs, startedAt } = recording;
  const version = node === "" ? "node" : `node ${plainText(node, 20)}`;
  const start = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(startedAt);
  const when = start === null ? "" : ` from ${start[1]} ${start[2]} UTC`;
  const machine = `${plainText(platform, 20)} ${plainText(arch, 20)}`.trim();
  const program = machine === "" ? version : `${version} on ${machine}`;
  const processors = cpus === 0 ? [] : [plural(cpus, "processor")];
  return [program, ...processors, `${formatMs(durationMs)}${when}`, ...exitFact(recording)].join(", ");
}
