/** Puts files where a fleet's dumps are kept. */
import { rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchFailure, readUpTo } from "../lib/http.ts";
import { makeFolder } from "../lib/make-folder.ts";
import { type Credentials, objectUrl, signed } from "./s3.ts";
import type { Destination } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** `key`: path within the destination, with `/` between its parts. */
export type Put = (key: string, body: Uint8Array) => Promise<void>;

/** @throws an error where S3's variables are missing */
export function putTo(destination: Destination, env: Environment): Put {
  return destination.type === "folder" ? putToFolder(destination.path) : putToS3(destination, env);
}

/** Who reads meanwhile finds a whole file, or none. */
function putToFolder(folder: string): Put {
  return async (key, body) => {
    const path = join(folder, key);
    makeAmongOthers(dirname(path));
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
    await writeFile(temporary, body);
    await rename(temporary, path);
  };
}

/** Other programs' dumps may come into the same folder at the same moment. */
function makeAmongOthers(folder: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      makeFolder(folder);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

const MOST_ATTEMPTS = 5;
const TIMEOUT_MS = 30_000;
/** What S3 says of an error is some hundred bytes. */
const MOST_ANSWER_BYTES = 64 * 1024;
/** Between attempts, ms. */
const PATIENCE_MS: readonly number[] = [1000, 4000];

function putToS3({ bucket, prefix }: Extract<Destination, { type: "s3" }>, env: Environment): Put {
  const { AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env;
  if (!keyId || !secret) throw new Error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || "us-east-1";
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined;
  const credentials: Credentials = { keyId, secret, token: token || undefined };
  return async (key, body) => {
    const url = objectUrl(bucket, prefix === "" ? key : `${prefix}/${key}`, region, endpoint);
    for (let attempt = 0; ; attempt++) {
      const problem = await putOnce(url, body, credentials, region);
      if (problem === null) return;
      const waitMs = PATIENCE_MS[attempt];
      if (!problem.mayPass || waitMs === undefined) throw new Error(`${url.host} did not take it: ${problem.reason}`);
      await sleep(waitMs);
    }
  };
}

interface Problem {
  readonly reason: string;
  /** It may be gone in a while. */
  readonly mayPass: boolean;
}

async function putOnce(url: URL, body: Uint8Array, credentials: Credentials, region: string): Promise<Problem | null> {
  const request = { method: "PUT", url, headers: { "content-type": "application/octet-stream" }, body } as const;
  try {
    const answer = await fetch(url, {
      method: "PUT",
      headers: signed(request, credentials, region, new Date()),
      body: new Uint8Array(body),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = new TextDecoder().decode(await readUpTo(answer, MOST_ANSWER_BYTES));
    return answer.ok
      ? null
      : {
          reason: `status ${answer.status}${codeIn(text)}`,
          mayPass: answer.status >= 500 || answer.status === 429,
        };
  } catch (error) {
    return { reason: fetchFailure(error, TIMEOUT_MS), mayPass: true };
  }
}

/** " (SignatureDoesNotMatch)": what is wrong, in S3's word. */
function codeIn(answer: string): string {
  const code = /<Code>(\w{1,60})<\/Code>/.exec(answer)?.[1];
  return code === undefined ? "" : ` (${code})`;
}
