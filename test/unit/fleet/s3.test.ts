import { expect, test } from "vitest";
import { objectUrl, signed } from "../../../src/fleet/s3.ts";

/** Keys, requests and signatures of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. */
const CREDENTIALS = {
  keyId: "AKIAIOSFODNN7EXAMPLE",
  secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  token: undefined,
};
const NOW = new Date("2013-05-24T00:00:00Z");

function signature(request: Parameters<typeof signed>[0]): string | undefined {
  return /Signature=(\w+)$/.exec(signed(request, CREDENTIALS, "us-east-1", NOW).authorization ?? "")?.[1];
}

test("AWS's example of GET", () => {
  const request = {
    method: "GET",
    url: new URL("https://examplebucket.s3.amazonaws.com/test.txt"),
    headers: { range: "bytes=0-9" },
    body: new Uint8Array(),
  } as const;
  expect(signature(request)).toBe("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
});

test("AWS's example of PUT", () => {
  const request = {
    method: "PUT",
    url: new URL("https://examplebucket.s3.amazonaws.com/test%24file.text"),
    headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
    body: Buffer.from("Welcome to Amazon S3."),
  } as const;
  expect(signature(request)).toBe("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
});

test("AWS's example with a query", () => {
  const request = {
    method: "GET",
    url: new URL("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"),
    headers: {},
    body: new Uint8Array(),
  } as const;
  expect(signature(request)).toBe("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
});

test("a token is signed, too", () => {
  const request = {
    method: "PUT",
    url: new URL("http://localhost:9000/b/k"),
    headers: {},
    body: new Uint8Array(),
  } as const;
  const headers = signed(request, { ...CREDENTIALS, token: "temporary" }, "eu-west-1", NOW);
  expect(headers["x-amz-security-token"]).toBe("temporary");
  expect(headers.authorization).toContain("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,");
  expect(headers).not.toHaveProperty("host");
});

test("where objects are", () => {
  expect(objectUrl("dumps", "a/service=x/b c.parquet", "eu-west-1", undefined).href).toBe(
    "https://dumps.s3.eu-west-1.amazonaws.com/a/service%3Dx/b%20c.parquet",
  );
  expect(objectUrl("dumps", "k", "eu-west-1", "http://localhost:9000/").href).toBe("http://localhost:9000/dumps/k");
});
