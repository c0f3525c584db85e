import type { Check } from "../analysis/check/check-types.ts";
import { plainText } from "../lib/text.ts";
import { formatBytes } from "../lib/units.ts";
import { budgetText, siteName } from "./check-phrases.ts";

/** Sites of a regression that get an annotation of their own; GitHub shows ten of a step. */
const MOST_SITES = 3;

/**
 * A check as commands of GitHub's workflow log: an error where pauses got worse, at the line behind it where one is known, and a
 * warning where nothing was decided. A line each; "" for a pass.
 * https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
 */
export function githubAnnotations(check: Check): string {
  if (check.verdict === "pass") return "";
  if (check.verdict === "inconclusive") return command("warning", { title: "gcspike: inconclusive" }, check.summary);
  const [first, ...others] = check.sites.slice(0, MOST_SITES);
  const at = first === undefined || first.file === "" ? {} : { file: first.file, line: String(first.line) };
  const exceeded = check.budgets.filter(({ ok, value }) => !ok && value !== null);
  return [
    command("error", { title: "gcspike: regression", ...at }, check.summary),
    ...exceeded.map((budget) => command("error", { title: "gcspike: budget exceeded" }, budgetText(budget))),
    ...others.map((site) =>
      command(
        "notice",
        { title: "gcspike: grew", file: site.file, line: String(site.line) },
        `${siteName(site)}: ${formatBytes(site.baselineBytes)} to ${formatBytes(site.candidateBytes)} a run.`,
      ),
    ),
  ].join("");
}

function command(name: string, properties: Readonly<Record<string, string>>, message: string): string {
  const list = Object.entries(properties).map(
    ([key, value]) => `${key}=${data(plainText(value, 1000)).replaceAll(":", "%3A").replaceAll(",", "%2C")}`,
  );
  return `::${name} ${list.join(",")}::${data(plainText(message, 2000))}\n`;
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
