import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readBounded } from "../../../src/recording/bounded-file.ts";

const folder = mkdtempSync(join(tmpdir(), "gcspike-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([0, 1, 65_535, 65_536, 65_537, 200_000])("a file of %i bytes is read whole up to its bound", (size) => {
  const path = join(folder, `${size}`);
  const content = Buffer.alloc(size, "abc");
  writeFileSync(path, content);
  expect(readBounded(path, 200_000)).toEqual(content);
  if (size > 0) expect(readBounded(path, size - 1)).toMatch(/^larger than/);
});

test.skipIf(!existsSync("/proc/self/smaps"))("a file that says it is empty, and is not, is bounded too", () => {
  expect(readBounded("/proc/self/smaps", 1024)).toBe("larger than 1 KiB");
});
