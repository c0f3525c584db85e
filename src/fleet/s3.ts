/**
 * Requests to S3 and what speaks like it, signed
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
 */
import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  readonly keyId: string;
  readonly secret: string;
  /** Of temporary credentials. */
  readonly token: string | undefined;
}

export interface UnsignedRequest {
  readonly method: "GET" | "PUT";
  readonly url: URL;
  /** By name in small letters; what the request has besides those of the signature. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** All headers of the request but Host, which is part of what is signed. */
export function signed(
  { method, url, headers, body }: UnsignedRequest,
  { keyId, secret, token }: Credentials,
  region: string,
  now: Date,
): Readonly<Record<string, string>> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const hash = createHash("sha256").update(body).digest("hex");
  const all: Record<string, string> = {
    ...headers,
    "x-amz-content-sha256": hash,
    "x-amz-date": time,
    ...(token === undefined ? {} : { "x-amz-security-token": token }),
  };
  const named = Object.entries({ ...all, host: url.host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = named.map(([name]) => name).join(";");
  const canonical = [
    method,
    url.pathname,
    [...url.searchParams]
      .map((pair) => pair.map(encoded).join("="))
      .sort()
      .join("&"),
    ...named.map(([name, value]) => `${name}:${value.trim()}`),
    "",
    names,
    hash,
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  const signature = hmac(key, toSign).toString("hex");
  return {
    ...all,
    authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${scope},SignedHeaders=${names},Signature=${signature}`,
  };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** All but letters, digits and "-._~", which is more than encodeURIComponent does. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Where an object is: under an endpoint of one's own by its path, else at AWS by its host. */
export function objectUrl(bucket: string, key: string, region: string, endpoint: string | undefined): URL {
  const path = key.split("/").map(encoded).join("/");
  if (endpoint !== undefined) return new URL(`${endpoint.replace(/\/+$/, "")}/${bucket}/${path}`);
  return new URL(`https://${bucket}.s3.${region}.amazonaws.com/${path}`);
}
