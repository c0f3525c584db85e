#!/usr/bin/env node
// CommonJS (package.json beside this file): Node starts it sooner than a module. Node 22 and later also keep compiled code
// on disk for the next start.
require("node:module").enableCompileCache?.();
require("../dist/cli.cjs")
  .main(process.argv.slice(2))
  .then((exitCode) => {
    process.exitCode = exitCode;
  });
