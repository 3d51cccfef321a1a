import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";

/**
 * Policy conditions as zot compiles and evaluates them (zot 2.1.20, pkg/cel/expression.go: cel-go with one
 * variable `req` of type map(string, dyn), ext.Strings, ext.Sets, ext.Encoders, optional types).
 */
export interface CompiledCondition {
  expression: string;
  /** Type that the checker infers: bool, dyn (known only when it runs), or what can never be a condition. */
  type: string;
  /** What its shape shows that it lets through at most; left out: no limit. */
  limit?: Limit;
  /** Paths under `req` that the expression reads, such as `req.user.username`. */
  reads: readonly string[];
  /** @throws Error when the evaluation fails or gives no boolean; zot then skips the policy */
  holds(request: ConditionRequest): boolean;
}

/** References that a condition lets through at most. */
export interface Limit {
  tags: readonly string[];
  digests: boolean;
}

/** What a condition sees as `req` (zot 2.1.20, pkg/api/authz.go, evalRequest.data). */
export interface ConditionRequest {
  time: Date;
  method: string;
  userAgent: string;
  action: string;
  repository: string;
  reference: string;
  /** tag, digest, or empty for what has no reference, such as a blob upload. */
  referenceType: string;
  tag: string;
  digest: string;
  user: { username: string; groups: readonly string[] };
  auth: { anonymous: boolean; admin: boolean };
  client: { ip: string; forwardedFor: readonly string[] };
  tls: { enabled: boolean; version: string };
  claims: Record<string, unknown>;
}

/** Every path that `req` has; below `req.claims` anything may be. */
export const REQUEST_PATHS: readonly string[] = [
  ..."time method userAgent action repository reference referenceType tag digest claims".split(" "),
  ..."user user.username user.groups auth auth.anonymous auth.admin".split(" "),
  ..."client client.ip client.forwardedFor tls tls.enabled tls.version".split(" "),
].map((path) => `req.${path}`);

export class ConditionError extends Error {}

/** @throws ConditionError where zot refuses to load the configuration */
export function compileCondition(expression: string): CompiledCondition {
  const environment = celEnvironment();
  const checked = environment.check(expression);
  if (!checked.valid) throw new ConditionError(firstLine(checked.error));
  const { ast } = environment.parse(expression);
  const nodes = flatten(ast);
  const limit = limitOf(ast);
  for (const node of nodes) {
    if (isMatches(node)) requireRe2(node);
    if (isConstantTime(node)) requireValue(environment, node);
    if (node.op === "rcall" && node.args[1].op === "id" && node.args[1].args === "cel") {
      throw new ConditionError("undeclared reference to 'cel'");
    }
  }
  const evaluate = environment.parse(asInGo(expression, nodes));
  return {
    expression,
    type: checked.type ?? "dyn",
    ...(limit ? { limit } : {}),
    reads: [...new Set(nodes.flatMap(pathOf))],
    holds: (request) => {
      const result: unknown = evaluate({ req: request });
      if (typeof result !== "boolean") throw new ConditionError(`${expression} gives ${typeof result}, not a boolean`);
      return result;
    },
  };
}

/** By its shape alone: what samples do not show, another client, hour or repository may. */
function limitOf(node: ASTNode): Limit | undefined {
  switch (node.op) {
    case "||": {
      const [a, b] = node.args.map(limitOf);
      return a && b && { tags: [...a.tags, ...b.tags], digests: a.digests || b.digests };
    }
    case "&&": {
      const [a, b] = node.args.map(limitOf);
      if (!a || !b) return a ?? b;
      return { tags: a.tags.filter((tag) => b.tags.includes(tag)), digests: a.digests && b.digests };
    }
    case "==":
      return limitBy(node.args[0], [node.args[1]]) ?? limitBy(node.args[1], [node.args[0]]);
    case "in":
      return node.args[1].op === "list" ? limitBy(node.args[0], node.args[1].args) : undefined;
    default:
      return node.op === "value" && node.args === false ? { tags: [], digests: false } : undefined;
  }
}

/** @param values of which the path is one */
function limitBy(path: ASTNode, values: ASTNode[]): Limit | undefined {
  const [name] = pathOf(path);
  const texts = values.map((value) =>
    value.op === "value" && typeof value.args === "string" ? value.args : undefined,
  );
  if (!texts.every((text) => text !== undefined)) return undefined;
  // A digest has no tag; nor has a blob, of which neither update nor delete is asked.
  if (name === "req.tag") return { tags: texts.filter((text) => text !== ""), digests: texts.includes("") };
  if (name === "req.referenceType" && !texts.includes("tag")) return { tags: [], digests: true };
  return undefined;
}

let shared: Environment | undefined;

function celEnvironment(): Environment {
  shared ??= withExtensions(new Environment({ enableOptionalTypes: true }).registerVariable("req", "map<string, dyn>"));
  return shared;
}

class Sets {}
class Base64 {}
class Strings {}

/** Negative: all of them. */
function replaced(text: string, from: string, to: string, times: number): string {
  if (times < 0) return text.replaceAll(from, () => to);
  const parts = text.split(from);
  return parts.slice(1).reduce((done, part, index) => done + (index < times ? to : from) + part, parts[0] ?? "");
}

/** `%s` and `%d`; what else cel-go's format knows has no use in a condition. */
function formatted(text: string, values: unknown[]): string {
  let next = 0;
  return text.replace(/%(.)/g, (verb, letter: string) => {
    if (letter === "%") return "%";
    if (!"sd".includes(letter) || next >= values.length) throw new ConditionError(`cannot format ${verb}`);
    return String(values[next++]);
  });
}

/** What cel-go has and the library lacks: RE2, the function form of `matches`, sets, base64, more of strings. */
function withExtensions(environment: Environment): Environment {
  const sets = { subset: (a: unknown[], b: unknown[]) => b.every((item) => a.includes(item)) };
  return environment
    .registerFunction(`string.${RE2_METHOD}(string): bool`, matches)
    .registerFunction("matches(string, string): bool", matches)
    .registerFunction(`${NUMERAL}(dyn): dyn`, numeral)
    .registerFunction("string.charAt(int): string", (text: string, at: bigint) => text.charAt(Number(at)))
    .registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction(
      "string.replace(string, string, int): string",
      (text: string, from: string, to: string, times: bigint) => replaced(text, from, to, Number(times)),
    )
    .registerFunction("string.format(list): string", formatted)
    .registerType("Strings", Strings)
    .registerConstant("strings", "Strings", new Strings())
    .registerFunction("Strings.quote(string): string", (_: Strings, text: string) => JSON.stringify(text))
    .registerFunction("string.reverse(): string", (text: string) => [...text].reverse().join(""))
    .registerType("Sets", Sets)
    .registerConstant("sets", "Sets", new Sets())
    .registerFunction("Sets.contains(list, list): bool", (_: Sets, a: unknown[], b: unknown[]) => sets.subset(a, b))
    .registerFunction("Sets.intersects(list, list): bool", (_: Sets, a: unknown[], b: unknown[]) =>
      a.some((item) => b.includes(item)),
    )
    .registerFunction(
      "Sets.equivalent(list, list): bool",
      (_: Sets, a: unknown[], b: unknown[]) => sets.subset(a, b) && sets.subset(b, a),
    )
    .registerType("Base64", Base64)
    .registerConstant("base64", "Base64", new Base64())
    .registerFunction("Base64.encode(bytes): string", (_: Base64, bytes: Uint8Array) =>
      Buffer.from(bytes).toString("base64"),
    )
    .registerFunction("Base64.decode(string): bytes", (_: Base64, text: string) =>
      Uint8Array.from(Buffer.from(text, "base64")),
    );
}

const regularExpressions = new Map<string, RE2JS>();

function matches(text: string, pattern: string): boolean {
  let compiled = regularExpressions.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    // A pattern may come from the request; keep only so many.
    if (regularExpressions.size >= 1000) regularExpressions.clear();
    regularExpressions.set(pattern, compiled);
  }
  return compiled.test(text);
}

/** The library's own functions cannot be replaced, only avoided. */
const RE2_METHOD = "matchesRe2";
const NUMERAL = "numeral";
const CONVERSIONS: ReadonlySet<string> = new Set(["int", "uint", "double"]);

/** The same expression, where `x.matches(y)` is RE2 and `int(x)` takes no text that Go does not take for a number. */
function asInGo(expression: string, nodes: readonly ASTNode[]): string {
  const edits = nodes.flatMap((node): { at: number; remove: string; insert: string }[] => {
    if (node.op === "rcall" && isMatches(node)) {
      return [{ at: expression.indexOf("matches", node.args[1].range.end), remove: "matches", insert: RE2_METHOD }];
    }
    if (node.op !== "call" || !CONVERSIONS.has(node.args[0])) return [];
    return node.args[1].flatMap(({ range }) => [
      { at: range.start, remove: "", insert: `${NUMERAL}(` },
      { at: range.end, remove: "", insert: ")" },
    ]);
  });
  return edits
    .sort((a, b) => b.at - a.at)
    .reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove.length), expression);
}

function numeral(value: unknown): unknown {
  if (typeof value === "string" && !/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(value)) {
    throw new ConditionError(`${JSON.stringify(value)} is not a number`);
  }
  return value;
}

function isMatches(node: ASTNode): boolean {
  return (node.op === "rcall" || node.op === "call") && node.args[0] === "matches";
}

/** cel-go compiles literal patterns when the configuration is loaded, and refuses it if one is not RE2. */
function requireRe2(call: ASTNode): void {
  const parameters = call.op === "rcall" ? call.args[2] : call.op === "call" ? call.args[1] : [];
  const pattern = parameters.at(-1);
  if (pattern?.op !== "value" || typeof pattern.args !== "string") return;
  try {
    RE2JS.compile(pattern.args);
  } catch (error) {
    throw new ConditionError(firstLine(error));
  }
}

const isConstantTime = (node: ASTNode) =>
  node.op === "call" &&
  ["timestamp", "duration"].includes(node.args[0]) &&
  node.args[1].every(({ op }) => op === "value");

/** cel-go folds constants when the configuration is loaded. */
function requireValue(environment: Environment, { input, range }: ASTNode): void {
  try {
    environment.evaluate(input.slice(range.start, range.end));
  } catch (error) {
    throw new ConditionError(firstLine(error));
  }
}

function flatten(node: ASTNode): ASTNode[] {
  return [node, ...childrenOf(node.args).flatMap(flatten)];
}

function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return typeof args === "object" && args !== null && "op" in args ? [args as ASTNode] : [];
}

/** `req.a.b` as text; empty for any other node. Only the longest path of a chain is of use to a reader. */
function pathOf(node: ASTNode): string[] {
  const path = selection(node);
  return path?.startsWith("req.") ? [path] : [];
}

function selection(node: ASTNode): string | undefined {
  if (node.op === "id") return node.args;
  if (node.op !== "." && node.op !== ".?") return undefined;
  const of = selection(node.args[0]);
  return of === undefined ? undefined : `${of}.${node.args[1]}`;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
