/**
 * A process of its own that opens a program's inspector, evaluates and closes it: whatever happens to gcspike meanwhile, no port stays
 * open. A line of JSON on stdin says what to do, a line on stdout what became of it (protocol in load.ts).
 */
import { createInterface } from "node:readline";
import { GcspikeError } from "../../lib/errors.ts";
import { evaluateIn } from "./inspector.ts";
import type { Job, Outcome } from "./load.ts";

async function outcomeOf({ target, expression }: Job): Promise<Outcome> {
  try {
    return { evaluated: await evaluateIn(target, expression) };
  } catch (error) {
    if (error instanceof GcspikeError) return { failure: { message: error.message, hint: error.hint ?? "" } };
    const reason = error instanceof Error ? error.message : String(error);
    return { failure: { message: `Process ${target.pid} cannot be attached to: ${reason}.`, hint: "Try again." } };
  }
}

// Nobody may read any more.
process.stdout.on("error", () => process.exit());
const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => {
  lines.close();
  void outcomeOf(JSON.parse(line) as Job).then((outcome) => {
    process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit());
  });
});
