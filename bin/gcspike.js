#!/usr/bin/env node
import module from "node:module";

// Node 22 and later keep compiled code on disk, so that the next start is faster.
module.enableCompileCache?.();
const { main } = await import("../dist/cli.js");
process.exitCode = await main(process.argv.slice(2));
