export interface ExpectedSite {
  readonly function: string;
  readonly file: string;
}
export interface Answer {
  readonly cause: string | null;
  readonly contributing: readonly string[];
  readonly sites: readonly ExpectedSite[];
  readonly script: string;
  readonly build?: "tsc" | "bundle";
  readonly flags: readonly string[];
  readonly spike: string;
  readonly calm?: Readonly<Record<string, string>>;
  readonly why: string;
}
export interface CorpusProgram {
  readonly name: string;
  readonly folder: string;
  readonly answer: Answer;
}
export function readCorpus(folder?: string): readonly CorpusProgram[];
export function argumentsOf(
  program: CorpusProgram,
  options?: { readonly minify?: boolean },
): Promise<readonly string[]>;
