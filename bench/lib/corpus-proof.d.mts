import type { CorpusProgram } from "./corpus.mjs";

export interface Proof {
  readonly holds: boolean;
  readonly figure: string;
}
export function proveCause(node: string, program: CorpusProgram): Promise<Proof>;
export function proveSites(node: string, program: CorpusProgram): Promise<Proof | null>;
