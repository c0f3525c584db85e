/**
 * Makes the arrivals of a run, in a process of its own: `node make-arrivals.js FOLDER --tps ...`. Stays some files ahead of
 * whoever reads and removes them, and ends with the process that started it, whose end of stdin it watches.
 */
import { readdirSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type FlagWords, textOptions } from "../flags.ts";
import { ArrivalWriter, MOST_FILES } from "./arrivals.ts";
import { parseTxpool, TXPOOL_FLAGS } from "./options.ts";
import { Traffic } from "./traffic.ts";

const LOOK_EVERY_MS = 50;

async function makeArrivals(folder: string, words: FlagWords): Promise<void> {
  const options = parseTxpool(words);
  const traffic = new Traffic(options);
  const writer = new ArrivalWriter(folder);
  while (traffic.next()) {
    const { atMs, sender, bytes, start, end } = traffic.arrival;
    if (!writer.add(atMs, sender, bytes, start, end)) continue;
    await setImmediate();
    while (readdirSync(folder).length >= MOST_FILES) await setTimeout(LOOK_EVERY_MS);
  }
  writer.end();
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: textOptions(TXPOOL_FLAGS),
});
// Whoever started this is gone: nobody will read what it makes.
process.stdin.on("close", () => process.exit()).resume();
await makeArrivals(positionals[0] ?? "", values as FlagWords);
process.exit();
