/** Of jstat, what is used here: it has no types of its own. */
declare module "jstat" {
  export const jStat: {
    readonly studentt: {
      /** The quantile of `probability`, 0 to 1. */
      inv(probability: number, degrees: number): number;
    };
  };
}
