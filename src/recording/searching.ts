/** Two small things that reading scripts and source maps share. */

/** The items by key, in the order in which the keys came first. */
export function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** The first index from 0 to `length` whose value is above `value`; values rise. */
export function firstAbove(length: number, valueAt: (index: number) => number | undefined, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((valueAt(middle) ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
