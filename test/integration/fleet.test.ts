/** The always-on agent in real programs, and what a fleet asks about them: Prometheus, a collector, S3 and DuckDB. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { SILENT_MS, takeOver } from "../../src/fleet/left-behind.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { listening, pidOf } from "../support/attached.ts";
import { Running, runGcspike } from "../support/cli.ts";
import {
  ALWAYS_ON,
  companionsOf,
  freePort,
  STORE_CREDENTIALS,
  startPrometheus,
  startStore,
  until,
} from "../support/fleet.ts";
import { NODES } from "../support/nodes.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { fixture, isolateOf, Workplace } from "../support/recorded.ts";

const workplace = new Workplace();
const started: Running[] = [];

afterEach(async () => {
  const ended = started.splice(0);
  for (const { process } of ended) process.kill("SIGKILL");
  for (const running of ended) await gone(pidOf(running));
});
afterAll(() => {
  expect(workplace.filesInCwd()).toEqual([]);
  workplace.remove();
});

interface Member {
  readonly running: Running;
  readonly pid: number;
  /** Where its flights are. */
  readonly home: string;
  readonly get: (path: string) => Promise<string>;
}

async function enlist(node: string, variables: Readonly<Record<string, string>> = {}): Promise<Member> {
  const home = variables.GCSPIKE_AGENT_DIR ?? workplace.path("home");
  // Of the npm that runs the tests the program knows nothing.
  const env = { npm_package_name: "", npm_package_version: "", GCSPIKE_AGENT_DIR: home, ...variables };
  const running = new Running(node, ["--require", ALWAYS_ON, fixture("fleet.cjs")], { cwd: workplace.cwd, env });
  started.push(running);
  await running.waitFor("port ");
  const port = Number(/port (\d+)/.exec(running.stdout)?.[1]);
  return {
    running,
    pid: pidOf(running),
    home,
    get: async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text(),
  };
}

/** The one flight of a home. */
function flightOf({ home }: Member): string {
  const [name = expect.fail("no flight"), ...others] = readdirSync(home);
  expect(others).toEqual([]);
  return join(home, name);
}

const gone = (pid: number) => until(() => (companionsOf(pid).length === 0 ? true : null), "end of the companion");

/** Values of a metric in text, by their labels. */
async function scrape(
  port: number,
  metric: string,
): Promise<readonly { readonly labels: string; readonly value: number }[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
  const text = (await answer?.text()) ?? "";
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)]
    .filter(([, name]) => name === metric)
    .map(([, , labels = "", value]) => ({ labels, value: Number(value) }));
}

describe.each(NODES)("Node $version", ({ path: node }) => {
  test("records, answers Prometheus, writes the dump of its death and leaves nothing else", async () => {
    const port = await freePort();
    const member = await enlist(node, {
      GCSPIKE_AGENT_PORT: String(port),
      GCSPIKE_AGENT_TRIGGER: "death",
      OTEL_SERVICE_NAME: "checkout",
    });
    expect(companionsOf(member.pid)).toHaveLength(1);
    const [companion = 0] = companionsOf(member.pid);
    const counts = await until(async () => {
      const found = await scrape(port, "gcspike_pause_seconds_count");
      return found.some(({ value }) => value > 5) ? found : null;
    }, "pauses");
    expect(counts.every(({ labels }) => labels.startsWith('service="checkout"'))).toBe(true);
    expect(listening(member.pid)).toHaveLength(1);
    expect(listening(companion)).toEqual([expect.stringMatching(new RegExp(` ${port}$`))]);
    await member.get("/end");
    const ended = await member.running.ended;
    expect(ended).toMatchObject({ code: 7, signal: null, stderr: "" });
    expect(ended.stdout).toMatch(/^port \d+ kept 300000\n$/);
    await gone(member.pid);
    const flight = flightOf(member);
    const [dump = "", ...others] = readdirSync(flight);
    expect(others).toEqual([]);
    const recording = await readRecording(join(flight, dump));
    expect(recording.manifest.dump?.triggers.at(-1)).toMatchObject({
      trigger: "death",
      what: "the program ended with exit code 7",
    });
    expect(recording.isolates.map(({ name }) => name)).toEqual(["main"]);
    expect(recording.isolates[0]?.collectors).toEqual(["probe", "phases", "heap", "allocations", "tags"]);
    expect(recording.isolates[0]?.samples?.heap.count).toBeGreaterThan(0);
  });

  test("workers and children are of the same recording, and have no companion of their own", async () => {
    const port = await freePort();
    const member = await enlist(node, { GCSPIKE_AGENT_PORT: String(port) });
    await member.get("/worker");
    await member.get("/child");
    await until(async () => {
      const counts = await scrape(port, "gcspike_pause_seconds_count");
      return counts.some(({ labels, value }) => labels.includes('thread="worker"') && value > 0) ? true : null;
    }, "pauses of the worker");
    const ring = join(flightOf(member), "ring");
    const isolates = await until(() => {
      const found = readdirSync(ring).filter((name) => /^\d+-\d+\.json$/.test(name));
      return found.length === 3 ? found : null;
    }, "third isolate");
    const pids = new Set(isolates.map((name) => Number.parseInt(name, 10)));
    expect(pids.size).toBe(2);
    expect([...pids].flatMap((pid) => companionsOf(pid))).toHaveLength(1);
  });

  test.runIf(process.platform === "linux")(
    "the companion keeps no file of the program's: a lock goes with it",
    async () => {
      const lock = workplace.path(`lock-${process.hrtime.bigint()}`);
      const line = 'exec 200> "$1"; shift; exec "$@"';
      const words = ["-c", line, "bash", lock, node, "--require", ALWAYS_ON, fixture("fleet.cjs")];
      const running = new Running("bash", words, {
        cwd: workplace.cwd,
        env: { GCSPIKE_AGENT_DIR: workplace.path("home") },
      });
      started.push(running);
      await running.waitFor("port ");
      const opened = (pid: number) =>
        readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
          try {
            return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
          } catch {
            return [];
          }
        });
      expect(opened(pidOf(running))).toContain(lock);
      const [companion = expect.fail("no companion")] = companionsOf(pidOf(running));
      // It does that first of all, but Node comes before.
      await until(() => (opened(companion).some((path) => path.endsWith(".gc")) ? true : null), "companion at work");
      expect(opened(companion)).not.toContain(lock);
    },
  );

  test("a companion that is killed takes nothing with it but the recording", async () => {
    const member = await enlist(node);
    const [companion = expect.fail("no companion")] = companionsOf(member.pid);
    process.kill(companion, "SIGKILL");
    await member.running.waitForError("gcspike's companion process was ended.");
    const ring = join(flightOf(member), "ring");
    await until(() => (existsSync(join(ring, "attached")) ? null : true), "end of the recording");
    expect(await member.get("/")).toBe("done\n");
    await member.get("/end");
    expect((await member.running.ended).code).toBe(7);
  });
});

test("a wrong variable is one warning, and the program runs", async () => {
  const member = await enlist(process.execPath, { GCSPIKE_AGENT_PORT: "http" });
  await member.running.waitForError("Give a port, 9464");
  expect(member.running.stderr).toContain('[GCSPIKE_AGENT] gcspike: GCSPIKE_AGENT_PORT cannot be "http".');
  expect(member.running.stderr.match(/gcspike:/g)).toHaveLength(1);
  await member.get("/end");
  expect((await member.running.ended).code).toBe(7);
});

test("under gcspike record, the agent keeps out of the way", async () => {
  const home = workplace.path("home");
  const { code } = await workplace.record(
    [process.execPath, "--require", ALWAYS_ON, "-e", "new Array(1e6).fill(0).map(() => ({}))"],
    { env: { GCSPIKE_AGENT_DIR: home } },
  );
  expect(code).toBe(0);
  expect(existsSync(home)).toBe(false);
});

test("a program that ends at once leaves no companion and no folder", async () => {
  const home = workplace.path("home");
  const words = ["--require", ALWAYS_ON, "-e", "process.stdout.write('done')"];
  const { stdout, stderr, pid } = spawnSync(process.execPath, words, {
    encoding: "utf8",
    env: { ...process.env, GCSPIKE_AGENT_DIR: home },
  });
  expect({ stdout, stderr }).toEqual({ stdout: "done", stderr: "" });
  await gone(pid);
  expect(readdirSync(home)).toEqual([]);
});

describe("gcspike agent", () => {
  test("runs the program with its own streams and exit code", async () => {
    const home = workplace.path("home");
    const { code, stdout, stderr } = await runGcspike(
      [
        "agent",
        "--dir",
        home,
        "--ship",
        workplace.path("store"),
        "--",
        process.execPath,
        "-e",
        "console.log('out'); console.error('err'); process.exitCode = 3",
      ],
      { cwd: workplace.cwd },
    );
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: "out\n", stderr: "err\n" });
    const [flight = ""] = readdirSync(home);
    await gone(Number(/-(\d+)\.flight$/.exec(flight)?.[1]));
    expect(readdirSync(join(home, flight))).toEqual([expect.stringMatching(/-death\.gcspike$/)]);
  });

  test.each([
    [["--port", "http"], "GCSPIKE_AGENT_PORT cannot be"],
    [["--trigger", "pause"], "--trigger cannot be"],
    [["--ship", "ftp://x"], "GCSPIKE_AGENT_SHIP cannot be"],
  ])("%s is wrong usage: nothing is run", async (flags, message) => {
    const { code, stdout, stderr } = await runGcspike(["agent", ...flags, "--", process.execPath, "-p", "1"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

/** What docs/agent.md says, by the word behind the fence's language: ```promql p99 */
function documented(language: string, name: string): string {
  const text = readFileSync(new URL("../../docs/agent.md", import.meta.url), "utf8");
  return (
    new RegExp(`^\`\`\`${language} ${name}\n([^]*?)\n\`\`\`$`, "m").exec(text)?.[1] ??
    expect.fail(`no ${language} ${name}`)
  );
}

const has = (program: string) => spawnSync(program, ["--version"]).status === 0;

describe.runIf(has("prometheus"))("Prometheus", () => {
  test("draws quantiles from native histograms, and its exemplars name kept dumps", async () => {
    const [port, other] = [await freePort(), await freePort()];
    const variables = { OTEL_SERVICE_NAME: "checkout", OTEL_RESOURCE_ATTRIBUTES: "service.version=1.4.2" };
    const armed = { ...variables, GCSPIKE_AGENT_TRIGGER: "pause>1ms", GCSPIKE_AGENT_KEEP: "2s" };
    const member = await enlist(process.execPath, { ...armed, GCSPIKE_AGENT_PORT: String(port) });
    const second = await enlist(process.execPath, { ...variables, GCSPIKE_AGENT_PORT: String(other) });
    const prometheus = await startPrometheus(workplace.path("prometheus"), [port, other]);
    try {
      const [{ metric, value } = expect.fail("nothing")] = await until(async () => {
        await Promise.all([member.get("/stall"), second.get("/stall")]);
        const found = await prometheus.query(documented("promql", "p99"));
        return found.some(({ value: [, number] }) => Number(number) > 0) ? found : null;
      }, "quantile");
      expect(metric).toEqual({ service: "checkout", version: "1.4.2" });
      // Seconds of some pause of a small program.
      expect(Number(value[1])).toBeGreaterThan(1e-5);
      expect(Number(value[1])).toBeLessThan(10);
      for (const name of ["worst", "share", "steps", "fleet"]) {
        await until(
          async () => ((await prometheus.query(documented("promql", name))).length > 0 ? true : null),
          `answer to ${name}`,
        );
      }
      // Native: the histogram is one series, and has no buckets.
      expect(await prometheus.query("gcspike_pause_seconds_bucket")).toEqual([]);
      const [dump = expect.fail("no exemplar")] = await until(async () => {
        const series = await prometheus.exemplars(documented("promql", "exemplars"));
        const found = series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.dump ?? ""));
        return found.length > 0 ? found : null;
      }, "exemplar");
      const [, time] = new RegExp(`-${member.pid}-(.*)$`).exec(dump) ?? [];
      expect(readdirSync(flightOf(member))).toContain(`${time}.gcspike`);
    } finally {
      await prometheus.stop();
    }
  });

  test("its own checker takes the text", async () => {
    const port = await freePort();
    const member = await enlist(process.execPath, { GCSPIKE_AGENT_PORT: String(port) });
    await member.get("/stall");
    await until(async () => ((await scrape(port, "gcspike_pause_seconds_count")).length > 0 ? true : null), "pause");
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(execFileSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" })).toBe("");
  });
});

test("OpenTelemetry's collector gets exponential histograms, the last ones when the program has ended", async () => {
  const receiver = await startOtlpReceiver();
  try {
    const member = await enlist(process.execPath, {
      GCSPIKE_AGENT_OTLP: `http://127.0.0.1:${receiver.port}`,
      GCSPIKE_AGENT_TRIGGER: "death",
      OTEL_SERVICE_NAME: "checkout",
    });
    await member.get("/stall");
    await member.get("/end");
    await gone(member.pid);
    const { path, contentType, metrics } = receiver.requests.at(-1) ?? expect.fail("nothing was sent");
    expect({ path, contentType }).toEqual({ path: "/v1/metrics", contentType: "application/x-protobuf" });
    const duration = metrics.find(({ name }) => name === "v8js.gc.duration") ?? expect.fail("no v8js.gc.duration");
    expect(duration.unit).toBe("s");
    const [dump = ""] = readdirSync(flightOf(member));
    const recording = await readRecording(join(flightOf(member), dump));
    const points = duration.exponentialHistogram?.dataPoints ?? [];
    const count = points.reduce((sum, point) => sum + Number(point.count), 0);
    expect(count).toBe(recording.isolates.reduce((sum, { pauses }) => sum + pauses.count, 0));
  } finally {
    receiver.close();
  }
});

describe("shipping", () => {
  test("to a folder, where DuckDB answers what the documentation asks", async () => {
    const store = workplace.path("store");
    const armed = { GCSPIKE_AGENT_SHIP: store, GCSPIKE_AGENT_TRIGGER: "pause>1ms", GCSPIKE_AGENT_KEEP: "2s" };
    for (const version of ["1.0.0", "1.1.0"]) {
      const member = await enlist(process.execPath, {
        ...armed,
        OTEL_SERVICE_NAME: "@shop/checkout",
        OTEL_RESOURCE_ATTRIBUTES: `service.version=${version}`,
      });
      await member.get("/stall");
      await member.get("/end");
      await gone(member.pid);
    }
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const ask = async (name: string) => {
      const sql = documented("sql", name).replaceAll("/dumps/", `${store}/`);
      return (await connection.runAndReadAll(sql)).getRowObjectsJson();
    };
    const worst = await ask("worst");
    expect(worst.map(({ service, version }) => [service, version]).sort()).toEqual([
      ["_shop_checkout", "1.0.0"],
      ["_shop_checkout", "1.1.0"],
    ]);
    expect(worst.every(({ p99_ms: ms }) => Number(ms) > 0)).toBe(true);
    const sites = await ask("sites");
    expect(Number(sites[0]?.survived_bytes)).toBeGreaterThan(0);
    expect(sites.filter(({ file }) => String(file).includes("dist/agent"))).toEqual([]);
    expect((await ask("causes")).length).toBeGreaterThan(0);
    const pprof = (command: string) => {
      const here = command.replace("/dumps/", `${store}/`).replace("service=checkout", "service=_shop_checkout");
      return execFileSync("sh", ["-c", here], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    };
    const command = documented("sh", "profiles");
    const top = pprof(command);
    expect(top).toContain("Type: alloc_space\n");
    expect(top).toMatch(/^ .*MB.* \w+/m);
    expect(pprof(command.replace("heap-profiles", "pause-profiles").replace("alloc_space", "pause_time"))).toContain(
      "Type: pause_time\n",
    );
  });

  test("to a store like S3, which is busy at first", async () => {
    const store = await startStore();
    store.failures.push(503);
    try {
      const member = await enlist(process.execPath, {
        GCSPIKE_AGENT_SHIP: "s3://gc-dumps/eu",
        AWS_ENDPOINT_URL_S3: store.url,
        AWS_REGION: "eu-west-1",
        AWS_ACCESS_KEY_ID: STORE_CREDENTIALS.keyId,
        AWS_SECRET_ACCESS_KEY: STORE_CREDENTIALS.secret,
      });
      await member.get("/stall");
      await member.get("/end");
      await gone(member.pid);
      expect(store.refused).toEqual([]);
      const keys = [...store.objects.keys()];
      const day = new Date().toISOString().slice(0, 7);
      expect(keys[0]).toMatch(
        new RegExp(
          `^/gc-dumps/eu/pauses/service=fleet\\.cjs/version=unknown/day=${day}-\\d\\d/.*-${member.pid}-.*-death\\.parquet$`,
        ),
      );
      expect(store.objects.get(keys[0] ?? "")?.toString("latin1", 0, 4)).toBe("PAR1");
      expect(keys.some((key) => key.startsWith("/gc-dumps/eu/heap-profiles/"))).toBe(true);
    } finally {
      store.close();
    }
  });

  test("what cannot be shipped stays, and the flight says why", async () => {
    const member = await enlist(process.execPath, { GCSPIKE_AGENT_SHIP: "s3://gc-dumps" });
    await member.get("/end");
    await gone(member.pid);
    const flight = flightOf(member);
    expect(readFileSync(join(flight, "problem"), "utf8")).toContain(
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
    );
    expect(readdirSync(flight).some((name) => name.endsWith("-death.gcspike"))).toBe(true);
  });
});

test("killed together with its companion, a program leaves a ring that the next one takes over", async () => {
  const member = await enlist(process.execPath);
  await member.get("/stall");
  const [companion = expect.fail("no companion")] = companionsOf(member.pid);
  const flight = flightOf(member);
  await until(() => (existsSync(join(flight, "ring", "manifest.json")) ? true : null), "companion at work");
  for (const pid of [companion, member.pid]) process.kill(pid, "SIGKILL");
  await member.running.ended;
  const next = join(member.home, "fleet.cjs-2026-11-28T12-00-00-1.flight");
  expect(await takeOver(next, Date.now())).toEqual([]);
  const later = Date.now() + SILENT_MS + 1000;
  // Several that start at the same moment find the same ring: one has it.
  const found = await Promise.all([takeOver(next, later), takeOver(next, later), takeOver(next, later)]);
  const [recovered = expect.fail("nothing"), ...others] = found.flat();
  expect(others).toEqual([]);
  expect(recovered.pid).toBe(member.pid);
  expect(isolateOf(await readRecording(recovered.path), "main").pauses.count).toBeGreaterThan(0);
  expect(readdirSync(flight)).toEqual([expect.stringMatching(/-recovered\.gcspike$/)]);
});

test("two programs, one port: the second gets it when the first has ended", async () => {
  const port = await freePort();
  const first = await enlist(process.execPath, { GCSPIKE_AGENT_PORT: String(port), OTEL_SERVICE_NAME: "first" });
  await until(
    async () => ((await scrape(port, "gcspike_companion_cpu_seconds_total")).length > 0 ? true : null),
    "endpoint",
  );
  const second = await enlist(process.execPath, { GCSPIKE_AGENT_PORT: String(port), OTEL_SERVICE_NAME: "second" });
  await until(() => {
    const problem = join(flightOf(second), "problem");
    return existsSync(problem) && readFileSync(problem, "utf8").includes("EADDRINUSE") ? true : null;
  }, "problem of the second");
  await first.get("/end");
  await until(async () => {
    const [one] = await scrape(port, "gcspike_companion_cpu_seconds_total");
    return one?.labels === 'service="second"' ? true : null;
  }, "second at the port");
});
