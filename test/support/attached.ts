/** Programs that run, and gcspike attached to them. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { parseListeners } from "../../src/recorder/attach/sockets.ts";
import type { Recording } from "../../src/recording/model.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { type Ended, Running, startGcspike } from "./cli.ts";
import { fixture, type Workplace } from "./recorded.ts";

/** fixtures/agent/attached.cjs, as it runs. Its inspector, when asked for, takes any port: tests run beside each other. */
export interface Served {
  readonly running: Running;
  readonly pid: number;
  readonly get: (path: string) => Promise<string>;
}

export async function serve(node: string, words: readonly string[] = []): Promise<Served> {
  const running = new Running(node, ["--inspect-port=0", ...words, fixture("attached.cjs")]);
  await running.waitFor("port ");
  const port = Number(/port (\d+)/.exec(running.stdout)?.[1]);
  return {
    running,
    pid: pidOf(running),
    get: async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text(),
  };
}

export function pidOf({ process }: Running): number {
  if (process.pid === undefined) throw new Error("it was not started");
  return process.pid;
}

/** gcspike, attached: what it printed says so. */
export interface Attaching {
  readonly gcspike: Running;
  readonly path: string;
  readonly detach: () => Promise<Ended & { readonly recording: Recording }>;
}

export async function attachTo(pid: number, workplace: Workplace, flags: readonly string[] = []): Promise<Attaching> {
  const path = workplace.path("attached.gcspike");
  const gcspike = startGcspike(["attach", String(pid), "-o", path, ...flags], { cwd: workplace.cwd });
  await gcspike.waitForError("recording ");
  const detach: Attaching["detach"] = async () => {
    gcspike.process.kill("SIGINT");
    const ended = await gcspike.ended;
    return { ...ended, recording: await readRecording(path) };
  };
  return { gcspike, path, detach };
}

/** "ADDRESS port" of what the process listens on. */
export function listening(pid: number): readonly string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ["tcp", "tcp6"].flatMap((table) =>
    parseListeners(readFileSync(`/proc/${pid}/net/${table}`, "utf8"))
      .filter(({ inode }) => sockets.has(inode))
      .map(({ address, port }) => `${address} ${port}`),
  );
}
