/** What a spike and a cause are told with: sites, advice, and the way to a spike's moment. */
import type { Cause, Site, Spike } from "../../analysis/report-types.ts";
import { isOfMachine, siteLocation, sitesHead, sureText } from "../phrases.ts";
import { type Child, h, meter, name } from "./dom.ts";
import { share } from "./format.ts";

/** What the rest of the page does with a spike. */
export interface SpikeActions {
  readonly show: (spike: Spike) => void;
  readonly showAllocations: (spike: Spike) => void;
}

export function block(title: string, ...children: readonly Child[]): HTMLElement {
  return h("div", { class: "block" }, h("h4", {}, title), ...children);
}

/** What the sites are of: `externalShare` and `spikes` as for sitesHead. */
interface SiteScope {
  readonly externalShare: number | null;
  readonly spikes: number;
}

/** The sites with what they are shares of, and whether that is exact; null where there is none. */
export function siteBlock(sites: readonly Site[], scope: SiteScope, most: number): HTMLElement | null {
  if (sites.length === 0) return null;
  const rows = sites
    .slice(0, most)
    .map((site) =>
      h(
        "li",
        {},
        h(
          "span",
          { class: "site" },
          name(site.function === "" ? "(anonymous)" : site.function),
          " ",
          name(siteLocation(site), "where"),
        ),
        h("span", { class: "number" }, share(site.share)),
        meter(site.share),
      ),
    );
  return block(
    "Code behind it",
    h("p", { class: "note" }, sitesHead(sites, scope.externalShare, scope.spikes)),
    h("ul", { class: "rows" }, ...rows),
  );
}

export function adviceBlock(advice: Spike["advice"]): HTMLElement | null {
  if (advice.length === 0) return null;
  const items = advice.map(({ text, flag }) =>
    h("li", {}, flag !== undefined && h("code", {}, flag), flag !== undefined && " ", h("bdi", {}, text)),
  );
  return block("What to try", h("ul", { class: "texts" }, ...items));
}

/** "likely (confidence 0.81)"; what is unknown has none. */
export function confidenceText(cause: Cause, confidence: number): string {
  return cause === "unknown"
    ? "the signals do not decide"
    : `${sureText(confidence)} (confidence ${confidence.toFixed(2)})`;
}

export function causeName(cause: Cause): string {
  if (cause === "unknown") return "cause unknown";
  return isOfMachine(cause) ? `${cause}: the machine, not the code` : cause;
}

export function spikeLink(spike: Spike, actions: SpikeActions, label: string): HTMLAnchorElement {
  const link = h("a", { href: `#${encodeURIComponent(spike.id)}`, "data-spike": spike.id }, h("bdi", {}, label));
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    actions.show(spike);
  });
  return link;
}
