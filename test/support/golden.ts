/** Golden files: what a renderer must print, under fixtures/golden. `UPDATE_GOLDENS=1 npx vitest run` rewrites them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "../../fixtures/golden");

/** Compares bytes with fixtures/golden/`name`; with UPDATE_GOLDENS=1 writes them there. */
export function expectGolden(name: string, actual: Uint8Array): void {
  const path = join(FOLDER, name);
  if (process.env.UPDATE_GOLDENS === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  expect(new TextDecoder().decode(actual)).toBe(readFileSync(path, "utf8"));
}
