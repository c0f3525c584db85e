"use strict";
// Loaded into a program under proof: what the kernel counted for it, into the file CORPUS_USAGE when the main thread ends.
const { readFileSync, writeFileSync } = require("node:fs");
const { isMainThread } = require("node:worker_threads");

process.on("exit", () => {
  if (!isMainThread) return;
  const { minorPageFault, systemCPUTime, userCPUTime } = process.resourceUsage();
  // Of the main thread: nanoseconds on a processor, and waiting for one.
  const [ran, waited] = readFileSync(`/proc/${process.pid}/schedstat`, "utf8").split(" ").map(Number);
  const usage = {
    faults: minorPageFault,
    systemMs: systemCPUTime / 1e3,
    userMs: userCPUTime / 1e3,
    wallMs: performance.now(),
    ranMs: ran / 1e6,
    waitedMs: waited / 1e6,
  };
  writeFileSync(process.env.CORPUS_USAGE, JSON.stringify(usage));
});
