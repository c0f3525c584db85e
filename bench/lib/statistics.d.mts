export function median(values: readonly number[]): number;
export function quantile(values: readonly number[], q: number): number;
export function medianInterval(
  values: readonly number[],
  resamples?: number,
): { readonly median: number; readonly low: number; readonly high: number };
export function seededRandom(seed?: number): () => number;
