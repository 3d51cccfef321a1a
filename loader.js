// Compiles TypeScript as it is required: `node --require ./loader.js FILE.ts`. @swc-node/register would do, but it
// loads the whole TypeScript compiler first, 240 ms of every start (docs/benchmarks.md).
const Module = require("node:module");
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

// Pulumi's SDK requires both to serialize functions, which no program here has it do: half a second of every preview.
// They are loaded when something of them is used.
const POSTPONED = ["typescript", "@npmcli/arborist"];
const load = Module._load;
Module._load = (request, ...rest) => {
  const loaded = () => load(request, ...rest);
  if (!POSTPONED.includes(request)) return loaded();
  return new Proxy({}, { get: (_, key) => key === "__esModule" || loaded()[key] });
};
