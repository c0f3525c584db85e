// webpack bundles three.js, minified: node webpack.cjs NODE_MODULES
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const [modules] = process.argv.slice(2);
const webpack = require(join(modules, "webpack"));
const output = mkdtempSync(join(tmpdir(), "gcspike-webpack-"));
const config = {
  mode: "production",
  entry: join(modules, "three", "src", "Three.js"),
  output: { path: output, library: { type: "commonjs2" } },
  performance: false,
  cache: false,
};
webpack(config, (error, stats) => {
  rmSync(output, { recursive: true, force: true });
  if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString("errors-only"));
  console.log(stats.toString("errors-warnings"));
});
