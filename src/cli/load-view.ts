/** From a folder to what the renderers draw. */
import { analyse } from "../analysis/analyse.ts";
import { readRecording } from "../recording/read-recording.ts";
import { buildView } from "../report/view.ts";
import type { ReportView } from "../report/view-model.ts";

/** `spikeMs`: what counts as a spike; by default what the recording was made with. */
export async function loadView(folder: string, spikeMs: number | undefined): Promise<ReportView> {
  const recording = await readRecording(folder);
  const options = { spikeMs: spikeMs ?? recording.manifest.options.spikeMs };
  return buildView(recording, analyse(recording, options), options);
}
