/** What is left to do when the target has ended. */
import { existsSync } from "node:fs";
import { writeManifest } from "../recording/manifest.ts";
import type { Manifest, Warning } from "../recording/spec.ts";

/** Turns a recording folder into a finished recording. Returns what is missing, and why; never throws. */
export async function finishRecording(folder: string, manifest: Manifest): Promise<readonly Warning[]> {
  const warnings: Warning[] = [];
  if (!existsSync(folder)) {
    return [
      {
        code: "folder-removed",
        message: "The recording's folder was removed while the program ran: nothing was kept.",
      },
    ];
  }
  try {
    writeManifest(folder, { ...manifest, state: "finished", warnings });
  } catch (error) {
    warnings.push({ code: "manifest", message: `The manifest could not be written: ${String(error)}` });
  }
  return warnings;
}
