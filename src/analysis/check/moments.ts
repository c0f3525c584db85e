/** Mean and spread of a few numbers. */

/** NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sum of the squared distances from the mean. */
export function squares(values: readonly number[]): number {
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0);
}

/** Standard error of the mean of two values or more. */
export function standardError(values: readonly number[]): number {
  return Math.sqrt(squares(values) / (values.length - 1) / values.length);
}
