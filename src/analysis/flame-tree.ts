/** Stacks as a tree of calls, each with the bytes that were allocated below it: what a flame graph draws. Pure. */

/** Stands at the root. */
export const ROOT = -1;
/** Stands for calls that were left out. */
export const OTHER = -2;
/** What deeper calls allocate counts for the last one in the tree. Recorded stacks end at 64; a forged recording's need not. */
export const MAX_DEPTH = 128;

export interface FlameTree {
  /** A number from the stacks, from 0 on: an index into their frames; or ROOT, or OTHER. */
  readonly frame: number;
  /** Bytes of this call and of all that it called. */
  readonly total: number;
  /** Bytes that it allocated itself. */
  readonly self: number;
  /** Of the total, what was allocated where the optimiser had put the call into its caller. */
  readonly inlined: number;
  /** Most bytes first; OTHER last. */
  readonly children: readonly FlameTree[];
}

export interface WeighedStack {
  /** Root first. */
  readonly frames: ArrayLike<number>;
  readonly bytes: number;
}

export interface TreeOptions {
  /** Of calls and of what stands for others, 2 or more; default: no bound. */
  readonly mostNodes?: number;
  /** For a frame that stands for another one where the optimiser put it into its caller, that other one. */
  readonly inlinedOf?: (frame: number) => number | undefined;
}

/** A call that may come into the tree. */
interface Call {
  readonly frame: number;
  readonly caller: Call | null;
  /** Frames up to this one. */
  readonly depth: number;
  readonly stacks: WeighedStack[];
  total: number;
  inlined: number;
  /** null: it is not in the tree. */
  callees: readonly Call[] | null;
  /** Callees that are not in the tree. */
  missing: number;
}

/**
 * The largest calls of these stacks: what a call in the tree called and that is not in it is one OTHER, so that bytes add up. The
 * same tree for the same stacks in any order. A stack without bytes, or with more than a number can count, is none.
 */
export function flameTree(stacks: Iterable<WeighedStack>, options: TreeOptions = {}): FlameTree {
  const root = callOf(ROOT, null);
  for (const { frames, bytes } of stacks) {
    // Sums of fractions would depend on the order of the stacks.
    const whole = Math.round(bytes);
    if (whole > 0 && Number.isSafeInteger(whole)) addStack(root, { frames, bytes: whole });
  }
  takeLargest(root, options);
  return treeOf(root, root.callees ?? []);
}

function takeLargest(
  root: Call,
  { mostNodes = Number.POSITIVE_INFINITY, inlinedOf = () => undefined }: TreeOptions,
): void {
  // Callers are in the tree, smallest first: what a call calls is not larger than itself.
  const next = [root];
  let nodes = 0;
  for (let call = next.pop(); call !== undefined; call = next.pop()) {
    const callees = calleesOf(call, inlinedOf);
    const completes = call.caller?.missing === 1;
    // Itself and the OTHER below it; the OTHER beside it goes with the last call that it stood for.
    nodes += 1 + (callees.length > 0 ? 1 : 0) - (completes ? 1 : 0);
    if (nodes > mostNodes) break;
    call.callees = callees;
    call.missing = callees.length;
    if (call.caller !== null) call.caller.missing--;
    for (const callee of callees) next.splice(firstNotBelow(next, callee.total), 0, callee);
  }
}

function calleesOf(call: Call, inlinedOf: (frame: number) => number | undefined): readonly Call[] {
  const callees = new Map<number, Call>();
  for (const stack of call.stacks) {
    const called = call.depth < MAX_DEPTH ? stack.frames[call.depth] : undefined;
    if (called === undefined) continue;
    const original = inlinedOf(called);
    const frame = original ?? called;
    const callee = callees.get(frame) ?? callOf(frame, call);
    callees.set(frame, callee);
    addStack(callee, stack);
    if (original !== undefined) callee.inlined += stack.bytes;
  }
  return [...callees.values()].sort(largestFirst);
}

function callOf(frame: number, caller: Call | null): Call {
  const depth = caller === null ? 0 : caller.depth + 1;
  return { frame, caller, depth, stacks: [], total: 0, inlined: 0, callees: null, missing: 0 };
}

function addStack(call: Call, stack: WeighedStack): void {
  call.stacks.push(stack);
  call.total += stack.bytes;
}

const largestFirst = (a: Call, b: Call): number => b.total - a.total || a.frame - b.frame;

/** Calls are in order of their bytes. */
function firstNotBelow(calls: readonly Call[], bytes: number): number {
  let low = 0;
  let high = calls.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((calls[middle]?.total ?? 0) < bytes) low = middle + 1;
    else high = middle;
  }
  return low;
}

function treeOf({ frame, total, inlined }: Call, callees: readonly Call[]): FlameTree {
  const children: FlameTree[] = [];
  let self = total;
  let left = 0;
  for (const callee of callees) {
    self -= callee.total;
    if (callee.callees === null) left += callee.total;
    else children.push(treeOf(callee, callee.callees));
  }
  if (left > 0) children.push({ frame: OTHER, total: left, self: left, inlined: 0, children: [] });
  return { frame, total, self, inlined, children };
}
