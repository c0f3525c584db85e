import type { CommandSpec } from "../command.ts";
import type { AgentFlags } from "../run-agent.ts";

export const agentCommand: CommandSpec = {
  name: "agent",
  summary: "run a Node.js program with the always-on recorder of a fleet inside",
  examples: [
    "gcspike agent --port 9464 -- node server.js",
    "gcspike agent --otlp http://localhost:4318 --ship s3://gc-dumps/eu -- node server.js",
    "GCSPIKE_AGENT_PORT=9464 node --import gcspike/agent server.js",
  ],
  configure: (command, { terminal, finish }) => {
    command
      .argument("<command...>", "the program and its arguments")
      .passThroughOptions()
      .option("--port <[address:]port>", "Prometheus may ask here; a port alone is for this machine only")
      .option("--otlp <url>", "send metrics to this OpenTelemetry receiver every 15 s")
      .option("--ship <where>", "ship dumps as Parquet and pprof: /whole/path, or s3://bucket/prefix")
      .option(
        "--trigger <what>",
        "what a dump is kept for, as in gcspike record; again for another (default: pause>100ms)",
        (text: string, before: readonly string[] = []) => [...before, text],
      )
      .option("--keep <duration>", "how much of the time before it is kept (default: 60s)")
      .option("--max-dumps <number>", "keep so many, the oldest go first (default: 10)")
      .option("--max-disk <size>", "take no more than this, half of it for dumps (default: 256MiB)")
      .option("--dir <folder>", "where dumps are kept (default: gcspike-agent-<user> in the system's temporary folder)")
      .action(async (words: readonly string[], flags: AgentFlags) => {
        const { runAgent } = await import("../run-agent.ts");
        finish(await runAgent(words, flags, terminal));
      });
  },
};
