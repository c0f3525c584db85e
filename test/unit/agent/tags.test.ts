/** Tags of several recordings in one isolate. */
import { AsyncLocalStorage } from "node:async_hooks";
import { performance } from "node:perf_hooks";
import { expect, test } from "vitest";
import { startTags } from "../../../src/agent/tags.ts";

const storage = new AsyncLocalStorage<string>();

function replaceable(): readonly unknown[] {
  const { run, enterWith } = AsyncLocalStorage.prototype;
  return [performance.mark, performance.measure, run, enterWith];
}

/** What a recording gets: a record for a tag, and one for a name that is new. */
function recording(): { readonly texts: string[]; readonly stop: () => void } {
  const texts: string[] = [];
  const append = (record: Uint8Array): boolean => {
    texts.push(Buffer.from(record).toString("latin1"));
    return true;
  };
  return { texts, stop: startTags(append, false) };
}

test.each([
  ["first", 0],
  ["last", 1],
])("the one that came %s may end first: each has what happened while it was there", (_which, leaving) => {
  const own = replaceable();
  const both = [recording(), recording()] as const;
  performance.mark("while both");
  storage.run("context of both", () => {});
  const [left, right] = leaving === 0 ? both : [both[1], both[0]];
  left.stop();
  performance.mark("while one");
  storage.run("context of one", () => {});
  right.stop();
  expect(replaceable().map((value, index) => value === own[index])).toEqual([true, true, true, true]);
  performance.mark("while none");
  for (const { texts } of both) {
    expect(texts.join()).toContain("while both");
    expect(texts.join()).toContain("context of both");
    expect(texts.join()).not.toContain("while none");
  }
  for (const text of ["while one", "context of one"]) {
    expect(right.texts.join()).toContain(text);
    expect(left.texts.join()).not.toContain(text);
  }
});
