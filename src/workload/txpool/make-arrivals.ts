/**
 * Makes the arrivals of a run, in a process of its own: `node make-arrivals.js FOLDER MOST --tps ...`. Stays up to MOST files
 * ahead of whoever reads and removes them ("Infinity": makes all), and ends with the process that started it, whose end of stdin
 * it watches.
 */
import { readdirSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type FlagWords, textOptions } from "../flags.ts";
import { ArrivalWriter } from "./arrivals.ts";
import { parseTxpool, TXPOOL_FLAGS } from "./options.ts";
import { Traffic } from "./traffic.ts";

const LOOK_EVERY_MS = 50;

async function makeArrivals(folder: string, most: number, words: FlagWords): Promise<void> {
  const options = parseTxpool(words);
  const traffic = new Traffic(options);
  const writer = new ArrivalWriter(folder);
  while (traffic.next()) {
    const { atMs, sender, bytes, start, end } = traffic.arrival;
    if (!writer.add(atMs, sender, bytes, start, end)) continue;
    await setImmediate();
    while (readdirSync(folder).length >= most) await setTimeout(LOOK_EVERY_MS);
  }
  writer.end();
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: textOptions(TXPOOL_FLAGS),
});
// Whoever started this is gone: nobody will read what it makes.
process.stdin.on("close", () => process.exit()).resume();
const [folder = "", most] = positionals;
await makeArrivals(folder, Number(most), values as FlagWords);
process.exit();
