/**
 * Rounds numbers one after the other so that their sum is right, too: what rounding takes from one is given to the next.
 */
export class WholeNumbers {
  #carried = 0;

  next(value: number): number {
    const exact = value + this.#carried;
    const rounded = Math.max(0, Math.round(exact));
    this.#carried = exact - rounded;
    return rounded;
  }
}
