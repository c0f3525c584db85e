/**
 * How right reports are about programs whose answer is known. A run is
 *
 *     {program, node, answer, spikes: [{cause, confidence, durationMs, site: {function, file} | null}]}
 *
 * Each program counts alike in every share, however many runs and spikes it has.
 */

/** Verdicts about the machine, and none at all: no program is blamed by them. */
const BLAMELESS = new Set(["unknown", "descheduled", "page-faults"]);
export const NONE = "none";

/** The cause with the most spike time of a run; "none" where it has no spike. */
export function answerOf({ spikes }) {
  const times = new Map();
  for (const { cause, durationMs } of spikes) times.set(cause, (times.get(cause) ?? 0) + durationMs);
  return [...times].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [NONE, 0])[0];
}

/** Is the verdict the program's cause, one that may stand beside it, none ("unknown"), or wrong? */
export function judge({ cause }, answer) {
  if (cause === "unknown") return "unknown";
  if (answer.cause === null) return BLAMELESS.has(cause) ? "right" : "wrong";
  if (cause === answer.cause) return "right";
  return answer.contributing.includes(cause) ? "beside" : "wrong";
}

/** Names of methods may come with their class, or as "get name" and "async name". */
const bareName = (name) => name.split(/[. ]/).at(-1);

const endsWithPath = (file, end) => file === end || file.replaceAll("\\", "/").endsWith(`/${end}`);

export function isExpectedSite(site, { sites }) {
  if (site === null) return false;
  return sites.some(
    ({ function: name, file }) => bareName(site.function) === bareName(name) && endsWithPath(site.file, file),
  );
}

function groupBy(list, key) {
  const groups = new Map();
  for (const entry of list) groups.set(key(entry), [...(groups.get(key(entry)) ?? []), entry]);
  return groups;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const shareOf = (list, isSo) => mean(list.map((entry) => (isSo(entry) ? 1 : 0)));

/** Mean over programs of what `share` says of a program's entries; null without any. */
function overPrograms(entries, share) {
  const shares = [...groupBy(entries, ({ program }) => program).values()].map(share);
  return shares.length === 0 ? null : mean(shares);
}

/** Rows expected, columns answered: programs, where each of a program's runs is its part of one. */
function confusionOf(runs) {
  const table = new Map();
  for (const ofProgram of groupBy(runs, ({ program }) => program).values()) {
    for (const run of ofProgram) {
      const row = table.get(run.answer.cause ?? NONE) ?? new Map();
      table.set(run.answer.cause ?? NONE, row);
      const answered = answerOf(run);
      row.set(answered, (row.get(answered) ?? 0) + 1 / ofProgram.length);
    }
  }
  return table;
}

/** Confidence in tenths: how many spikes are in the bin, and the share of right ones. Verdicts "unknown" claim nothing. */
function calibrationOf(spikes) {
  const bins = groupBy(spikes, ({ confidence }) => Math.min(9, Math.floor(confidence * 10 + 1e-9)));
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([bin, inBin]) => ({
      from: bin / 10,
      to: (bin + 1) / 10,
      spikes: inBin.length,
      confidence: overPrograms(inBin, (own) => mean(own.map(({ confidence }) => confidence))),
      right: overPrograms(inBin, (own) => shareOf(own, ({ judged }) => judged === "right")),
      beside: overPrograms(inBin, (own) => shareOf(own, ({ judged }) => judged === "beside")),
    }));
}

/**
 * {confusion, primaryRight, spikesRight, spikesBeside, sitesRight, confidentlyWrong, quiet, quietBlamed, calibration}: shares are
 * 0..1, or null where there is nothing to share; lists hold spikes with their program and node.
 */
export function score(runs) {
  const faulty = runs.filter(({ answer }) => answer.cause !== null);
  const spikes = runs.flatMap(({ spikes: own, ...run }) =>
    own.map((spike) => ({ ...spike, ...run, judged: judge(spike, run.answer) })),
  );
  const ofFaulty = spikes.filter(({ answer }) => answer.cause !== null);
  const quiet = spikes.filter(({ answer }) => answer.cause === null);
  const withSite = ofFaulty.filter(({ judged, answer }) => judged === "right" && answer.sites.length > 0);
  return {
    confusion: confusionOf(runs),
    primaryRight: overPrograms(faulty, (own) => shareOf(own, (run) => answerOf(run) === run.answer.cause)),
    spikesRight: overPrograms(ofFaulty, (own) => shareOf(own, ({ judged }) => judged === "right")),
    spikesBeside: overPrograms(ofFaulty, (own) => shareOf(own, ({ judged }) => judged === "beside")),
    sitesRight: overPrograms(withSite, (own) => shareOf(own, ({ site, answer }) => isExpectedSite(site, answer))),
    confidentlyWrong: spikes.filter(({ judged, confidence }) => judged === "wrong" && confidence > 0.7),
    quiet,
    quietBlamed: quiet.filter(({ judged }) => judged === "wrong"),
    calibration: calibrationOf(ofFaulty.filter(({ judged }) => judged !== "unknown")),
  };
}
