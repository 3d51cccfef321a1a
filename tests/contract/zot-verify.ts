import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../sandbox/zot/config/load";
import { InvalidConfig } from "../../sandbox/zot/config/validate";
import { createLogger } from "../../sandbox/zot/log";
import { BINARIES, isLater, Scratch } from "./zot-harness";

const scratch = new Scratch();
afterAll(() => scratch.remove());

const incomplete = scratch.write("incomplete.json", '{"clientid":"a"}');
const excessive = scratch.write("excessive.json", '{"clientid":"a","clientsecret":"b","x":1}');
const complete = scratch.write("complete.json", '{"clientid":"a","clientsecret":"b"}');
const keys = scratch.write("keys.json", '{"hashKey":"abcdefghijklmnop"}');
const wrongKeys = scratch.write("wrong-keys.json", '{"hashKey":"a","foo":1}');

/** A whole configuration with the given members of http and of the rest. */
function config(http: object = {}, rest: object = {}): string {
  const storage = { rootDirectory: join(scratch.path, "root") };
  const log = { output: join(scratch.path, "verify.log") };
  const base = { distSpecVersion: "1.1.1", storage, log, http: { address: "127.0.0.1", port: "0", ...http } };
  return JSON.stringify({ ...base, ...rest });
}

const access = (repositories: object) =>
  config({ auth: { htpasswd: { path: "/nowhere" } }, accessControl: { repositories } });

const openId = (provider: object, name = "oidc") => config({ auth: { openid: { providers: { [name]: provider } } } });

const condition = (expression: string) =>
  access({ "**": { policies: [{ users: ["a"], actions: ["read"], conditions: [{ expression }] }] } });

const issuer = { issuer: "http://unreachable.test", scopes: ["openid"] };
const storage = (more: object) => config({}, { storage: { rootDirectory: join(scratch.path, "root"), ...more } });
const decoding = (problems: string) => `decoding failed due to the following error(s):\n\n${problems}`;
const bad = (problem: string) => `invalid server config: ${problem}`;

const REFUSED: [what: string, text: string, error: string][] = [
  [
    "an unknown key of a policy",
    access({ "**": { anonymousPolicies: ["read"] } }),
    decoding("'HTTP.accessControl.repositories[**]' has invalid keys: anonymouspolicies"),
  ],
  ["an unknown key at the top", config({}, { foo: 1 }), decoding("'config.Config' has invalid keys: foo")],
  [
    "unknown keys everywhere",
    config({ Bar: 2, auth: { zed: 1 } }, { foo: 1 }),
    decoding("'HTTP.Auth' has invalid keys: zed\n'HTTP' has invalid keys: bar\n'config.Config' has invalid keys: foo"),
  ],
  [
    "unknown keys of extensions",
    config(
      { tls: { certs: "x" } },
      { extensions: { search: { enabled: true }, sync: { registries: [{ url: "x" }] } } },
    ),
    decoding(
      "'HTTP.TLS' has invalid keys: certs\n'Extensions.Search' has invalid keys: enabled\n'Extensions.Sync.Registries[0]' has invalid keys: url",
    ),
  ],
  ["a file cut short", "{", "While parsing config: unexpected end of JSON input"],
  ["an empty object", "{}", bad("failed to load config due to the absence of any key:value pair")],
  ["a list", "[]", "While parsing config: json: cannot unmarshal array into Go value of type map[string]interface {}"],
  ["something after the end", `${config()}x`, "While parsing config: invalid character 'x' after top-level value"],
  ["a port too high", config({ port: "70000" }), bad("invalid port 70000")],
  ["a port that is no number", config({ port: "http" }), bad("invalid port http")],
  ["a bad duration", storage({ gcDelay: "1 hour" }), decoding("'Storage.GCDelay' time: unknown unit")],
  [
    "a bad boolean",
    storage({ gc: "maybe" }),
    decoding("'Storage.GC' cannot parse value as 'bool': strconv.ParseBool: invalid syntax"),
  ],
  ["a negative interval", storage({ gcInterval: "-1h" }), bad("invalid garbage-collect interval specified")],
  ["a bad log level", config({}, { log: { level: "loud" } }), bad("invalid log level 'loud'")],
  [
    "a provider zot does not know",
    openId({ ...issuer, clientid: "a" }, "okta"),
    bad("unsupported openid/oauth2 provider"),
  ],
  [
    "no issuer",
    openId({ clientid: "a", scopes: ["openid"] }),
    bad("OpenID provider config requires clientid, issuer and scopes parameters"),
  ],
  [
    "no scopes",
    openId({ clientid: "a", issuer: "http://x" }),
    bad("OpenID provider config requires clientid, issuer and scopes parameters"),
  ],
  ["no client id", openId(issuer), bad("OpenID provider config requires clientid, issuer and scopes parameters")],
  [
    "a missing credentials file",
    openId({ ...issuer, credentialsFile: "/nowhere.json" }),
    "invalid server config\nopen /nowhere.json: no such file or directory",
  ],
  [
    "a credentials file without the secret",
    openId({ ...issuer, credentialsFile: incomplete }),
    bad("failed to load secret file due to unset keys"),
  ],
  [
    "a credentials file with more",
    openId({ ...issuer, credentialsFile: excessive }),
    bad("failed to load secret file due to unknown keys"),
  ],
  [
    "session keys with more",
    config({ auth: { sessionKeysFile: wrongKeys } }),
    bad("failed to load secret file due to unknown keys"),
  ],
  [
    "policies without authentication",
    config({ accessControl: { repositories: { "**": { defaultPolicy: ["read"] } } } }),
    bad(
      "access control config requires one of htpasswd, ldap, openid or mTLS authentication or using only 'anonymousPolicy' policies",
    ),
  ],
  [
    "a condition that does not parse",
    condition("req.tag =="),
    bad('repositories["**"].policies[0]: condition[0]: failed to parse the CEL expression'),
  ],
  [
    "a condition on a variable that is not",
    condition("tag == 'x'"),
    bad('repositories["**"].policies[0]: condition[0]: failed to parse the CEL expression'),
  ],
  [
    "a bad pattern",
    access({ "apps/[": { anonymousPolicy: ["read"] } }),
    "syntax error in pattern: failed to compile authorization pattern",
  ],
  [
    "an object among users",
    access({ "**": { policies: [{ users: { a: 1 }, actions: ["read"] }] } }),
    decoding(
      "'HTTP.accessControl.repositories[**].Policies[0].Users[0]' expected type 'string', got unconvertible type 'map[string]interface {}'",
    ),
  ],
  [
    "a condition that is a string",
    access({ "**": { policies: [{ users: ["a"], actions: ["read"], conditions: "x" }] } }),
    decoding(`'HTTP.accessControl.repositories[**].Policies[0].Conditions[0]' expected a map or struct, got "string"`),
  ],
  ["http as a string", config({}, { http: "x" }), decoding(`'HTTP' expected a map or struct, got "string"`)],
  [
    "apikey yes",
    config({ auth: { apikey: "yes" } }),
    decoding("'HTTP.Auth.APIKey' cannot parse value as 'bool': strconv.ParseBool: invalid syntax"),
  ],
  [
    "failDelay in words",
    config({ auth: { failDelay: "five" } }),
    decoding("'HTTP.Auth.FailDelay' cannot parse value as 'int': strconv.ParseInt: invalid syntax"),
  ],
  [
    "ui without search",
    config({}, { extensions: { ui: { enable: true } } }),
    bad("failed to enable ui, search extension must be enabled"),
  ],
  [
    "a metrics path without a slash",
    config({}, { extensions: { metrics: { prometheus: { path: "metrics" } } } }),
    "invalid server config\nmetrics path must start with /",
  ],
  [
    "redis sessions with session keys",
    config({ auth: { sessionDriver: { name: "redis", url: "redis://x" }, sessionKeysFile: keys } }),
    bad("session keys not supported when redis session driver is used!"),
  ],
  [
    "a cluster key too short",
    config({}, { cluster: { members: ["a:1"], hashKey: "short" } }),
    bad("hashKey for scale out cluster must have 16 characters"),
  ],
  [
    "retries without a delay",
    config({}, { extensions: { sync: { registries: [{ urls: ["http://x"], maxRetries: 3 }] } } }),
    bad("retryDelay is required when using maxRetries"),
  ],
];

const ACCEPTED: [what: string, text: string][] = [
  ["the least", config()],
  ["keys in any case", config({}, { Http: undefined, STORAGE: { RootDirectory: "/tmp/x" } })],
  ["a number for a port", config({ port: 5000 })],
  ["true for a port", config({ port: true })],
  ["a number for an address", config({ address: 5 })],
  ["a number of nanoseconds", storage({ gcDelay: 5 })],
  ["failDelay in a string", config({ auth: { failDelay: "5" } })],
  ["apikey in a string", config({ auth: { apikey: "true" } })],
  ["actions that are none", access({ "**": { anonymousPolicy: ["reed", "*"] } })],
  ["a string for a list", access({ "**": { anonymousPolicy: "read" } })],
  ["an object for a list of policies", access({ "**": { policies: { users: ["a"], actions: ["read"] } } })],
  ["a number for users", access({ "**": { policies: [{ users: 5, actions: ["read"] }] } })],
  ["groups that are not defined", access({ "**": { policies: [{ groups: ["nobody"], actions: ["read"] }] } })],
  ["a bad pattern with nothing in it", access({ "apps/[": {} })],
  ["a condition on a field that is not", condition("req.nope")],
  ["a condition that is a number", condition("1+1")],
  ["an issuer that cannot be reached", openId({ ...issuer, credentialsFile: complete })],
  ["credentials in the file itself", openId({ ...issuer, clientid: "a", clientsecret: "b" })],
  ["a TLS certificate that is not there", config({ tls: { cert: "/nowhere", key: "/nowhere" } })],
  ["junk for an external URL", config({ externalUrl: "::junk" })],
  ["a key twice", config().replace('"http":{', '"http":{"port":"1"},"http":{')],
  [
    "only anonymous policies and no authentication",
    config({ accessControl: { repositories: { "**": { anonymousPolicy: ["read"] } } } }),
  ],
  [
    "only a metrics policy and no authentication",
    config({ accessControl: { metrics: { anonymousPolicy: ["read"] } } }),
  ],
  ["session keys", config({ auth: { sessionKeysFile: keys } })],
  ["a cluster", config({}, { cluster: { members: ["a:1"], hashKey: "1234567890123456" } })],
  ["another specification version", config({}, { distSpecVersion: "1.0.0" })],
  ["null for a section", config({ auth: null })],
  ["compat with docker, and with what is not", config({ compat: ["docker2s2", "foo"] })],
  ["a timeout in nanoseconds", config({ readTimeout: 600 })],
  ["a timeout before the request", config({ readTimeout: "-1s", writeTimeout: "0s" })],
];

/** The reason for a refusal, or undefined: the stand-in is asked in this process, a real zot by its command. */
function refusal(binary: string, text: string): string | undefined {
  const path = scratch.write("config.json", text);
  if (binary === BINARIES[0]?.[1]) {
    try {
      loadConfig(path, createLogger({ output: join(scratch.path, "verify.log") }));
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidConfig);
      return (error as Error).message;
    }
  }
  const { status, stderr } = spawnSync(binary, ["verify", path], { encoding: "utf8" });
  return status === 0 ? undefined : stderr.replace(/^Error: /, "");
}

describe.each(BINARIES)("%s verify", (_, binary) => {
  it.each([
    ["manifestCheckInterval", "1m"],
    ["reqConcurrent", 3],
    ["reqPerSec", 2.5],
    ["disableHTTP2", true],
    ["maxIdleConnsPerHost", 3],
  ])("knows %s of a cache from zot 2.1.21 on", (key, value) => {
    const registry = { urls: ["https://upstream.test"], onDemand: true, [key]: value };
    const said = refusal(binary, config({}, { extensions: { sync: { registries: [registry] } } }));
    const refused = `'Extensions.Sync.Registries[0]' has invalid keys: ${key.toLowerCase()}`;
    expect(said).toEqual(isLater(binary) ? undefined : expect.stringContaining(refused));
  });

  it.each(REFUSED)("refuses %s", (_what, text, error) => {
    expect(refusal(binary, text)).toContain(error);
  });

  it.each(ACCEPTED)("accepts %s", (_what, text) => {
    expect(refusal(binary, text)).toBeUndefined();
  });
});

describe.each(BINARIES)("%s on the command line", (_, binary) => {
  const run = (...args: string[]) => spawnSync(binary, args, { encoding: "utf8", cwd: "/" });
  const lines = (stdout: string) =>
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));

  it("ends verify with 0 or 1 and says which in the last line on stdout", () => {
    const path = scratch.write("config.json", config());
    const valid = run("verify", path);
    expect([valid.status, valid.stderr]).toEqual([0, ""]);
    expect(lines(valid.stdout).at(-1)).toMatchObject({ level: "info", message: "config file is valid", config: path });
    scratch.write("config.json", config({ Bar: 1 }));
    const invalid = run("verify", path);
    expect([invalid.status, invalid.stderr]).toEqual([1, `Error: ${decoding("'HTTP' has invalid keys: bar")}\n`]);
    expect(lines(invalid.stdout).at(-1)).toMatchObject({
      level: "error",
      message: "invalid config file",
      config: path,
    });
    expect(lines(invalid.stdout)[0]).toMatchObject({ level: "error", message: "failed to unmarshal new config" });
    expect(run("verify").status).toBe(0);
  });

  it("says its version in one line of JSON", () => {
    const version = JSON.parse(execFileSync(binary, ["--version"], { encoding: "utf8" }));
    expect(version).toMatchObject({ level: "info", message: "version", "distribution-spec": "1.1.1" });
    expect(version.commit).toMatch(isLater(binary) ? /^v2\.1\.|^[0-9a-f]+/ : /^v2\.1\.20-/);
    expect(Number.isNaN(Date.parse(version.time))).toBe(false);
  });

  it("ends with 1 for what it cannot do", () => {
    expect(run("serve").status).toBe(1);
    expect(run("serve", scratch.write("config.json", config({ port: "99999" }))).status).toBe(1);
    expect(run("nonsense").status).toBe(1);
  });
});

describe("the stand-in alone", () => {
  it("says that it has no schema", () => {
    const { status, stderr } = spawnSync(BINARIES[0]?.[1] as string, ["schema"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, expect.stringContaining("the zot stand-in has no schema")]);
  });

  it("does not start with what it cannot do", () => {
    const path = scratch.write("ldap.json", config({ auth: { ldap: { address: "x" } } }));
    const { status, stderr } = spawnSync(BINARIES[0]?.[1] as string, ["serve", path], { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, expect.stringContaining("the zot stand-in has no http.auth.ldap")]);
  });
});
