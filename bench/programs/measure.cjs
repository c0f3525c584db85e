// Preloaded into what is measured (--require): at exit, writes the process's own CPU time, wall
// time and peak memory to $BENCH_RESULT.<name of the script>.json.
const { writeFileSync } = require("node:fs");
const { basename } = require("node:path");

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const result = {
    cpuMs: (userCPUTime + systemCPUTime) / 1000,
    wallMs: performance.now(),
    maxRssBytes: maxRSS * 1024,
  };
  writeFileSync(`${process.env.BENCH_RESULT}.${basename(process.argv[1] ?? "none")}.json`, JSON.stringify(result));
});
