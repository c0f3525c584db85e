#!/usr/bin/env node
// CommonJS (package.json beside this file): Node starts it sooner than a module. Node 22 and later also keep compiled code
// on disk for the next start.
require("node:module").enableCompileCache?.();
require("../dist/cli.cjs")
  .main(process.argv.slice(2))
  .then((exitCode) => {
    // Not by coming to its end, where Node waits for tasks of its threads: on glibc 2.36 it was seen to wait for ever (a wake-up that is
    // lost, glibc bug 25847). Everything is written by now, at once.
    process.exit(exitCode);
  });
