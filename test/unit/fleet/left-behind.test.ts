import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { removeSurplus, SILENT_MS } from "../../../src/fleet/left-behind.ts";
import { temporaryFolder } from "../../support/cli.ts";

const NOW_MS = Date.parse("2026-11-28T12:00:00Z");
const folders: ReturnType<typeof temporaryFolder>[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function home(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder.path;
}

/** A flight that has ended `minutes` ago, with one dump of so many bytes. */
function ended(into: string, name: string, minutes: number, bytes: number): string {
  const flight = join(into, name);
  mkdirSync(join(flight, "dump.gcspike"), { recursive: true });
  writeFileSync(join(flight, "dump.gcspike", "1-0.gc"), Buffer.alloc(bytes));
  const at = new Date(NOW_MS - minutes * 60_000);
  utimesSync(flight, at, at);
  return flight;
}

const own = (into: string) => join(into, "a-2026-11-28T11-59-00-5.flight");

test("the oldest flights go, and what is not the agent's stays", () => {
  const folder = home();
  ended(folder, "a-2026-11-28T08-00-00-1.flight", 240, 600);
  ended(folder, "a-2026-11-28T09-00-00-2.flight", 180, 600);
  ended(folder, "server-2026-11-28T07-00-00.flight", 300, 600);
  ended(folder, "other", 300, 600);
  removeSurplus(own(folder), 1000, NOW_MS);
  expect(readdirSync(folder).sort()).toEqual([
    "a-2026-11-28T09-00-00-2.flight",
    "other",
    "server-2026-11-28T07-00-00.flight",
  ]);
});

test("a flight that gave a sign a moment ago is left alone, however large", () => {
  const folder = home();
  const flight = ended(folder, "a-2026-11-28T08-00-00-1.flight", 240, 5000);
  ended(folder, "a-2026-11-28T11-00-00-3.flight", 60, 10);
  mkdirSync(join(flight, "ring"));
  const attached = join(flight, "ring", "attached");
  writeFileSync(attached, "1\n");
  const sign = (agoMs: number) => {
    const at = new Date(NOW_MS - agoMs);
    for (const path of [attached, join(flight, "ring")]) utimesSync(path, at, at);
    utimesSync(flight, new Date(0), new Date(0));
  };
  sign(SILENT_MS - 1000);
  removeSurplus(own(folder), 1000, NOW_MS);
  expect(existsSync(flight)).toBe(true);
  sign(SILENT_MS + 1000);
  removeSurplus(own(folder), 1000, NOW_MS);
  expect(existsSync(flight)).toBe(false);
});
