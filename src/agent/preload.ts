/**
 * Node loads this file before the program, in every process and worker of a recording (`--require` in NODE_OPTIONS).
 * It starts the collectors and gets out of the way. Whatever goes wrong here, the program must not notice: less is
 * recorded, and the isolate's descriptor says why.
 */
import { openRecording, restoreNodeOptions, workerName } from "./options.ts";
import { followDescendants } from "./propagation.ts";
import { startIsolate } from "./start-isolate.ts";

try {
  const recording = openRecording();
  if (recording !== null) {
    restoreNodeOptions();
    startIsolate(recording, workerName());
    followDescendants(recording.folder, __filename);
  }
} catch {
  // Nothing is recorded in this isolate, and the recorder says so: it has no descriptor.
}
