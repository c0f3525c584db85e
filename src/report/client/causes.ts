/** Why there were spikes: a block a cause, that of the most time first, what is unknown last. */
import type { CauseSum } from "../../analysis/report-types.ts";
import { knownFirst } from "../phrases.ts";
import { h, meter, section } from "./dom.ts";
import { ms, plural, share } from "./format.ts";
import { adviceBlock, causeName, confidenceText, type SpikeActions, siteBlock, spikeLink } from "./spike-parts.ts";
import type { ReportData } from "./wire.ts";

const MOST_SITES = 3;

function story(sum: CauseSum, spikes: ReportData["spikes"], actions: SpikeActions): HTMLElement | null {
  const longest = spikes.find(({ id }) => id === sum.worstSpike);
  if (longest === undefined) return null;
  return h(
    "p",
    { class: "longest" },
    sum.spikes === 1 ? "" : "The longest: ",
    spikeLink(longest, actions, longest.headline === "" ? longest.kind : longest.headline),
  );
}

function causeItem(sum: CauseSum, wholeMs: number, spikes: ReportData["spikes"], actions: SpikeActions): HTMLElement {
  const { cause, totalMs, confidence } = sum;
  const part = totalMs / wholeMs;
  const details = [siteBlock(sum.sites, sum, MOST_SITES), adviceBlock(sum.advice)].filter((one) => one !== null);
  const isUnknown = cause === "unknown";
  return h(
    "li",
    { class: isUnknown ? "cause unknown" : "cause", "data-cause": cause },
    h(
      "div",
      { class: "spike-size" },
      h("span", { class: "cause-ms" }, ms(totalMs)),
      h("span", { class: "spike-kind" }, `in ${plural(sum.spikes, "spike")}`),
      meter(part),
      h("span", { class: "spike-kind" }, `${share(part)} of their time`),
    ),
    h(
      "div",
      { class: "spike-story" },
      h("h3", {}, causeName(cause)),
      h("p", { class: "inline" }, confidenceText(cause, confidence)),
      story(sum, spikes, actions),
      !isUnknown && details.length > 0 && h("div", { class: "blocks" }, ...details),
    ),
  );
}

/** The section; null where there is no spike. */
export function causeSection({ report, spikes }: ReportData, actions: SpikeActions): HTMLElement | null {
  const { causes } = report;
  if (causes.length === 0) return null;
  const wholeMs = causes.reduce((sum, { totalMs }) => sum + totalMs, 0);
  const items = knownFirst(causes).map((sum) => causeItem(sum, wholeMs, spikes, actions));
  return section("causes", "Causes", h("ol", { class: "causes" }, ...items));
}
