/** Live-heap and wall-clock profiles, on demand: @datadog/pprof is loaded only then, because it changes scavenging. */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Warning } from "../recording/spec.ts";
import type { OpenRecording } from "./options.ts";

const HEAP_INTERVAL_BYTES = 512 * 1024;
const HEAP_STACK_DEPTH = 64;
const WALL_INTERVAL_MICROS = 10_000;

interface PprofModule {
  readonly heap: { start(intervalBytes: number, stackDepth: number): void; profile(): unknown };
  readonly time: { start(options: { intervalMicros: number }): void; stop(): unknown };
  encodeSync(profile: unknown): Uint8Array;
}

/** Starts what is asked for; the profiles are written when the isolate ends by itself. */
export function startProfiles({ folder, options }: OpenRecording, isolateId: string): readonly Warning[] {
  if (options.pprofModule === null || !(options.liveHeap || options.cpu)) return [];
  try {
    const pprof = createRequire(options.pprofModule)(options.pprofModule) as PprofModule;
    if (options.liveHeap) pprof.heap.start(HEAP_INTERVAL_BYTES, HEAP_STACK_DEPTH);
    if (options.cpu) pprof.time.start({ intervalMicros: WALL_INTERVAL_MICROS });
    const write = (suffix: string, take: () => unknown): void => {
      try {
        writeFileSync(join(folder, `${isolateId}.${suffix}.pb.gz`), pprof.encodeSync(take()));
      } catch {
        // The recording has no such profile; the program must not fail at its exit for it.
      }
    };
    // Before @datadog/pprof's own listener, which stops the wall-clock profiler.
    process.prependListener("exit", () => {
      if (options.liveHeap) write("live", () => pprof.heap.profile());
      if (options.cpu) write("wall", () => pprof.time.stop());
    });
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return [{ code: "no-profiles", message: `Live-heap and wall-clock profiles are missing: ${reason}.` }];
  }
}
