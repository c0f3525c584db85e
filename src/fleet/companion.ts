/**
 * The process beside a program that loads `gcspike/agent`: `companion FLIGHT PID START_NS STARTED_MS COMMAND...`. It keeps the program's last
 * time (the flight recorder), adds up its metrics and gives them to whoever asks, ships dumps, and ends with the program. It has no
 * standard streams and is nobody's but the program's: what it has to say stands in the flight's folder.
 */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, setPriority } from "node:os";
import { basename, join } from "node:path";
import { GcspikeError } from "../lib/errors.ts";
import { packageRoot, packageVersion } from "../lib/package.ts";
import { plainText } from "../lib/text.ts";
import { FlightRecorder, type WrittenDump } from "../recorder/flight/flight.ts";
import { manifestOptions } from "../recorder/record-options.ts";
import { startingManifest } from "../recorder/starting-manifest.ts";
import { writeManifest } from "../recording/manifest.ts";
import { ATTACHED_FILE, type Manifest, PROBLEM_FILE, RING_FOLDER } from "../recording/spec.ts";
import { closeInherited } from "./close-inherited.ts";
import { type Endpoint, openEndpoint } from "./endpoint.ts";
import { Gatherer } from "./gatherer.ts";
import { giveSign, removeSurplus, SIGN_MS, SILENT_MS, takeOver } from "./left-behind.ts";
import type { Metric } from "./metric.ts";
import { encodeOtlp } from "./otlp-metrics.ts";
import { type Push, startPush } from "./push.ts";
import { type AgentSettings, agentSettings, type Service, serviceOf } from "./settings.ts";
import { Shipping } from "./shipping.ts";

const LOOK_MS = 200;
/** What is still to be shipped when the program has ended may take so long. */
const ENDING_MS = 60_000;
/** The program's work goes first. */
const NICENESS = 10;
/** What the kernel should end before anything else when there is no memory left. */
const FIRST_TO_GO = "1000";
const ID_CHARACTERS = 100;

interface Program {
  readonly flight: string;
  readonly pid: number;
  readonly startNs: string;
  readonly startedMs: number;
  readonly command: readonly string[];
}

class Companion {
  readonly #program: Program;
  readonly #settings: AgentSettings;
  readonly #service: Service;
  readonly #gatherer = new Gatherer();
  readonly #recorder: FlightRecorder;
  readonly #manifest: Manifest;
  readonly #shipping: Shipping | null;
  readonly #endpoint: Endpoint | null;
  readonly #push: Push | null;
  readonly #problems: string[] = [];
  #shipped = 0;
  #notShipped = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#settings = agentSettings(process.env);
    this.#service = serviceOf(process.env, program.command);
    this.#manifest = this.#startingManifest();
    this.#recorder = new FlightRecorder(program.flight, this.#settings.plan, this.#manifest, {
      saw: (events) => this.#gatherer.see(events),
      dumped: (dump) => this.#dumped(dump),
    });
    const { listen, otlp, ship } = this.#settings;
    const script = join(packageRoot(), "dist", "fleet", "ship.js");
    this.#shipping =
      ship === null
        ? null
        : new Shipping(script, process.env, (shipped) => {
            if (shipped.ok) this.#shipped++;
            else {
              this.#notShipped++;
              this.#say(`A dump could not be shipped: ${shipped.reason}.`);
            }
          });
    this.#endpoint =
      listen === null
        ? null
        : openEndpoint(listen, { metrics: this.#metrics, every: this.#labels() }, (reason) =>
            this.#say(`Prometheus finds nothing: ${listen.host}:${listen.port} cannot be had (${reason}).`),
          );
    this.#push =
      otlp === null
        ? null
        : startPush(otlp, this.#otlpBody, (reason) => this.#say(`${otlp.href} takes nothing: ${reason}.`));
  }

  #signs: NodeJS.Timeout | undefined;

  begin(): void {
    writeManifest(this.#recorder.folder, this.#manifest);
    this.#recorder.begin(this.#manifest);
    this.#signs = setInterval(() => this.#attempt(() => giveSign(this.#program.flight)), SIGN_MS).unref();
    // The program before this one may have been killed a moment ago.
    setTimeout(() => void this.#takeOver(), SILENT_MS + SIGN_MS).unref();
  }

  async #takeOver(): Promise<void> {
    try {
      const { flight } = this.#program;
      for (const { path, pid } of await takeOver(flight, Date.now())) this.#shipping?.add(path, dumpId(pid, path));
      removeSurplus(flight, this.#settings.plan.maxDiskBytes, Date.now());
    } catch (error) {
      this.#say(`What earlier programs left could not be taken over: ${reasonOf(error)}.`);
    }
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#say(`The ring cannot be kept: ${reasonOf(error)}.`);
    }
  }

  /** The program has ended. */
  async finish(): Promise<void> {
    // The next one of its kind wants the port.
    this.#endpoint?.close();
    const ended = { ...this.#manifest, endNs: String(process.hrtime.bigint()) };
    const warnings = await this.#recorder.finish(ended, { programEnded: true });
    // With the ring there is nothing left to be kept.
    clearInterval(this.#signs);
    for (const { message } of warnings) this.#say(message);
    // A program that ends in a minute, again and again, is bounded, too.
    removeSurplus(this.#program.flight, this.#settings.plan.maxDiskBytes, Date.now());
    await Promise.all([this.#shipping?.finish(), this.#push?.finish()]);
    if (readdirSync(this.#program.flight).length === 0) rmSync(this.#program.flight, { recursive: true });
  }

  #startingManifest(): Manifest {
    const { command, pid, startNs, startedMs } = this.#program;
    const options = { command, flight: { triggers: [] } };
    return {
      ...startingManifest(command, manifestOptions(options)),
      pid,
      startNs,
      startedAt: new Date(startedMs).toISOString(),
    };
  }

  #dumped({ path, fired }: WrittenDump): void {
    const id = dumpId(this.#program.pid, path);
    this.#gatherer.dumped({ id, fired }, this.#program.startedMs);
    this.#shipping?.add(path, id);
  }

  readonly #metrics = (): readonly Metric[] => {
    const { user, system } = process.cpuUsage();
    return this.#gatherer.metrics({
      cpuSeconds: (user + system) / 1e6,
      shipped: this.#shipped,
      notShipped: this.#notShipped,
    });
  };

  #labels(): Readonly<Record<string, string>> {
    const { name, version } = this.#service;
    return version === "" ? { service: name } : { service: name, version };
  }

  readonly #otlpBody = (): Uint8Array => {
    const { name, version, attributes } = this.#service;
    return encodeOtlp({
      metrics: this.#metrics(),
      resource: new Map<string, string | number>([
        ["service.name", name],
        ...(version === "" ? [] : [["service.version", version] as const]),
        ["host.name", hostname()],
        ["process.pid", this.#program.pid],
        ["process.runtime.name", "nodejs"],
        ["process.runtime.version", process.versions.node],
        ...attributes,
      ]),
      version: packageVersion(),
      startEpochMs: this.#program.startedMs,
      epochMs: Date.now(),
    });
  };

  /** Each problem once. */
  #say(problem: string): void {
    const text = plainText(problem, 500);
    if (this.#problems.includes(text) || this.#problems.length === 20) return;
    this.#problems.push(text);
    writeProblem(this.#program.flight, this.#problems.join("\n"));
  }
}

/** What a dump is called where those of many programs are together: `HOST-PID-TIME-TRIGGER`. */
function dumpId(pid: number, path: string): string {
  const host = hostname()
    .replaceAll(/[^\w.-]+/g, "_")
    .slice(0, 40);
  return `${host}-${pid}-${basename(path, ".gcspike")}`.slice(0, ID_CHARACTERS);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function writeProblem(flight: string, text: string): void {
  try {
    writeFileSync(join(flight, PROBLEM_FILE), `${text}\n`);
  } catch {
    // The folder is gone, or its disk is full: there is nobody to tell.
  }
}

function stepBack(): void {
  try {
    setPriority(NICENESS);
    writeFileSync("/proc/self/oom_score_adj", FIRST_TO_GO);
  } catch {
    // Not on this system.
  }
}

async function untilEnded(pid: number): Promise<void> {
  await new Promise<void>((resolve) => {
    // Orphans get another parent, whoever else has the program's number by then.
    const timer = setInterval(() => {
      if (process.ppid === pid) return;
      clearInterval(timer);
      resolve();
    }, LOOK_MS);
  });
}

function endWith(flight: string, error: unknown): never {
  const ring = join(flight, RING_FOLDER);
  const hint = error instanceof GcspikeError && error.hint !== undefined ? ` ${error.hint}` : "";
  writeProblem(flight, `${reasonOf(error)}${hint}`);
  // The program stops writing when this file is gone. What it wrote is of use where the recorder failed, not where it never ran.
  rmSync(error instanceof GcspikeError ? ring : join(ring, ATTACHED_FILE), { recursive: true, force: true });
  process.exit(1);
}

async function main([
  flight = "",
  pid = "",
  startNs = "",
  startedMs = "",
  ...command
]: readonly string[]): Promise<void> {
  process.on("uncaughtException", (error) => endWith(flight, error));
  closeInherited();
  stepBack();
  const companion = new Companion({ flight, pid: Number(pid), startNs, startedMs: Number(startedMs), command });
  companion.begin();
  await untilEnded(Number(pid));
  setTimeout(() => process.exit(1), ENDING_MS).unref();
  await companion.finish();
  process.exit(0);
}

void main(process.argv.slice(2)).catch((error: unknown) => endWith(process.argv[2] ?? "", error));
