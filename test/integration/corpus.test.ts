/**
 * The corpus is what its answers say: each is complete, and of some programs V8's own traces show the fault.
 * `node bench/corpus-proof.mjs` shows it of all, on every Node version.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCorpus } from "../../bench/lib/corpus.mjs";
import { proveCause, proveSites } from "../../bench/lib/corpus-proof.mjs";
import { ROOT } from "../support/cli.ts";

const corpus = readCorpus();
const schema = JSON.parse(readFileSync(join(ROOT, "docs", "report.schema.json"), "utf8"));
const causes: readonly string[] = schema.$defs.cause.enum.filter((cause: string) => cause !== "unknown");

const sourcesOf = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => /\.(?:[cm]?js|ts)$/.test(name));

test("every cause has two programs or more, and there are four quiet ones", () => {
  const count = (cause: string | null): number => corpus.filter(({ answer }) => answer.cause === cause).length;
  expect(causes.filter((cause) => count(cause) < 2)).toEqual([]);
  expect(count(null)).toBeGreaterThanOrEqual(4);
});

describe.each(corpus)("$name", ({ name, folder, answer }) => {
  const sources = sourcesOf(folder);

  test("has an answer that says what it has to", () => {
    for (const cause of [...answer.contributing, ...(answer.cause === null ? [] : [answer.cause])])
      expect(causes).toContain(cause);
    expect(answer.contributing).not.toContain(answer.cause);
    expect(answer.why.length).toBeGreaterThan(20);
    expect(sources).toContain(answer.script);
    const own = answer.sites.filter(({ file }) => sources.includes(file));
    for (const site of own)
      expect(readFileSync(join(folder, site.file), "utf8")).toMatch(new RegExp(`\\b${site.function}\\b`));
    // What is not the program's own is a library's.
    if (answer.sites.length > own.length)
      expect(sources.some((file) => /from "@/.test(readFileSync(join(folder, file), "utf8")))).toBe(true);
  });

  test("gives nothing away by its names", () => {
    const words = /leak|surviv|promot|retain|culprit|innocent|\bgarbage|pressure|compact|fragment|evacuat/i;
    for (const file of sources) {
      const text = readFileSync(join(folder, file), "utf8");
      expect([name, file, text.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "")].filter((part) => words.test(part))).toEqual([]);
    }
  });
});

describe("by V8's own account", () => {
  const program = (name: string) => {
    const found = corpus.find((entry) => entry.name === name);
    if (found === undefined) throw new Error(`no program ${name}`);
    return found;
  };

  test.each(["session-store", "thumbnails", "tidy-up", "chat-bot"])("%s has its fault", async (name) => {
    const proof = await proveCause(process.execPath, program(name));
    expect(proof).toEqual({ holds: true, figure: proof.figure });
  });

  test.each(["edge-cache", "thumbnails"])("in %s the function that is named has the bytes", async (name) => {
    const proof = await proveSites(process.execPath, program(name));
    expect(proof).toEqual({ holds: true, figure: proof?.figure });
  });
});
