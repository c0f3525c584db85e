/**
 * V8's own account of its collections: the lines that `--trace-gc` prints on the target's stdout, one a collection.
 *
 *     [4121:0xba41ce0]      450 ms: Mark-Compact 41.3 (69.0) -> 33.3 (66.9) MB, pooled: 0 MB, 21.11 / 0.01 ms
 *         (+ 9.3 ms in 57 steps since start of marking, ...) ... finalize incremental marking via task; ...
 *
 * `pooled` is there from Node 22 on; Node 26 calls a collection that was marked in steps "Incremental Mark-Compact". The text
 * is the target's stdout, so a line may stand behind a word of the target's own.
 */

const LINE =
  /\[(\d+):(0x[0-9a-f]+)(?::\d+)?\] +(\d+) ms: (?:Incremental )?(Scavenge|Minor Mark-[A-Z][a-z]+|Mark-Compact|Mark-sweep)(?: \([a-z -]+\))* [\d.]+ \([\d.]+\) -> [\d.]+ \([\d.]+\) MB, (?:pooled: [\d.]+ MB, )?([\d.]+) \/ [\d.]+ ms +(?:\(\+ ([\d.]+) ms in \d+ steps since start of marking)?/g;

const KINDS = { Scavenge: "scavenge", "Mark-Compact": "mark-compact", "Mark-sweep": "mark-compact" };

/**
 * Collections in order of printing: the process and the isolate's address, milliseconds since the isolate began, kind, pause
 * (two decimals), and the main thread's marking steps before it (one decimal; 0 where it was not marked in steps).
 */
export function parseTraceGc(text) {
  return Array.from(text.matchAll(LINE), ([, pid, isolate, at, name, pause, steps]) => ({
    pid: Number(pid),
    isolate,
    atMs: Number(at),
    kind: KINDS[name] ?? "minor-mark-sweep",
    pauseMs: Number(pause),
    stepsMs: Number(steps ?? 0),
  }));
}

/** Pauses in milliseconds, whether --trace-gc printed them or --trace-gc-nvp (name=value, and JSON from Node 26 on). */
export function pausesPrinted(text) {
  const named = text.matchAll(/ ms: (?:pause=|GC: \{"pause":)([\d.]+)/g);
  return [...parseTraceGc(text).map((entry) => entry.pauseMs), ...Array.from(named, ([, pause]) => Number(pause))];
}

/** Lines that look like a collection and were not understood: a format that this parser does not know. */
export function unknownLines(text) {
  const lines = text.split("\n").filter((line) => /\[\d+:0x[0-9a-f]+(?::\d+)?\] +\d+ ms: .* MB, /.test(line));
  return lines.filter((line) => parseTraceGc(`${line}\n`).length === 0);
}

/**
 * Pairs of indices into two sequences of collections of one isolate: as many pairs of equal `kind` as the order allows, and among
 * those the ones with the least `distance(truth, seen)`. Entries of `truth` without a partner are missing from `seen`.
 * Time and memory grow with the product of the lengths: a few thousand collections are fine.
 */
export function pairCollections(truth, seen, distance) {
  const width = seen.length + 1;
  const best = new Float64Array((truth.length + 1) * width);
  // Above 1 for two that may be the same, so that pairs count first and their distance second.
  const likeness = (a, b) => (a.kind === b.kind ? 1 + 1e-4 / (1 + distance(a, b)) : Number.NEGATIVE_INFINITY);
  const step = (i, j) => best[(i - 1) * width + j - 1] + likeness(truth[i - 1], seen[j - 1]);
  for (let i = 1; i <= truth.length; i++) {
    for (let j = 1; j <= seen.length; j++) {
      best[i * width + j] = Math.max(best[(i - 1) * width + j], best[i * width + j - 1], step(i, j));
    }
  }
  const pairs = [];
  for (let i = truth.length, j = seen.length; i > 0 && j > 0; ) {
    if (best[i * width + j] === step(i, j)) pairs.push([--i, --j]);
    else if (best[i * width + j] === best[(i - 1) * width + j]) i--;
    else j--;
  }
  return pairs.reverse();
}
