import { describe, expect, test } from "vitest";
import { agentSettings, parseListen, serviceOf } from "../../../src/fleet/settings.ts";

describe("what the agent is told", () => {
  test("nothing: it goes to no network", () => {
    const { listen, otlp, ship, plan } = agentSettings({});
    expect({ listen, otlp, ship }).toEqual({ listen: null, otlp: null, ship: null });
    expect(plan).toMatchObject({ keepMs: 60_000, maxDumps: 10, maxDiskBytes: 256 * 1024 ** 2 });
    expect(plan.triggers).toEqual([{ text: "pause>100ms", on: "pause", limit: 100 }]);
  });

  test("an empty variable is none", () => {
    const { listen, otlp, ship } = agentSettings({
      GCSPIKE_AGENT_PORT: "",
      GCSPIKE_AGENT_OTLP: "",
      GCSPIKE_AGENT_SHIP: "",
    });
    expect({ listen, otlp, ship }).toEqual({ listen: null, otlp: null, ship: null });
  });

  test("everything", () => {
    const { listen, otlp, ship, plan } = agentSettings({
      GCSPIKE_AGENT_PORT: "0.0.0.0:9464",
      GCSPIKE_AGENT_OTLP: "http://collector:4318",
      GCSPIKE_AGENT_SHIP: "s3://gc-dumps/eu/west/",
      GCSPIKE_AGENT_TRIGGER: "pause>50ms,heap.limit",
      GCSPIKE_AGENT_KEEP: "30s",
      GCSPIKE_AGENT_MAX_DUMPS: "3",
      GCSPIKE_AGENT_MAX_DISK: "64MiB",
    });
    expect(listen).toEqual({ host: "0.0.0.0", port: 9464 });
    expect(otlp?.href).toBe("http://collector:4318/v1/metrics");
    expect(ship).toEqual({ type: "s3", bucket: "gc-dumps", prefix: "eu/west" });
    expect(plan.triggers.map(({ text }) => text)).toEqual(["pause>50ms", "heap.limit"]);
    expect(plan).toMatchObject({ keepMs: 30_000, maxDumps: 3, maxDiskBytes: 64 * 1024 ** 2 });
  });

  test.each([
    ["GCSPIKE_AGENT_PORT", "99999"],
    ["GCSPIKE_AGENT_PORT", "http://x:1"],
    ["GCSPIKE_AGENT_OTLP", "collector:4318"],
    ["GCSPIKE_AGENT_SHIP", "relative/folder"],
    ["GCSPIKE_AGENT_SHIP", "s3://UPPER"],
    ["GCSPIKE_AGENT_KEEP", "60"],
    ["GCSPIKE_AGENT_MAX_DUMPS", "-1"],
    ["GCSPIKE_AGENT_MAX_DISK", "much"],
  ])("%s=%s is wrong, and the message names both", (variable, text) => {
    expect(() => agentSettings({ [variable]: text })).toThrow(`${variable} cannot be "${text}".`);
  });
});

test("addresses to listen at", () => {
  expect(parseListen("9464")).toEqual({ host: "127.0.0.1", port: 9464 });
  expect(parseListen("[::]:9464")).toEqual({ host: "::", port: 9464 });
  expect(parseListen("metrics.local:1")).toEqual({ host: "metrics.local", port: 1 });
});

describe("who the program is", () => {
  const command = ["/usr/bin/node", "/srv/server.js", "--secret"];

  test("OpenTelemetry's variables first", () => {
    const env = {
      OTEL_SERVICE_NAME: "checkout",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=other,service.version=1.4.2,deployment.environment=pro%64",
      npm_package_name: "pkg",
      npm_package_version: "9.9.9",
    };
    const { name, version, attributes } = serviceOf(env, command);
    expect({ name, version }).toEqual({ name: "checkout", version: "1.4.2" });
    expect([...attributes]).toEqual([["deployment.environment", "prod"]]);
  });

  test("then npm's, then the script's name", () => {
    expect(serviceOf({ npm_package_name: "@shop/api", npm_package_version: "2.0.0" }, command)).toMatchObject({
      name: "@shop/api",
      version: "2.0.0",
    });
    expect(serviceOf({}, command)).toMatchObject({ name: "server.js", version: "" });
  });

  test("hostile text is one bounded line", () => {
    const { name } = serviceOf({ OTEL_SERVICE_NAME: `a\n\u001b[31m"${"x".repeat(5000)}` }, command);
    expect(name).toMatch(/^a "x+\.\.\.$/);
    expect(name.length).toBeLessThanOrEqual(200);
  });
});
