import { plainText } from "../lib/text.ts";
import { isOfRunning } from "../lib/triggers.ts";
import { formatMs } from "../lib/units.ts";
import type { IsolateData, Recording } from "../recording/model.ts";
import type { Collector, Manifest, Warning } from "../recording/spec.ts";
import { sumCauses } from "./cause-sums.ts";
import { observe } from "./observed.ts";
import { regimeWarnings } from "./regimes.ts";
import type { Report } from "./report-types.ts";
import { countSeconds, GROWTH_BYTES, secondsOf } from "./seconds.ts";
import { findSpikes, MAX_SPIKES, type Spikes } from "./spikes.ts";
import { summarizeAll, summarizeIsolate } from "./summary.ts";

const COLLECTORS: readonly Collector[] = ["probe", "perf_hooks", "phases", "heap", "allocations", "tags", "ebpf"];

export interface AnalyseOptions {
  /** The length from which a stop is a spike; by default the one that the recording was made with. */
  readonly spikeMs?: number | undefined;
  /** A second whose P99 pause, over the ten seconds that end with it, is this long is marked; by default as long as a spike. */
  readonly p99Ms?: number | undefined;
  /** A second in which the used heap grows faster is marked, bytes a second; 50 MiB by default. */
  readonly growthBytes?: number | undefined;
}

/**
 * Explains a recording. Pure: the same recording and options give the same report. Linear in pauses, phases and samples, but for
 * sorting the pauses' durations.
 */
export function analyse(recording: Recording, options: AnalyseOptions = {}): Report {
  const spikeMs = options.spikeMs ?? recording.manifest.options.spikeMs;
  const thresholds = {
    spikeMs,
    p99Ms: options.p99Ms ?? spikeMs,
    growthBytes: options.growthBytes ?? GROWTH_BYTES,
  };
  const observed = observe(recording);
  const summaries = observed.map(summarizeIsolate);
  const spikes = findSpikes(observed, { spikeMs, pageFaultNs: recording.manifest.machine.pageFaultNs });
  return {
    schema: "gcspike.report/1",
    recording: describeRecording(recording, leftOut(spikes, spikeMs)),
    thresholds,
    isolates: observed.flatMap(({ isolate, history }, index) => {
      const gc = summaries[index];
      if (gc === undefined) return [];
      const { id, pid, threadId, name, kind } = isolate;
      const seconds = countSeconds(secondsOf(isolate, thresholds, history));
      return [{ id, pid, threadId, name, kind, gc, seconds }];
    }),
    summary: summarizeAll(observed, summaries, recording.processes),
    spikes: spikes.spikes,
    causes: sumCauses(spikes),
  };
}

function describeRecording(recording: Recording, warnings: readonly Warning[]): Report["recording"] {
  const { manifest, isolates } = recording;
  const main = isolates.find((isolate) => isolate.kind === "main") ?? isolates[0];
  return {
    command: manifest.command,
    startedAt: manifest.startedAt,
    durationMs: recording.durationMs,
    node: main?.node ?? "",
    v8: main?.v8 ?? "",
    arch: manifest.machine.arch,
    platform: manifest.machine.platform,
    cpus: manifest.machine.cpus,
    heapLimitBytes: main?.heapLimitBytes ?? null,
    semiSpaceBytes: main?.semiSpaceBytes ?? null,
    collectors: COLLECTORS.filter((collector) => isolates.some((isolate) => isolate.collectors.includes(collector))),
    complete: recording.complete,
    exit: manifest.exit,
    ...describeDump(manifest),
    warnings: distinct([
      ...recording.warnings,
      ...isolates.flatMap((isolate) => isolateWarnings(isolate, isOfRunning(manifest.dump))),
      ...regimeWarnings(isolates),
      ...warnings,
    ]),
  };
}

function describeDump({ dump, startNs }: Manifest): Pick<Report["recording"], "dump"> {
  if (dump === null) return {};
  const { keepMs, afterMs, untold } = dump;
  const triggers = dump.triggers.map(({ trigger, atNs, what }) => ({
    trigger,
    atMs: Number(BigInt(atNs) - BigInt(startNs)) / 1e6,
    what,
  }));
  return { dump: { triggers, untold, keepMs, afterMs } };
}

function isolateWarnings(isolate: IsolateData, runsOn: boolean): readonly Warning[] {
  if (isolate.openPause === null) return isolate.warnings;
  const { kind, startMs } = isolate.openPause;
  const who = plainText(isolate.name, 60);
  const rest = `that began at ${formatMs(startMs)}; how long it took is unknown, and it is in no number here.`;
  const open: Warning = runsOn
    ? { code: "dump-in-collection", message: `The dump ends inside a ${kind} of ${who} ${rest}` }
    : { code: "died-in-collection", message: `${who} ended inside a ${kind} ${rest}` };
  return [...isolate.warnings, open];
}

function leftOut(spikes: Spikes, spikeMs: number): readonly Warning[] {
  if (spikes.count <= MAX_SPIKES) return [];
  const count = spikes.count.toLocaleString("en-US");
  return [
    {
      code: "spikes-left-out",
      message: `${count} stops are spikes of ${formatMs(spikeMs)} or more; the ${MAX_SPIKES.toLocaleString("en-US")} worst are listed.`,
      hint: "Raise --spike.",
    },
  ];
}

/** Isolates of one process often warn of the same thing. */
function distinct(warnings: readonly Warning[]): readonly Warning[] {
  return [...new Map(warnings.map((warning) => [`${warning.code}\0${warning.message}`, warning])).values()];
}
