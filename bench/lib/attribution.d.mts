import type { Answer, ExpectedSite } from "./corpus.mjs";

export interface SpikeVerdict {
  readonly cause: string;
  readonly confidence: number;
  readonly durationMs: number;
  readonly site: ExpectedSite | null;
}
export interface AttributionRun {
  readonly program: string;
  readonly node: string;
  readonly answer: Pick<Answer, "cause" | "contributing" | "sites">;
  readonly spikes: readonly SpikeVerdict[];
}
export type Judgement = "right" | "beside" | "unknown" | "wrong";
export type JudgedSpike = SpikeVerdict & {
  readonly program: string;
  readonly node: string;
  readonly judged: Judgement;
};
export interface Score {
  readonly confusion: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly primaryRight: number | null;
  readonly spikesRight: number | null;
  readonly spikesBeside: number | null;
  readonly sitesRight: number | null;
  readonly confidentlyWrong: readonly JudgedSpike[];
  readonly quiet: readonly JudgedSpike[];
  readonly quietBlamed: readonly JudgedSpike[];
  readonly calibration: readonly {
    readonly from: number;
    readonly to: number;
    readonly spikes: number;
    readonly confidence: number;
    readonly right: number;
    readonly beside: number;
  }[];
}
export const NONE: "none";
export function answerOf(run: Pick<AttributionRun, "spikes">): string;
export function judge(spike: Pick<SpikeVerdict, "cause">, answer: Pick<Answer, "cause" | "contributing">): Judgement;
export function isExpectedSite(site: ExpectedSite | null, answer: Pick<Answer, "sites">): boolean;
export function score(runs: readonly AttributionRun[]): Score;
