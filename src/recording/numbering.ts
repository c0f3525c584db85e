/** Gives each distinct key the next number, from 0 on. */
export interface Numbering<K, T> {
  /** By number. */
  readonly values: readonly T[];
  /** The number of `key`; `make` is called for one that is new. */
  number(key: K, make: () => T): number;
}

export function numbering<K, T>(): Numbering<K, T> {
  const numbers = new Map<K, number>();
  const values: T[] = [];
  return {
    values,
    number(key, make) {
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, values.length);
      return values.push(make()) - 1;
    },
  };
}
