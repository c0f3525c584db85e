/** What a fleet has around its programs: Prometheus, a store like S3, and the companions of the programs themselves. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { signed } from "../../src/fleet/s3.ts";
import { ROOT } from "./cli.ts";

export const ALWAYS_ON = join(ROOT, "dist", "agent", "always-on.cjs");

/** Asks again until there is an answer that is not null. */
export async function until<T>(ask: () => Promise<T | null> | T | null, what: string, patienceMs = 60_000): Promise<T> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > endMs) throw new Error(`there was no ${what}`);
    await sleep(100);
  }
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Process ids of the companions of a program, from /proc. */
export function companionsOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const words = commandOf(name);
      const script = words.findIndex((word) => word.endsWith("fleet/companion.cjs"));
      return script > 0 && words[script + 2] === String(pid);
    })
    .map(Number);
}

/** [] where it has ended. */
function commandOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

export interface Prometheus {
  /** The answer to an instant query. */
  readonly query: (
    query: string,
  ) => Promise<
    readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[]
  >;
  readonly exemplars: (query: string) => Promise<
    readonly {
      readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: string }[];
    }[]
  >;
  readonly stop: () => Promise<void>;
}

/** Debian's Prometheus, which scrapes these ports every second. */
export async function startPrometheus(folder: string, ports: readonly number[]): Promise<Prometheus> {
  mkdirSync(folder, { recursive: true });
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [{ job_name: "fleet", static_configs: [{ targets: ports.map((port) => `127.0.0.1:${port}`) }] }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
  const port = await freePort();
  const words = [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--enable-feature=native-histograms,exemplar-storage",
    "--log.level=error",
  ];
  const server: ChildProcess = spawn("prometheus", words, { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const ask = async (path: string, query: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}${encodeURIComponent(query)}`);
    return (await answer.json()) as { readonly status: string; readonly error?: string; readonly data: never };
  };
  await until(async () => {
    const ready = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => null);
    return ready?.ok === true ? true : null;
  }, "Prometheus");
  return {
    query: async (query) => {
      const { status, error, data } = await ask("query?query=", query);
      if (status !== "success") throw new Error(error);
      return (data as { readonly result: never }).result;
    },
    exemplars: async (query) => {
      const from = Math.floor(Date.now() / 1000) - 3600;
      const { data } = await ask(`query_exemplars?start=${from}&end=${from + 7200}&query=`, query);
      return data;
    },
    stop: async () => {
      server.kill("SIGTERM");
      await ended;
    },
  };
}

export interface Store {
  readonly url: string;
  /** By path. */
  readonly objects: Map<string, Buffer>;
  /** Answers of the next requests instead of 200. */
  readonly failures: number[];
  /** Requests that were signed otherwise than they should be. */
  readonly refused: string[];
  readonly close: () => void;
}

export const STORE_CREDENTIALS = { keyId: "TESTKEY", secret: "test/secret", token: undefined };

/** Takes PUTs that are signed with STORE_CREDENTIALS. */
export async function startStore(): Promise<Store> {
  const store = { objects: new Map<string, Buffer>(), failures: [] as number[], refused: [] as string[] };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const failure = store.failures.shift();
    if (failure !== undefined) {
      response.writeHead(failure).end();
      return;
    }
    const url = new URL(request.url ?? "", `http://${request.headers.host}`);
    const time = String(request.headers["x-amz-date"]);
    const now = new Date(time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
    const headers = { "content-type": String(request.headers["content-type"]) };
    const wanted = signed({ method: "PUT", url, headers, body }, STORE_CREDENTIALS, "eu-west-1", now);
    const isWhole = createHash("sha256").update(body).digest("hex") === request.headers["x-amz-content-sha256"];
    if (request.method !== "PUT" || wanted.authorization !== request.headers.authorization || !isWhole) {
      store.refused.push(request.url ?? "");
      response.writeHead(403).end();
      return;
    }
    store.objects.set(decodeURIComponent(url.pathname), body);
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { ...store, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
