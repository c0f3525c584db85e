/** A baseline that was kept is worth something only where it was made. */
import type { CheckedRun } from "../analysis/check/check.ts";
import { usageError } from "../lib/errors.ts";
import { plainText } from "../lib/text.ts";
import { formatBytes } from "../lib/units.ts";

/** Each has to be the same on both sides. */
const CONDITIONS: readonly ((run: CheckedRun["run"]) => string)[] = [
  ({ node, v8 }) => `Node ${node} (V8 ${v8})`,
  ({ machine }) => `${machine.cpus} x ${machine.cpuModel}`,
  ({ machine }) => formatBytes(machine.memoryBytes),
  ({ machine }) => `${machine.platform} ${machine.arch}`,
];

/** @throws a usage error that names what differs */
export function requireComparable(baseline: readonly CheckedRun[], candidate: CheckedRun): void {
  for (const conditionOf of CONDITIONS) {
    const there = new Set(baseline.map(({ run }) => conditionOf(run)));
    const here = conditionOf(candidate.run);
    const other = [...there].find((text) => text !== here);
    if (other === undefined) continue;
    throw usageError(
      `The baseline was made with ${plainText(other, 100)}, and this is ${plainText(here, 100)}: a difference would say nothing about the code.`,
      "Make a new baseline here, or better compare with a commit, --against REF; --force compares all the same.",
    );
  }
}
