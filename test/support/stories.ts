/** Recordings that the renderers' goldens show: one a story. */
import type { Frame, Recording } from "../../src/recording/model.ts";
import { allocations, frame, isolate, recording, tagColumns } from "./timeline.ts";

const orders = allocations([
  {
    stack: "(root) > listen@server.js:3 > handle@src/orders.js:12 > hydrateSession@src/session.js:48",
    bytes: [9e6, 12e6],
  },
  { stack: "(root) > listen@server.js:3 > handle@src/orders.js:12 > slice@node:buffer:600", bytes: [3e6, 1e6] },
  { stack: "(root) > (GC)", bytes: [2e5, 1e5] },
]);

/** Everything that can go through a name: terminal escapes, Markdown, HTML, links, line breaks, direction, a lone surrogate. */
const HOSTILE =
  "\u001b[31mred\u001b]0;title\u0007\u009b2J|`x`*_[a](http://e.vil)<img src=x onerror=alert(1)>&amp;\r\n# h\n@all www.e.vil \u202egnp\ud800~~";

const hostileFrame: Frame = { function: HOSTILE, file: HOSTILE, line: 7, column: 1, origin: "user" };

export const STORIES: Readonly<Record<string, () => Recording>> = {
  /** A server with a slow mark-compact, a run of steps, and a worker. */
  server: () =>
    recording(
      [
        isolate("--s.-s-.i.=====.====.M.-s--s-----", {
          durationMs: { 1: 14 },
          allocations: orders,
          triggerStack: [frame("hydrateSession@src/session.js:48"), frame("handle@src/orders.js:12")],
        }),
        isolate("--s-s---s--M---s", { threadId: 1, name: "image-worker", startMs: 50 }),
      ],
      { exit: { code: null, signal: "SIGINT" } },
    ),
  /** Nothing was collected. */
  quiet: () => recording("----"),
  /** No Node.js process started. */
  nothing: () => recording([]),
  /** perf_hooks: times only, no phases, and the program died in a collection. */
  portable: () =>
    recording(
      [
        isolate("--s--s--M--s", {
          collector: "perf_hooks",
          phases: false,
          openPause: { startMs: 851, kind: "mark-compact" },
          warnings: [
            {
              code: "no-probe",
              message: "No probe binary loads here (ABI 999), so pauses come from perf_hooks.",
              hint: "gcspike doctor says why.",
            },
          ],
        }),
      ],
      { complete: false, exit: { code: null, signal: "SIGABRT" } },
    ),
  /** A minute of requests, of which one kind makes the spike, with names as anybody may give them. */
  tagged: () =>
    recording([
      isolate(`${"-".repeat(300)}M${"-".repeat(300)}`, {
        tags: tagColumns([
          { name: "GET /health", at: Array.from({ length: 600 }, (_, i) => i * 100), source: "http" },
          { name: "GET /report/:id", at: [5e3, 20e3, 27.5e3, 28e3, 28.4e3, 29e3, 29.5e3, 45e3], source: "http" },
          { name: HOSTILE, at: [29_800, 29_900] },
          { name: "nightly", at: [20_000], durationMs: 15_000, source: "measure" },
          { name: "", at: [29_999], source: "mark" },
        ]),
      }),
    ]),
  /** Every name is hostile. */
  hostile: () =>
    recording(
      [
        isolate("--s--M--s", {
          name: HOSTILE,
          allocations: { ...allocations([{ stack: "name", bytes: [1e6] }]), frames: [hostileFrame] },
          triggerStack: [hostileFrame],
          warnings: [{ code: "hostile", message: `A warning of ${HOSTILE}`, hint: HOSTILE }],
        }),
      ],
      { command: ["node", HOSTILE], path: `/tmp/${HOSTILE.replaceAll("/", "")}.gcspike` },
    ),
};
