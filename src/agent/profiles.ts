/** Live-heap and wall-clock profiles, on demand: @datadog/pprof is loaded only then, because it changes scavenging. */
import { renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Warning } from "../recording/spec.ts";
import type { OpenRecording } from "./options.ts";

const HEAP_INTERVAL_BYTES = 512 * 1024;
const HEAP_STACK_DEPTH = 64;
const WALL_INTERVAL_MICROS = 10_000;
/**
 * A program that is killed keeps what was written before: at most this long ago, or a tenth of its time, so that a day of
 * wall-clock time is a hundred files.
 */
const FIRST_WRITE_MS = 10_000;
const LATER_WRITE_SHARE = 0.1;

interface Mapper {
  mappingInfo(location: object): object;
}

/** The recorder applies source maps, and needs columns: they are emitted for code whose map was not found. */
const KEEP_COLUMNS: Mapper = { mappingInfo: (location) => ({ ...location, missingMapFile: true }) };

interface PprofModule {
  readonly heap: {
    start(intervalBytes: number, stackDepth: number): void;
    profile(ignored: undefined, sourceMapper: Mapper, labels: undefined, columns: "emit"): unknown;
  };
  readonly time: {
    start(options: { intervalMicros: number; sourceMapper: Mapper; columnNumbers: "emit" }): void;
    stop(restart: boolean): unknown;
  };
  encodeSync(profile: unknown): Uint8Array;
}

/** Takes what there is to write now; `last` where the isolate ends. */
type Take = (last: boolean) => readonly { readonly file: string; readonly profile: unknown }[];

function startTaking(pprof: PprofModule, { options }: OpenRecording, isolateId: string): Take {
  if (options.liveHeap) pprof.heap.start(HEAP_INTERVAL_BYTES, HEAP_STACK_DEPTH);
  if (options.cpu) {
    pprof.time.start({ intervalMicros: WALL_INTERVAL_MICROS, sourceMapper: KEEP_COLUMNS, columnNumbers: "emit" });
  }
  let part = 0;
  return (last) => [
    // The newest live heap takes the place of the one before; wall-clock time goes on in the next part.
    ...(options.liveHeap
      ? [{ file: `${isolateId}.live.0.pb.gz`, profile: pprof.heap.profile(undefined, KEEP_COLUMNS, undefined, "emit") }]
      : []),
    ...(options.cpu ? [{ file: `${isolateId}.wall.${part++}.pb.gz`, profile: pprof.time.stop(!last) }] : []),
  ];
}

/** Starts what is asked for. It is written from time to time, and when the isolate ends by itself. */
export function startProfiles(recording: OpenRecording, isolateId: string): readonly Warning[] {
  const { folder, options } = recording;
  if (options.pprofModule === null || !(options.liveHeap || options.cpu)) return [];
  try {
    const pprof = createRequire(options.pprofModule)(options.pprofModule) as PprofModule;
    const take = startTaking(pprof, recording, isolateId);
    const write = (last: boolean): void => {
      try {
        for (const { file, profile } of take(last)) {
          const path = join(folder, file);
          writeFileSync(`${path}.tmp`, pprof.encodeSync(profile));
          renameSync(`${path}.tmp`, path);
        }
      } catch {
        // This part is missing; the program must not fail for it.
      }
    };
    const startMs = performance.now();
    const writeLater = (): void => {
      const delay = Math.max(FIRST_WRITE_MS, (performance.now() - startMs) * LATER_WRITE_SHARE);
      setTimeout(() => {
        write(false);
        writeLater();
      }, delay).unref();
    };
    writeLater();
    // Before @datadog/pprof's own listener, which stops the wall-clock profiler.
    process.prependListener("exit", () => write(true));
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return [{ code: "no-profiles", message: `Live-heap and wall-clock profiles are missing: ${reason}.` }];
  }
}
