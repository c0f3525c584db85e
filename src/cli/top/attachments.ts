/** What `gcspike top` is attached to. Each has a recording of its own, which stays where that was wanted, or where the program ended. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { GcspikeError } from "../../lib/errors.ts";
import { formatBytes, formatMs } from "../../lib/units.ts";
import { type AttachResult, attach } from "../../recorder/attach/attach.ts";
import { shortPath } from "../recording-summary.ts";
import type { News } from "./state.ts";

/** A recording that nobody asked for takes no more of the disk. */
const MOST_BYTES = 512 * 1024 * 1024;

interface Attachment {
  readonly row: string;
  readonly pid: number;
  readonly controller: AbortController;
  isKept: boolean;
  /** Null until something is recorded. */
  folder: string | null;
  /** Why it is let go of, where that was nobody's wish. */
  why: string | null;
  ended: Promise<void>;
}

export interface KeptRecording extends AttachResult {
  readonly pid: number;
}

export class Attachments {
  readonly #news: (news: News) => void;
  readonly #attachments = new Map<string, Attachment>();
  /** One after the other: they may need the same port. */
  #turn: Promise<void> = Promise.resolve();
  readonly kept: KeptRecording[] = [];

  constructor(news: (news: News) => void) {
    this.#news = news;
  }

  /** `row`: what the news are about. The folder is a new one in the current folder. */
  start(row: string, pid: number, isKept: boolean): void {
    const before = this.#turn;
    const ended = Promise.resolve();
    const one: Attachment = { row, pid, controller: new AbortController(), isKept, folder: null, why: null, ended };
    this.#attachments.set(row, one);
    this.#turn = new Promise<void>((free) => {
      one.ended = before.then(() => this.#attach(one, () => free())).finally(() => free());
    });
  }

  keep(row: string): void {
    const one = this.#attachments.get(row);
    if (one !== undefined) one.isKept = true;
  }

  release(row: string): void {
    this.#attachments.get(row)?.controller.abort();
  }

  /** Resolves when all are let go of. */
  async releaseAll(): Promise<void> {
    const all = [...this.#attachments.values()];
    for (const { controller } of all) controller.abort();
    await Promise.all(all.map(({ ended }) => ended));
  }

  /** Where a process that is attached to is recorded. */
  folderOf(row: string): string | null {
    return this.#attachments.get(row)?.folder ?? null;
  }

  /** Lets go of those whose recordings have become large and are to be thrown away. */
  boundDisk(): void {
    for (const one of this.#attachments.values()) {
      if (one.isKept || one.folder === null || bytesOf(one.folder) < MOST_BYTES) continue;
      one.why = `Let go of it: what was recorded for its figures took ${formatBytes(MOST_BYTES)} of disk.`;
      one.controller.abort();
    }
  }

  async #attach(one: Attachment, started: () => void): Promise<void> {
    const { pid, row, controller } = one;
    let note: string | null = null;
    try {
      if (controller.signal.aborted) return;
      const isKept = (programEnded: boolean): boolean => one.isKept || programEnded;
      const result = await attach(
        { pid, signal: controller.signal, isKept },
        {
          started: ({ path }) => {
            one.folder = path;
            this.#news({ is: "attached", row, folder: shortPath(path) });
            started();
          },
        },
      );
      note = one.why ?? this.#noteOf(one, result);
    } catch (error) {
      note = reasonOf(error);
    } finally {
      this.#attachments.delete(row);
      this.#news({ is: "released", row, note });
    }
  }

  #noteOf({ pid, isKept }: Attachment, result: AttachResult): string | null {
    const { programEnded, path, durationMs } = result;
    if (!isKept && !programEnded) return null;
    this.kept.push({ ...result, pid });
    const how = programEnded ? "It ended, and its last" : "Its";
    return `${how} ${formatMs(durationMs)} are in ${shortPath(path)}`;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof GcspikeError)) return String(error);
  // That of `gcspike attach` names an option that is not here.
  const isOfFolder = error.code === "usage" || error.code === "folder";
  const hint = isOfFolder ? "Recordings go into the folder that gcspike top was started in." : error.hint;
  return hint === undefined ? error.message : `${error.message} ${hint}`;
}

/** Of what lies on the disk: logs have room before they have content. */
function bytesOf(folder: string): number {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0);
  } catch {
    // It is being made, or gone.
    return 0;
  }
}
