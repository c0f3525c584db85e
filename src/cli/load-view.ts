/** From a folder to what the renderers draw. */
import { analyse } from "../analysis/analyse.ts";
import type { Report } from "../analysis/report-types.ts";
import { readRecording } from "../recording/read-recording.ts";
import { buildView } from "../report/view.ts";
import type { ReportView } from "../report/view-model.ts";

async function load(folder: string, spikeMs: number | undefined) {
  const recording = await readRecording(folder);
  const options = { spikeMs: spikeMs ?? recording.manifest.options.spikeMs };
  return { recording, options, report: analyse(recording, options) };
}

/** `spikeMs`: what counts as a spike; by default what the recording was made with. */
export async function loadView(folder: string, spikeMs: number | undefined): Promise<ReportView> {
  const { recording, options, report } = await load(folder, spikeMs);
  return buildView(recording, report, options);
}

/** The report alone, for JSON: the series behind the pictures of a million pauses take as much memory again. */
export async function loadReport(folder: string, spikeMs: number | undefined): Promise<Report> {
  return (await load(folder, spikeMs)).report;
}
