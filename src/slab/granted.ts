/** What the system really granted for a stretch of memory, read from the system. Linux only. */
import { readFileSync } from "node:fs";

export interface Granted {
  /** In memory now; null where the system does not tell. */
  readonly residentBytes: number | null;
  /** Of these on pages of 2 MiB, reserved or transparent. */
  readonly hugePageBytes: number | null;
  /** Resident bytes by NUMA node; null where the kernel has no NUMA. */
  readonly nodes: Readonly<Record<string, number>> | null;
}

export function granted(address: bigint, bytes: number): Granted {
  const figures = fromSmaps(read("/proc/self/smaps"), address, bytes);
  return { ...figures, nodes: fromNumaMaps(read("/proc/self/numa_maps"), address, bytes) };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}

const HEADER = /^([0-9a-f]+)-([0-9a-f]+) /;
const FIELD = /^(\w+):\s+(\d+) kB/;

/** Of /proc/PID/smaps: mappings inside the stretch. Exported for tests. */
export function fromSmaps(
  text: string | null,
  address: bigint,
  bytes: number,
): Pick<Granted, "residentBytes" | "hugePageBytes"> {
  if (text === null) return { residentBytes: null, hugePageBytes: null };
  const sums = { Rss: 0, AnonHugePages: 0, Private_Hugetlb: 0, Shared_Hugetlb: 0 };
  let isInside = false;
  for (const line of text.split("\n")) {
    const header = HEADER.exec(line);
    if (header !== null) {
      const from = BigInt(`0x${header[1]}`);
      isInside = from >= address && from < address + BigInt(bytes);
      continue;
    }
    if (!isInside) continue;
    const [, name = "", kib = "0"] = FIELD.exec(line) ?? [];
    if (name in sums) sums[name as keyof typeof sums] += Number(kib) * 1024;
  }
  // Reserved huge pages are not in Rss.
  const reserved = sums.Private_Hugetlb + sums.Shared_Hugetlb;
  return { residentBytes: sums.Rss + reserved, hugePageBytes: sums.AnonHugePages + reserved };
}

/** Of /proc/PID/numa_maps: "7f00 default anon=512 dirty=512 N0=512 kernelpagesize_kB=4". Exported for tests. */
export function fromNumaMaps(text: string | null, address: bigint, bytes: number): Granted["nodes"] {
  if (text === null) return null;
  const nodes: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const start = /^[0-9a-f]+/.exec(line)?.[0];
    if (start === undefined) continue;
    const from = BigInt(`0x${start}`);
    if (from < address || from >= address + BigInt(bytes)) continue;
    const pageBytes = Number(/kernelpagesize_kB=(\d+)/.exec(line)?.[1] ?? "4") * 1024;
    for (const [, node = "", pages] of line.matchAll(/\bN(\d+)=(\d+)/g)) {
      nodes[node] = (nodes[node] ?? 0) + Number(pages) * pageBytes;
    }
  }
  return nodes;
}
