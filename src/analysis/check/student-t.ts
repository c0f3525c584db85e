import { jStat } from "jstat";

/** The value that Student's t with `degrees` of freedom exceeds with a probability of `risk`, which is below 0.5. */
export function tCritical(risk: number, degrees: number): number {
  return -jStat.studentt.inv(risk, degrees);
}
