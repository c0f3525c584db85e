/** How a flame tree travels inside the HTML file. Both ends stand here, as in wire.ts. */
import { type FlameTree, OTHER } from "../../analysis/flame-tree.ts";

/** The calls of a tree, each before those that it called. Its bytes are its own and those of all behind it that are deeper. */
export interface FlameColumns {
  /** FlameTree.frame */
  readonly frame: Int32Array;
  /** 0 for the root. */
  readonly depth: Uint8Array;
  /** FlameTree.self */
  readonly self: Float64Array;
  /** FlameTree.inlined */
  readonly inlined: Float64Array;
}

export function flattenTree(tree: FlameTree): FlameColumns {
  const calls: { readonly node: FlameTree; readonly depth: number }[] = [];
  const add = (node: FlameTree, depth: number): void => {
    calls.push({ node, depth });
    for (const child of node.children) add(child, depth + 1);
  };
  add(tree, 0);
  return {
    frame: Int32Array.from(calls, ({ node }) => node.frame),
    depth: Uint8Array.from(calls, ({ depth }) => depth),
    self: Float64Array.from(calls, ({ node }) => node.self),
    inlined: Float64Array.from(calls, ({ node }) => node.inlined),
  };
}

export function growTree({ frame, depth, self, inlined }: FlameColumns): FlameTree {
  let next = 0;
  const grow = (): FlameTree => {
    const at = next++;
    const own = self[at] ?? 0;
    const children: FlameTree[] = [];
    while ((depth[next] ?? 0) > (depth[at] ?? 0)) children.push(grow());
    const total = children.reduce((sum, child) => sum + child.total, own);
    return { frame: frame[at] ?? OTHER, total, self: own, inlined: inlined[at] ?? 0, children };
  };
  return grow();
}
