import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchFailure, readUpTo } from "../../../src/lib/http.ts";

/** /silent never answers, /N answers with N bytes. */
const server = createServer((request, response) => {
  if (request.url !== "/silent") response.end("a".repeat(Number(request.url?.slice(1))));
});
let origin = "";
beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const failure = (url: string, timeoutMs: number): Promise<string> =>
  fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).then(
    () => "none",
    (error: unknown) => fetchFailure(error, timeoutMs),
  );

test("why fetch failed is said in words", async () => {
  expect(await failure(`${origin}/silent`, 500)).toBe("no answer within 0.5 s");
  const gone = createServer();
  await once(gone.listen(0, "127.0.0.1"), "listening");
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  expect(await failure(`http://127.0.0.1:${port}/`, 5000)).toBe("ECONNREFUSED");
});

test("a body is read up to a limit, or not at all", async () => {
  expect((await readUpTo(await fetch(`${origin}/1000`), 1000)).length).toBe(1000);
  expect((await readUpTo(await fetch(`${origin}/1001`), 1000)).length).toBe(0);
});
