import { expect, test } from "vitest";
import { fromNumaMaps, fromSmaps } from "../../../src/slab/granted.ts";

const SMAPS = `7f0000000000-7f0000200000 rw-p 00000000 00:00 0
Size:               2048 kB
Rss:                1024 kB
AnonHugePages:         0 kB
VmFlags: rd wr
7f0000200000-7f0000600000 rw-p 00000000 00:00 0
Rss:                2048 kB
AnonHugePages:      2048 kB
Private_Hugetlb:    4096 kB
7f0000600000-7f0000700000 rw-p 00000000 00:00 0
Rss:                1024 kB
`;

test("resident and huge pages are those of the mappings inside the stretch", () => {
  expect(fromSmaps(SMAPS, 0x7f0000000000n, 6 * 2 ** 20)).toEqual({
    residentBytes: (1024 + 2048 + 4096) * 1024,
    hugePageBytes: (2048 + 4096) * 1024,
  });
  expect(fromSmaps(SMAPS, 0x7e0000000000n, 1000)).toEqual({ residentBytes: 0, hugePageBytes: 0 });
  expect(fromSmaps(null, 0n, 1)).toEqual({ residentBytes: null, hugePageBytes: null });
});

test("nodes are counted in bytes of their pages", () => {
  const text =
    "7f00 default anon=3 N0=1 N1=2 kernelpagesize_kB=4\n8f00 bind:1 N1=1 kernelpagesize_kB=2048\n9f00 N0=9\n";
  expect(fromNumaMaps(text, 0x7f00n, 0x2000)).toEqual({ 0: 4096, 1: 8192 + 2 ** 21 });
  expect(fromNumaMaps(null, 0n, 1)).toBeNull();
});
