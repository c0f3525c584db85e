/** From a folder to what the renderers draw. */
import { type AnalyseOptions, analyse } from "../analysis/analyse.ts";
import type { Report } from "../analysis/report-types.ts";
import { readRecording } from "../recording/read-recording.ts";
import { buildPageView, buildView } from "../report/view.ts";
import type { PageView, ReportView } from "../report/view-model.ts";

async function load(folder: string, thresholds: AnalyseOptions) {
  const recording = await readRecording(folder);
  return { recording, report: analyse(recording, thresholds) };
}

export async function loadView(folder: string, thresholds: AnalyseOptions): Promise<ReportView> {
  const { recording, report } = await load(folder, thresholds);
  return buildView(recording, report);
}

export async function loadPageView(folder: string, thresholds: AnalyseOptions): Promise<PageView> {
  const { recording, report } = await load(folder, thresholds);
  return buildPageView(recording, report);
}

/** The report alone, for JSON: the series behind the pictures of a million pauses take as much memory again. */
export async function loadReport(folder: string, thresholds: AnalyseOptions): Promise<Report> {
  return (await load(folder, thresholds)).report;
}
