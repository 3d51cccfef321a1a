import * as z from "zod";
import { parseDuration } from "./duration";

/*
 * zot loads its configuration with viper and mapstructure, which convert weakly: a number becomes a string, one value a
 * list of one, "true" a boolean. These schemas accept exactly what that loader accepts and word refusals as it does.
 */

type Issues = { issues: unknown[] };

function refuse(context: Issues, message: string, input: unknown): typeof z.NEVER {
  context.issues.push({ code: "custom", message, input });
  return z.NEVER;
}

/** The name Go's reflection gives the kind of a decoded JSON value. */
function goKind(value: unknown): string {
  if (Array.isArray(value)) return "slice";
  return { object: "map", number: "float64", boolean: "bool" }[typeof value as string] ?? typeof value;
}

function goType(value: unknown): string {
  const kind = goKind(value);
  return { slice: "[]interface {}", map: "map[string]interface {}" }[kind] ?? kind;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const string = z.preprocess((input, context) => {
  if (input === null) return "";
  if (typeof input === "boolean") return input ? "1" : "0";
  if (typeof input === "object") {
    return refuse(context, `expected type 'string', got unconvertible type '${goType(input)}'`, input);
  }
  return String(input);
}, z.string());

const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False", ""];

export const boolean = z.preprocess((input, context) => {
  if (typeof input === "boolean" || typeof input === "number") return Boolean(input);
  if (typeof input === "string" && [...TRUE, ...FALSE].includes(input)) return TRUE.includes(input);
  if (typeof input === "string") {
    return refuse(context, "cannot parse value as 'bool': strconv.ParseBool: invalid syntax", input);
  }
  return refuse(context, `expected type 'bool', got unconvertible type '${goType(input)}'`, input);
}, z.boolean());

export const integer = z.preprocess((input, context) => {
  if (typeof input === "number" || typeof input === "boolean") return Math.trunc(Number(input));
  if (typeof input === "string" && /^[+-]?\d*$/.test(input)) return Number(input);
  if (typeof input === "string") {
    return refuse(context, "cannot parse value as 'int': strconv.ParseInt: invalid syntax", input);
  }
  return refuse(context, `expected type 'int', got unconvertible type '${goType(input)}'`, input);
}, z.number());

export const number = z.preprocess((input, context) => {
  const value = typeof input === "object" || input === "" ? Number.NaN : Number(input);
  return Number.isNaN(value)
    ? refuse(context, `expected type 'float64', got unconvertible type '${goType(input)}'`, input)
    : value;
}, z.number());

/** Milliseconds. A string is a Go duration ("1h30m"), a number counts nanoseconds. */
export const duration = z.preprocess((input, context) => {
  if (typeof input === "number") return input / 1e6;
  if (typeof input === "string") {
    const parsed = parseDuration(input);
    return "error" in parsed ? refuse(context, parsed.error, input) : parsed.milliseconds;
  }
  return refuse(context, `expected type 'time.Duration', got unconvertible type '${goType(input)}'`, input);
}, z.number());

export function list<T extends z.ZodType>(element: T) {
  return z.preprocess((input) => {
    if (Array.isArray(input)) return input;
    return isObject(input) && Object.keys(input).length === 0 ? [] : [input];
  }, z.array(element));
}

export function map<T extends z.ZodType>(value: T) {
  return z.preprocess(
    (input, context) => (isObject(input) ? input : refuse(context, `expected a map, got '${goKind(input)}'`, input)),
    z.record(z.string(), value),
  );
}

export const anything = map(z.unknown());

/** A Go struct: its fields are found whatever their case, a key that is no field is refused. */
export function struct<T extends z.ZodRawShape>(shape: T) {
  const known = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]));
  return z.preprocess((input, context) => {
    if (!isObject(input)) return refuse(context, `expected a map or struct, got "${goKind(input)}"`, input);
    return Object.fromEntries(
      Object.entries(input)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => [known.get(key.toLowerCase()) ?? key, value]),
    );
  }, z.strictObject(shape).partial());
}

/** How zot's Go structs spell the fields whose name is not the JSON key with a capital first letter. */
const GO_NAMES: Record<string, string> = {
  accessControl: "accessControl",
  repositories: "repositories",
  readTimeout: "readTimeout",
  writeTimeout: "writeTimeout",
  http: "HTTP",
  tls: "TLS",
  tlsVerify: "TLSVerify",
  cacert: "CACert",
  ldap: "LDAP",
  openid: "OpenID",
  apikey: "APIKey",
  htpasswd: "HTPasswd",
  externalUrl: "ExternalURL",
  gc: "GC",
  gcDelay: "GCDelay",
  gcInterval: "GCInterval",
  gcTimeWindow: "GCTimeWindow",
  clientid: "ClientID",
  clientsecret: "ClientSecret",
  authURL: "AuthURL",
  tokenURL: "TokenURL",
  urls: "URLs",
  ui: "UI",
  cve: "CVE",
  dbRepository: "DBRepository",
  javaDBRepository: "JavaDBRepository",
  members: "members",
  hashKey: "hashKey",
};

/** The refusal as mapstructure words it, one line per issue: `'HTTP.Auth' has invalid keys: zed`. */
export function describeIssues(schema: z.ZodType, error: z.ZodError): string {
  const lines = error.issues.map((issue) => {
    const place = goPath(schema, issue.path) || "config.Config";
    const problem =
      issue.code === "unrecognized_keys" ? `has invalid keys: ${[...issue.keys].sort().join(", ")}` : issue.message;
    return `'${place}' ${problem}`;
  });
  return `decoding failed due to the following error(s):\n\n${lines.join("\n")}`;
}

function goPath(schema: z.ZodType, path: PropertyKey[]): string {
  let place = "";
  let current: z.core.$ZodType = schema;
  for (const step of path) {
    current = unwrap(current);
    if (current instanceof z.ZodObject) {
      const key = String(step);
      place += `${place === "" ? "" : "."}${GO_NAMES[key] ?? key.charAt(0).toUpperCase() + key.slice(1)}`;
      current = current.shape[key];
    } else {
      place += `[${String(step)}]`;
      current = current instanceof z.ZodArray ? current.element : (current as z.ZodRecord).valueType;
    }
  }
  return place;
}

/** What is inside of preprocessing and of optional fields. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(schema.out);
  return schema instanceof z.ZodOptional ? unwrap(schema.unwrap()) : schema;
}
