/** Sends metrics to an OpenTelemetry receiver, over HTTP. */
import type { ExportInput } from "../export/export-input.ts";
import { GcspikeError, usageError } from "../lib/errors.ts";
import { fetchFailure, readUpTo } from "../lib/http.ts";
import { plainText, plural } from "../lib/text.ts";

const PATH = "/v1/metrics";
const TIMEOUT_MS = 10_000;
/** An answer is some hundred bytes. */
const MOST_ANSWER_BYTES = 64 * 1024;

export interface Sent {
  readonly url: string;
  readonly processes: number;
}

/** @throws a usage error for what is no HTTP address; GcspikeError where the receiver is not there or does not take it */
export async function sendOtlp(endpoint: string, input: ExportInput): Promise<Sent> {
  const url = metricsUrl(endpoint);
  const { exportOtlpRequests, rejectedPoints } = await import("../export/otlp.ts");
  const requests = exportOtlpRequests(input);
  for (const body of requests) {
    const { count, why } = rejectedPoints(await post(url, body));
    if (count > 0) {
      throw refused(url, `it did not take ${plural(count, "value")}${why === "" ? "" : ` (${why})`}`);
    }
  }
  return { url: url.href, processes: requests.length };
}

/** The address of a receiver, or that of its metrics: without a path, the usual one. */
export function metricsUrl(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageError(`--endpoint cannot be "${plainText(endpoint)}".`, "Give an address: http://localhost:4318");
  }
  if (url.pathname === "/") url.pathname = PATH;
  return url;
}

async function post(url: URL, body: Uint8Array): Promise<Uint8Array> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", "user-agent": "gcspike" },
    body: new Uint8Array(body),
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw refused(url, fetchFailure(error, TIMEOUT_MS), error);
  });
  if (!answer.ok) throw refused(url, `it answered ${answer.status} ${plainText(answer.statusText, 80)}`.trim());
  return readUpTo(answer, MOST_ANSWER_BYTES);
}

function refused(url: URL, why: string, cause?: unknown): GcspikeError {
  return new GcspikeError("otlp", `Cannot send to ${url.href}: ${why}.`, {
    kept: "The recording is untouched.",
    hint: "Is a receiver listening there for OTLP over HTTP?  To write a file instead: -o metrics.otlp.jsonl",
    cause,
  });
}
