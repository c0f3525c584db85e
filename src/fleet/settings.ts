/** What the always-on agent is told by variables (docs/agent.md), and who the program says it is. */
import { usageError } from "../lib/errors.ts";
import { programName } from "../lib/program-name.ts";
import { plainText } from "../lib/text.ts";
import { parseDuration, parseSize } from "../lib/units.ts";
import { type FlightPlan, planFlight } from "../recorder/flight/flight-options.ts";

/** A dump that is not shipped after so long will not be, ms. */
export const SHIP_TIMEOUT_MS = 120_000;

/** The variables, in the order in which `gcspike agent` names its options. */
export const VARIABLES = {
  port: "GCSPIKE_AGENT_PORT",
  otlp: "GCSPIKE_AGENT_OTLP",
  ship: "GCSPIKE_AGENT_SHIP",
  trigger: "GCSPIKE_AGENT_TRIGGER",
  keep: "GCSPIKE_AGENT_KEEP",
  maxDumps: "GCSPIKE_AGENT_MAX_DUMPS",
  maxDisk: "GCSPIKE_AGENT_MAX_DISK",
  dir: "GCSPIKE_AGENT_DIR",
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Where dumps go besides the local disk. */
export type Destination =
  | { readonly type: "folder"; readonly path: string }
  | { readonly type: "s3"; readonly bucket: string; readonly prefix: string };

export interface AgentSettings {
  /** Where Prometheus may ask; null: nowhere. */
  readonly listen: Listen | null;
  /** Where metrics are sent; null: nowhere. */
  readonly otlp: URL | null;
  readonly ship: Destination | null;
  readonly plan: FlightPlan;
}

const TRIGGERS = "pause>100ms";
/** A quarter of what a person who sits beside it grants. */
const MAX_DISK_BYTES = 256 * 1024 ** 2;

/** @throws a usage error that names the variable */
export function agentSettings(env: Environment): AgentSettings {
  const { port, otlp, ship, trigger, keep, maxDumps, maxDisk } = VARIABLES;
  return {
    listen: given(env, port, parseListen),
    otlp: given(env, otlp, parseReceiver),
    ship: given(env, ship, parseDestination),
    plan: planFlight({
      triggers: (env[trigger] || TRIGGERS).split(","),
      keepMs: given(env, keep, (text) => parseDuration(keep, text)) ?? undefined,
      maxDumps: given(env, maxDumps, (text) => parseCount(maxDumps, text)) ?? undefined,
      maxDiskBytes: given(env, maxDisk, (text) => parseSize(maxDisk, text)) ?? MAX_DISK_BYTES,
    }),
  };
}

function given<T>(env: Environment, variable: string, parse: (text: string) => T): T | null {
  const text = env[variable];
  return text === undefined || text === "" ? null : parse(text);
}

function parseCount(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`${name} cannot be "${plainText(text)}".`, "Give a whole number: 10");
}

/** `9464`, which only this machine reaches, or `0.0.0.0:9464`, `[::]:9464`. */
export function parseListen(text: string): Listen {
  const match = /^(?:(\[[\da-fA-F:.]+\]|[\w.-]+):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw usageError(
      `${VARIABLES.port} cannot be "${plainText(text)}".`,
      "Give a port, 9464, or an address and a port, 0.0.0.0:9464",
    );
  }
  return { host: (match[1] ?? "127.0.0.1").replaceAll(/[[\]]/g, ""), port };
}

function parseReceiver(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageError(
      `${VARIABLES.otlp} cannot be "${plainText(text)}".`,
      "Give the address of a receiver: http://localhost:4318",
    );
  }
  if (url.pathname === "/") url.pathname = "/v1/metrics";
  return url;
}

function parseDestination(text: string): Destination {
  if (text.startsWith("/")) return { type: "folder", path: text };
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/.exec(text) ?? [];
  if (bucket !== undefined) return { type: "s3", bucket, prefix };
  throw usageError(
    `${VARIABLES.ship} cannot be "${plainText(text)}".`,
    "Give a folder with its whole path, or s3://bucket/prefix",
  );
}

/** Who is recorded. */
export interface Service {
  readonly name: string;
  /** "" where the program does not say. */
  readonly version: string;
  /** What else OTEL_RESOURCE_ATTRIBUTES says. */
  readonly attributes: ReadonlyMap<string, string>;
}

const MOST_ATTRIBUTES = 30;
const ATTRIBUTE_CHARACTERS = 200;

/** By OpenTelemetry's variables, else those of npm, else the name of the script. */
export function serviceOf(env: Environment, command: readonly string[]): Service {
  const attributes = resourceAttributes(env.OTEL_RESOURCE_ATTRIBUTES ?? "");
  const [named, versioned] = [attributes.get("service.name"), attributes.get("service.version")];
  attributes.delete("service.name");
  attributes.delete("service.version");
  return {
    name: plainText(env.OTEL_SERVICE_NAME || named || env.npm_package_name || programName(command) || "node"),
    version: plainText(versioned || env.npm_package_version || ""),
    attributes,
  };
}

/** `key=value,key=value`, percent-encoded (https://opentelemetry.io/docs/specs/otel/resource/sdk). */
function resourceAttributes(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(",").slice(0, MOST_ATTRIBUTES)) {
    const at = part.indexOf("=");
    if (at > 0) found.set(decoded(part.slice(0, at).trim()), decoded(part.slice(at + 1).trim()));
  }
  return found;
}

function decoded(text: string): string {
  try {
    return plainText(decodeURIComponent(text), ATTRIBUTE_CHARACTERS);
  } catch {
    return plainText(text, ATTRIBUTE_CHARACTERS);
  }
}
