import { once } from "node:events";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { putTo } from "../../../src/fleet/destination.ts";
import { temporaryFolder } from "../../support/cli.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const put = (path: string, key: string): Promise<void> =>
  putTo({ type: "folder", path }, {})(key, new TextEncoder().encode(key));

test("several that need the same new folders have them, and whole files", async () => {
  const path = join(folder.path, "fleet");
  const keys = ["pauses/day=1/a", "pauses/day=1/b", "spikes/day=1/a"];
  await Promise.all(keys.map((key) => put(path, key)));
  for (const key of keys) expect(readFileSync(join(path, key), "utf8")).toBe(key);
  expect(readdirSync(join(path, "pauses", "day=1")).sort()).toEqual(["a", "b"]);
});

test.runIf(process.platform === "linux")("where no folder can be made it ends, with an error", async () => {
  writeFileSync(join(folder.path, "file"), "");
  symlinkSync(join(folder.path, "nowhere"), join(folder.path, "dangling"));
  await expect(put("/proc/nope", "pauses/a")).rejects.toThrow(/ENOENT/);
  await expect(put(join(folder.path, "file"), "pauses/a")).rejects.toThrow(/ENOTDIR/);
  await expect(put(join(folder.path, "dangling"), "pauses/a")).rejects.toThrow(/EEXIST/);
});

test("what S3 says of a request that it refuses is the reason", async () => {
  const server = createServer((_, response) => {
    response
      .writeHead(403)
      .end("<?xml version='1.0'?><Error><Code>SignatureDoesNotMatch</Code><Message>x</Message></Error>");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` };
  try {
    const putting = putTo({ type: "s3", bucket: "dumps", prefix: "" }, env)("pauses/a", new Uint8Array(1));
    await expect(putting).rejects.toThrow("did not take it: status 403 (SignatureDoesNotMatch)");
  } finally {
    server.close();
  }
});
