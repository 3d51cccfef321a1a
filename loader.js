// Compiles TypeScript as it is required: `node --require ./loader.js FILE.ts`. @swc-node/register would do, but it
// loads the whole TypeScript compiler first, 240 ms of every start (docs/benchmarks.md).
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");
const { addHook } = require("pirates");

const transform = (code, filename) =>
  require("@swc/core").transformSync(code, {
    filename,
    configFile: false,
    swcrc: false,
    module: { type: "commonjs" },
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
    sourceMaps: "inline",
  }).code;

const CACHE = join(__dirname, "node_modules/.cache/loader");
/** What a compiled text depends on besides the text: the compiler, and how it is asked. */
const COMPILER = [join(__dirname, "node_modules/@swc/core/package.json"), __filename]
  .map((file) => readFileSync(file))
  .join();

/** Kept by content: compiling is a quarter of the start of every process. */
const compile = (code, filename) => {
  const kept = join(CACHE, createHash("sha1").update(COMPILER).update(filename).update(code).digest("hex"));
  return read(kept) || keep(kept, transform(code, filename));
};

const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const keep = (path, text) => {
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(`${path}.${process.pid}`, text);
    renameSync(`${path}.${process.pid}`, path);
  } catch {
    // A tree that only others may write to is compiled anew each time.
  }
  return text;
};

addHook(compile, { exts: [".ts"], ignoreNodeModules: true });

// Pulumi's SDK requires the first two to serialize functions, which no program here has it do: half a second of every preview.
// The third are zod's messages in fifty languages. They are loaded when something of them is used.
const POSTPONED = ["typescript", "@npmcli/arborist", "../locales/index.cjs"];
// Asked for first of all by what runs a Pulumi program (cmd/run/index.js of 3.270). It looks every line of a stack up in the source
// maps, and Pulumi reads the stack of every resource: a tenth of a preview. It finds none for what is compiled in memory
// (docs/facts.md, errors).
const RUNS_PULUMI = "source-map-support/register";
const load = Module._load;
Module._load = (request, ...rest) => {
  const loaded = () => load(request, ...rest);
  if (request === RUNS_PULUMI) return shortenStacks();
  if (!POSTPONED.includes(request)) return loaded();
  return new Proxy({}, { get: (_, key) => key === "__esModule" || loaded()[key] });
};

/**
 * Node 20.20's util.inspect, in colours, never returns on a stack line whose file lies directly in node_modules or in a scope of
 * it; Pulumi 3.270 inspects every error so, and its own stack has such lines (docs/facts.md, errors).
 */
const shortenStacks = () => {
  const shorten = (error) => {
    if (!(error instanceof Error) || !error.stack) return;
    const lines = error.stack.split("\n").filter((line) => !/^\s+at .*node_modules/.test(line));
    error.stack = lines.join("\n");
  };
  // Before Pulumi's own listeners, which come later and print the error.
  for (const event of ["unhandledRejection", "uncaughtException"]) process.on(event, shorten);
};
