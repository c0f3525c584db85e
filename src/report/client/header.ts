/** Who, what, when: the command, the machine, whether the recording is whole, and everything doubtful about it. */
import { foremost } from "../../lib/triggers.ts";
import { type Child, h } from "./dom.ts";
import { bytes, isolateKind, moment, ms, plural } from "./format.ts";
import { themeButton, warningBox } from "./page-parts.ts";
import type { Store } from "./store.ts";
import type { ReportData } from "./wire.ts";

type RecordingFacts = ReportData["report"]["recording"];

function startedAt(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

function ending({ exit, complete }: RecordingFacts): string {
  if (exit === null) return complete ? "complete" : "cut: what was recorded until then is here";
  const how = exit.signal !== null ? `ended by ${exit.signal}` : `exit code ${exit.code ?? "unknown"}`;
  return complete ? how : `${how}; cut: what was recorded until then is here`;
}

function machineText({ platform, arch, cpus }: RecordingFacts): string {
  const known = [`${platform} ${arch}`.trim(), cpus === 0 ? "" : plural(cpus, "CPU")].filter((text) => text !== "");
  return known.join(", ") || "unknown";
}

/** Why a flight recorder wrote it. */
function dumpFacts({ dump }: RecordingFacts): readonly (readonly [string, string])[] {
  const why = foremost(dump?.triggers ?? []);
  if (dump === undefined || why === undefined) return [];
  const others = dump.triggers.length - 1 + dump.untold;
  const more = others === 0 ? "" : `, and ${plural(others, "more trigger")}`;
  return [["Dumped for", `${why.trigger} at ${moment(why.atMs)}: ${why.what}${more}`]];
}

function facts(recording: RecordingFacts): HTMLElement {
  const entries: readonly (readonly [string, string, boolean?])[] = [
    ["Recorded", `${startedAt(recording.startedAt)}, ${ms(recording.durationMs)}`],
    ["Ended", ending(recording), !recording.complete],
    ...dumpFacts(recording),
    ["Node", recording.node === "" ? "unknown" : `${recording.node.replace(/^v?/, "v")}, V8 ${recording.v8}`],
    ["Machine", machineText(recording)],
    ["Heap limit", bytes(recording.heapLimitBytes)],
    ["Semi-space", bytes(recording.semiSpaceBytes)],
  ];
  return h(
    "dl",
    { class: "facts" },
    ...entries.map(([term, value, isBad]) =>
      h("div", {}, h("dt", {}, term), h("dd", isBad === true ? { class: "bad" } : {}, h("bdi", {}, value))),
    ),
  );
}

/** The choice of isolate; null where there is only one. */
function isolateSelect(store: Store): HTMLElement | null {
  const { isolates, report } = store.data;
  if (isolates.length < 2) return null;
  const select = h("select", { id: "isolate" });
  for (const { id, name, kind } of isolates) {
    const worst = report.isolates.find((isolate) => isolate.id === id)?.gc.pauses;
    const pauses = worst === undefined ? "" : `, ${plural(worst.count, "pause")}`;
    select.append(h("option", { value: id }, `${name} (${isolateKind(kind)}${pauses})`));
  }
  const update = (): void => {
    select.value = store.state.isolate.id;
  };
  select.addEventListener("change", () => {
    const chosen = isolates[select.selectedIndex];
    if (chosen !== undefined) store.showIsolate(chosen);
  });
  store.subscribe(update);
  update();
  return h("div", { class: "isolate" }, h("label", { for: "isolate" }, "Isolate"), select);
}

export function pageHeader(data: ReportData, store: Store | null): HTMLElement {
  const { recording } = data.report;
  const command = recording.command.join(" ");
  const links: readonly (readonly [string, string])[] = [
    ...(data.report.causes.length === 0 ? [] : [["causes", "Causes"] as const]),
    ["spikes", "Spikes"],
    ["timeline", "Timeline"],
    ["distribution", "Distribution"],
    ["memory", "Memory and loop"],
    ["allocations", "Allocations"],
  ];
  const bar: readonly Child[] = [
    h("span", { class: "brand" }, "gcspike"),
    store !== null &&
      h("nav", { "aria-label": "Sections" }, ...links.map(([id, label]) => h("a", { href: `#${id}` }, label))),
    themeButton(),
  ];
  return h(
    "header",
    {},
    h("div", { class: "top-bar" }, ...bar),
    h("h1", {}, h("bdi", { class: "command" }, command === "" ? data.title : command)),
    facts(recording),
    warningBox(
      recording.warnings,
      recording.warnings.length === 1 ? "One thing to know about this recording" : "What to know about this recording",
    ),
    store === null ? null : isolateSelect(store),
  );
}
