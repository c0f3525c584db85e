// eslint checks the sources of three.js with all of its own rules: node eslint.cjs NODE_MODULES
const { join } = require("node:path");

const [modules] = process.argv.slice(2);
const { ESLint } = require(join(modules, "eslint"));
const js = require(require.resolve("@eslint/js", { paths: [join(modules, "eslint")] }));

const eslint = new ESLint({
  cwd: modules,
  overrideConfigFile: true,
  overrideConfig: [{ ignores: ["!**/node_modules/"] }, js.configs.all],
});
eslint.lintFiles([join(modules, "three", "src", "**", "*.js")]).then((results) => {
  console.log(`${results.length} files checked`);
});
