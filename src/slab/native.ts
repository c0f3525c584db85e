/** The addon native/slab-pool: memory that JavaScript's collector does not know, mapped and given back. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { machineName, slabPoolFileName } from "../lib/native-file.ts";
import { packageRoot } from "../lib/package.ts";
import { SlabMemoryError } from "./errors.ts";

/** A pool's memory as one isolate has it. */
export interface Attachment {
  /** Names the pool in this process. */
  readonly pool: number;
  /** 1 to 255: tells the handles of pools apart. */
  readonly tag: number;
  /** Names this opening in this process. */
  readonly serial: number;
  readonly address: bigint;
  readonly buffer: ArrayBuffer;
}

/** Codes of HugePages in mapping.h. */
export const NativeHugePages = { off: 0, transparent: 1, reserved: 2 } as const;
/** The kernel's own policy; the node of the processor that this thread runs on. */
export const NativeNode = { any: -1, local: -2 } as const;

export interface Native {
  readonly pageBytes: number;
  /** Throws an error with `code` "refused" where the system does not give the memory, "pools" where 255 pools are open. */
  map(bytes: number, hugePages: number, node: number): Attachment;
  /** Undefined where no isolate has the pool open any more. */
  attach(pool: number): Attachment | undefined;
  /** Views over the buffer have no bytes from here on. */
  detach(serial: number, buffer: ArrayBuffer): void;
  isAttached(serial: number): boolean;
  /** Gives pages back now. */
  release(pool: number, offset: number, length: number): void;
  /** Gives them back on a thread of its own, when this thread's loop waits for events. */
  queueRelease(pool: number, serial: number, offset: number, length: number): void;
  pendingReleases(serial: number): number;
  /** How many of the queued ranges, the last ones, were not given back and will not be. */
  withdrawReleases(serial: number): number;
}

let loaded: Native | undefined;

/** @throws SlabMemoryError where this package has no binary that loads here */
export function native(): Native {
  if (loaded !== undefined) return loaded;
  const path = join(packageRoot(), "prebuilds", slabPoolFileName(machineName()));
  if (!existsSync(path)) {
    throw new SlabMemoryError(
      `There is no slab pool for ${process.platform} on ${process.arch}: ${path} is missing.`,
      "gcspike doctor compiles it where there is a C++ compiler.",
    );
  }
  try {
    loaded = createRequire(import.meta.url)(path) as Native;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new SlabMemoryError(`The slab pool does not load here: ${reason}.`, "Install gcspike again on this machine.");
  }
  return loaded;
}
