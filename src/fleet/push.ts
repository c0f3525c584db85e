/** Sends metrics to an OpenTelemetry receiver, again and again. A receiver that is not there loses nothing: values add up. */
import { fetchFailure } from "../lib/http.ts";

const EVERY_MS = 15_000;
const TIMEOUT_MS = 10_000;

export interface Push {
  /** Sends once more and ends; never rejects. */
  readonly finish: () => Promise<void>;
}

/** `failed` is called for the first time that fails, and for the first after one that did not. */
export function startPush(url: URL, body: () => Uint8Array, failed: (reason: string) => void): Push {
  let wasFine = true;
  let sending: Promise<void> = Promise.resolve();
  const send = (): Promise<void> => {
    // One after the other: a slow receiver does not get two at once.
    sending = sending.then(async () => {
      const reason = await post(url, body());
      if (reason !== null && wasFine) failed(reason);
      wasFine = reason === null;
    });
    return sending;
  };
  let isSending = false;
  const timer = setInterval(() => {
    if (isSending) return;
    isSending = true;
    void send().finally(() => (isSending = false));
  }, EVERY_MS);
  return {
    finish: () => {
      clearInterval(timer);
      return send();
    },
  };
}

/** Why it was not taken; null where it was. */
async function post(url: URL, body: Uint8Array): Promise<string | null> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf", "user-agent": "gcspike" },
      body: new Uint8Array(body),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return answer.ok ? null : `it answered ${answer.status}`;
  } catch (error) {
    return fetchFailure(error, TIMEOUT_MS);
  }
}
