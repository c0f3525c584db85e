/** The allocation flame graph as a picture: root above, callees below, as wide as the bytes they allocated. */
import type { ChartDataset, Plugin } from "chart.js";
import { type FlameTree, flameTree } from "../../analysis/flame-tree.ts";
import { formatBytes, formatShare } from "../../lib/units.ts";
import type { AllocationView } from "../view-model.ts";
import { type Drawing, FLAME_COLOURS, FONT_FAMILY, INK, plainText } from "./style.ts";

type Origin = AllocationView["frames"][number]["origin"];

export interface Box {
  readonly name: string;
  readonly origin: Origin;
  readonly depth: number;
  /** Shares of the whole width, 0..1. */
  readonly from: number;
  readonly to: number;
}

const ROW = 21;
const NARROWEST = 1;
const NARROWEST_TEXT = 26;
const INSET = 4;
/** From this share on, a function's only callee is the same picture once more. */
const WHOLE = 0.98;

function treeOf({ frames, stacks, windows }: AllocationView): FlameTree {
  const sums = new Map<number, number>();
  for (const { stack, bytes } of windows.flatMap((window) => window.stacks)) {
    sums.set(stack, (sums.get(stack) ?? 0) + bytes);
  }
  return flameTree(
    Array.from(sums, ([stack, bytes]) => ({ frames: stacks[stack] ?? [], bytes })),
    { inlinedOf: (frame) => frames[frame]?.inlinedOf },
  );
}

/** The place where the stacks part: all above it is one column. */
function whereStacksPart(root: FlameTree): FlameTree {
  let at = root;
  for (;;) {
    const [largest] = at.children;
    if (largest === undefined || largest.children.length === 0 || largest.total < root.total * WHOLE) return at;
    at = largest;
  }
}

/** The boxes of `rows` rows that are at least `narrowest` wide, from where the stacks part; callees by size. */
export function flameBoxes(allocations: AllocationView, rows: number, narrowest: number): readonly Box[] {
  const top = whereStacksPart(treeOf(allocations));
  const boxes: Box[] = [];
  const place = (tree: FlameTree, depth: number, from: number): void => {
    const width = tree.total / top.total;
    if (depth >= rows || !(width >= narrowest)) return;
    const frame = allocations.frames[tree.frame];
    boxes.push({
      name: frame === undefined ? "all allocations" : plainText(frame.name, 60),
      origin: frame?.origin ?? "native",
      depth,
      from,
      to: from + width,
    });
    let at = from;
    for (const child of tree.children) {
      place(child, depth + 1, at);
      at += child.total / top.total;
    }
  };
  if (top.total > 0) place(top, 0, 0);
  return boxes;
}

function drawBoxes(allocations: AllocationView): Plugin<"bar" | "line"> {
  return {
    id: "flame",
    afterDraw({ ctx, chartArea: { left, top, width, height } }) {
      ctx.save();
      ctx.font = `12px "${FONT_FAMILY}"`;
      ctx.textBaseline = "middle";
      const letter = ctx.measureText("m").width * 0.75;
      for (const box of flameBoxes(allocations, Math.floor(height / ROW), NARROWEST / width)) {
        const x = left + box.from * width;
        const y = top + box.depth * ROW;
        const boxWidth = (box.to - box.from) * width;
        ctx.fillStyle = FLAME_COLOURS[box.origin];
        ctx.fillRect(x, y, Math.max(boxWidth - 1, NARROWEST), ROW - 1);
        if (boxWidth < NARROWEST_TEXT) continue;
        ctx.fillStyle = INK;
        ctx.fillText(plainText(box.name, Math.floor((boxWidth - 2 * INSET) / letter)), x + INSET, y + ROW / 2);
      }
      ctx.restore();
    },
  };
}

const LEGEND: Readonly<Record<Exclude<Origin, "gcspike">, string>> = {
  user: "code of the program and its packages",
  node: "Node's own JavaScript",
  native: "native",
};

/** Of all windows together; the sites are those of the report. */
export function flame(name: string, allocations: AllocationView | null): Drawing {
  const total = allocations?.windows.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
  const legend = Object.entries(LEGEND).map(
    ([origin, label]) =>
      ({
        type: "bar",
        label,
        data: [],
        backgroundColor: FLAME_COLOURS[origin as Origin],
        pointStyle: "rect",
      }) as ChartDataset<"bar">,
  );
  const own = total > 0 && allocations !== null ? ownBytes(allocations) / total : 0;
  return {
    title: `Allocations: ${name}`,
    subtitle: total > 0 ? `${formatBytes(total)} sampled, ${formatShare(own)} of them below code of the program` : "",
    datasets: total > 0 ? legend : [],
    // Nothing is drawn of them: there are no data sets with data.
    scales: { x: { type: "linear" }, y: { type: "linear" } },
    empty: total > 0 ? null : "No allocations were sampled.",
    plugins: allocations === null ? [] : [drawBoxes(allocations)],
  };
}

/** Bytes of stacks that hold code of the program. */
function ownBytes({ frames, stacks, windows }: AllocationView): number {
  const isOwn = stacks.map((stack) => stack.some((frame) => frames[frame]?.origin === "user"));
  return windows
    .flatMap((window) => window.stacks)
    .reduce((sum, { stack, bytes }) => sum + (isOwn[stack] ? bytes : 0), 0);
}
