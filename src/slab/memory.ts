/** Maps a pool's memory as its options ask for. */
import { GcspikeError, usageError } from "../lib/errors.ts";
import { memAvailable } from "../lib/mem-available.ts";
import { formatBytes } from "../lib/units.ts";
import { SlabMemoryError } from "./errors.ts";
import { type Attachment, NativeHugePages, NativeNode, native } from "./native.ts";

export interface MemoryOptions {
  /**
   * Pages of 2 MiB: `require` takes the machine's reserved ones (vm.nr_hugepages) or fails, `try` takes them or else
   * transparent ones, which the kernel gives where it can. `stats()` says what was given. Default `off`.
   */
  readonly hugePages?: "off" | "try" | "require" | undefined;
  /** The NUMA node to prefer: its number, or `local`, the one of the processor that this thread runs on. Default: the system's choice. */
  readonly numaNode?: number | "local" | undefined;
}

/**
 * `isGivenBack`: parts of it will be, while the pool is open. Of a reserved huge page the kernel does not take back a part: it refuses,
 * or (some versions) takes the whole page and what is in use on it.
 * @throws a usage error for options that make no sense, SlabMemoryError where the system does not give the memory
 */
export function mapMemory(bytes: number, isGivenBack: boolean, options: MemoryOptions): Attachment {
  const { hugePages = "off" } = options;
  const node = checkedNode(options.numaNode);
  switch (hugePages) {
    case "off":
      requireRoom(bytes);
      return map(bytes, NativeHugePages.off, node);
    case "require":
      if (!isGivenBack) return map(bytes, NativeHugePages.reserved, node);
      throw usageError(
        "Reserved huge pages cannot go back to the system while a slab pool is open.",
        'Use release "never", or hugePages "try".',
      );
    case "try": {
      const reserved = isGivenBack ? undefined : tryMap(bytes, NativeHugePages.reserved, node);
      if (reserved !== undefined) return reserved;
      requireRoom(bytes);
      return map(bytes, NativeHugePages.transparent, node);
    }
    default:
      throw usageError(`hugePages cannot be "${String(hugePages)}".`, "Choose off, try or require.");
  }
}

/** The system promises more memory than it has, and ends the process when all of it is used. */
function requireRoom(bytes: number): void {
  const limit = process.constrainedMemory();
  const underLimit = limit > 0 ? limit - process.memoryUsage.rss() : Number.POSITIVE_INFINITY;
  const free = Math.max(0, Math.min(underLimit, memAvailable() ?? Number.POSITIVE_INFINITY));
  if (bytes <= free) return;
  throw new SlabMemoryError(
    `The slab pool needs ${formatBytes(bytes)} of memory; ${formatBytes(free)} are free here.`,
    "Open a smaller pool.",
  );
}

function checkedNode(node: MemoryOptions["numaNode"]): number {
  if (node === undefined) return NativeNode.any;
  if (node === "local") return NativeNode.local;
  if (Number.isInteger(node) && node >= 0 && node < 1024) return node;
  throw usageError(`numaNode cannot be ${String(node)}.`, 'Give the number of a node, or "local".');
}

function tryMap(bytes: number, hugePages: number, node: number): Attachment | undefined {
  // Elsewhere the flag does not exist, and plain pages would come.
  if (process.platform !== "linux" && hugePages === NativeHugePages.reserved) return undefined;
  try {
    return native().map(bytes, hugePages, node);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "refused") return undefined;
    throw asOurs(error);
  }
}

function map(bytes: number, hugePages: number, node: number): Attachment {
  const attachment = tryMap(bytes, hugePages, node);
  if (attachment !== undefined) return attachment;
  if (hugePages === NativeHugePages.reserved) {
    throw new SlabMemoryError(
      `There are no reserved huge pages for ${formatBytes(bytes)} here.`,
      `Reserve them (vm.nr_hugepages, ${Math.ceil(bytes / 2 ** 21)} are needed), or use hugePages "try".`,
    );
  }
  throw new SlabMemoryError(`The system does not give ${formatBytes(bytes)} of memory.`, "Open a smaller pool.");
}

function asOurs(error: unknown): unknown {
  if (error instanceof GcspikeError || !(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "pools")
    return usageError("255 slab pools are open in this process.", "Close some, or use one with more classes.");
  if (error.code === "external")
    return new SlabMemoryError(
      "This runtime allows no memory outside of its own heap.",
      "Use a Node without V8's sandbox; Electron has it.",
    );
  return error;
}
