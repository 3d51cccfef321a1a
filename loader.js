// Compiles TypeScript as it is required: `node --require ./loader.js FILE.ts`. @swc-node/register would do, but it
// loads the whole TypeScript compiler first, 240 ms of every start (docs/benchmarks.md).
const { transformSync } = require("@swc/core");
const { addHook } = require("pirates");

const compile = (code, filename) =>
  transformSync(code, {
    filename,
    configFile: false,
    swcrc: false,
    module: { type: "commonjs" },
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
    sourceMaps: "inline",
  }).code;

addHook(compile, { exts: [".ts"], ignoreNodeModules: true });
