import { describe, expect, it } from "vitest";
import { OperatorError } from "../operator/error";
import { parseSettings, type RawSettings } from "./settings";

const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFAkJFdMp4+lyNATKqECyzlGm2AJYbVtPjNKTjHL/x3s";

/** A fresh copy of settings that are all right, to be spoilt in one place. */
function good() {
  return {
    "authentik:url": "https://authentik.example.test",
    "harden-zot:registry": {
      externalUrl: "https://registry.example.test",
      version: "2.1.20",
      listen: { address: "127.0.0.1", port: 5050 },
      storage: { rootDirectory: "/srv/zot" } as Record<string, unknown>,
      pullThrough: [{ name: "docker.io", url: "https://registry-1.docker.io" }] as Record<string, unknown>[],
      search: {} as Record<string, unknown>,
    } as Record<string, unknown>,
    "harden-zot:hosts": [
      {
        address: "registry-host",
        user: "zot",
        hostKey: HOST_KEY,
        zot: "/usr/local/bin/zot",
        configDirectory: "/etc/zot",
        service: { manager: "systemd", name: "zot" } as Record<string, unknown>,
      } as Record<string, unknown>,
    ],
    "harden-zot:identity": undefined as Record<string, unknown> | undefined,
    "harden-zot:access": {
      admins: { group: "admins" },
      tags: { mutable: ["latest"], format: "^v\\d+$" } as Record<string, unknown>,
    } as Record<string, unknown>,
    "harden-zot:ci": [
      { name: "zot-ci", group: "artifact-workloads", repositories: ["team/**"] } as Record<string, unknown>,
    ],
  };
}

type Good = ReturnType<typeof good>;

function messageOf(spoil: (settings: Good) => void): string {
  const settings = good();
  spoil(settings);
  try {
    parseSettings(settings as unknown as RawSettings);
  } catch (error) {
    expect(error).toBeInstanceOf(OperatorError);
    return (error as Error).message;
  }
  return "accepted";
}

const registry = (settings: Good) => settings["harden-zot:registry"];
const host = (settings: Good) => settings["harden-zot:hosts"][0] as Record<string, unknown>;
const service = (settings: Good, value: unknown) => {
  host(settings).service = value;
};
const access = (settings: Good) => settings["harden-zot:access"];
const tags = (settings: Good) => access(settings).tags as Record<string, unknown>;
const ci = (settings: Good) => settings["harden-zot:ci"][0] as Record<string, unknown>;

const HASH_KEY = "0123456789abcdef";
const scaleOut = (settings: Good, value: unknown) => {
  registry(settings).scaleOut = value;
};

/** What is spoilt, the key and value the error must name, and the part that says what is allowed. */
const BAD: [string, (settings: Good) => void, string, string][] = [
  [
    "no Authentik URL",
    (s) => Object.assign(s, { "authentik:url": undefined }),
    "authentik:url is missing",
    "http:// or https://",
  ],
  [
    "an Authentik URL with a password",
    (s) => Object.assign(s, { "authentik:url": "https://a:b@x.test" }),
    "authentik:url",
    "without query, fragment, user or password",
  ],
  [
    "no registry",
    (s) => Object.assign(s, { "harden-zot:registry": undefined }),
    "harden-zot:registry is missing",
    "externalUrl",
  ],
  [
    "an unknown key",
    (s) => Object.assign(registry(s), { exernalUrl: "x" }),
    "harden-zot:registry.exernalUrl is not a setting",
    "externalUrl, version",
  ],
  [
    "an external URL without a scheme",
    (s) => Object.assign(registry(s), { externalUrl: "registry.example.test" }),
    'externalUrl = "registry.example.test"',
    "http:// or https:// URL",
  ],
  [
    "an external URL with a query",
    (s) => Object.assign(registry(s), { externalUrl: "https://x.test/?a=1" }),
    "externalUrl",
    "without query",
  ],
  ...[
    "https://registry$(touch x).test",
    "https://r.test/`id`",
    "https://r.test/a b",
    "https://r.test/'x",
    "https://r.test;id",
  ].map((externalUrl): (typeof BAD)[0] => [
    `an external URL that a shell would read: ${externalUrl}`,
    (s) => Object.assign(registry(s), { externalUrl }),
    `externalUrl = "${externalUrl}"`,
    "a host name or address, a port, a path",
  ]),
  [
    "an Authentik URL that is not TLS, off loopback",
    (s) => Object.assign(s, { "authentik:url": "http://authentik.example.test" }),
    'authentik:url = "http://authentik.example.test"',
    "put TLS in front of it",
  ],
  [
    "a group's name in two lines",
    (s) => Object.assign(access(s), { admins: { group: "admins\nusers" } }),
    "admins.group",
    "in one line",
  ],
  [
    "an external URL that is not TLS, off loopback",
    (s) => Object.assign(registry(s), { externalUrl: "http://registry.example.test" }),
    'externalUrl = "http://registry.example.test"',
    "put TLS in front of it",
  ],
  [
    "an external URL whose host only begins like loopback",
    (s) => Object.assign(registry(s), { externalUrl: "http://127.0.0.1.example.test" }),
    'externalUrl = "http://127.0.0.1.example.test"',
    "https:// URL",
  ],
  [
    "a version that is no version",
    (s) => Object.assign(registry(s), { version: "latest" }),
    'version = "latest"',
    "such as 2.1.20",
  ],
  [
    "a version with a v",
    (s) => Object.assign(registry(s), { version: "v2.1.20" }),
    'version = "v2.1.20"',
    "such as 2.1.20",
  ],
  [
    "a port out of range",
    (s) => Object.assign(registry(s), { listen: { address: "0.0.0.0", port: 70000 } }),
    "listen.port = 70000",
    "1 to 65535",
  ],
  [
    "a port as text",
    (s) => Object.assign(registry(s), { listen: { address: "0.0.0.0", port: "5050" } }),
    'listen.port = "5050"',
    "1 to 65535",
  ],
  [
    "a listen address that is a name",
    (s) => Object.assign(registry(s), { listen: { address: "localhost", port: 1 } }),
    'listen.address = "localhost"',
    "IP address",
  ],
  [
    "a relative storage path",
    (s) => Object.assign(registry(s), { storage: { rootDirectory: "zot" } }),
    'rootDirectory = "zot"',
    "absolute path",
  ],
  [
    "a storage path that climbs",
    (s) => Object.assign(registry(s), { storage: { rootDirectory: "/srv/../etc" } }),
    "rootDirectory",
    "must not climb",
  ],
  [
    "a duration zot cannot read",
    (s) => Object.assign(registry(s).storage as object, { gcDelay: "1 day" }),
    'gcDelay = "1 day"',
    "Go duration",
  ],
  ["gc as text", (s) => Object.assign(registry(s).storage as object, { gc: "yes" }), 'gc = "yes"', "true or false"],
  [
    "a cache named twice",
    (s) => (registry(s).pullThrough as object[]).push({ name: "docker.io", url: "https://x.test" }),
    "pullThrough",
    "must not name a cache twice",
  ],
  [
    "a cache with a slash in its name",
    (s) => Object.assign(registry(s), { pullThrough: [{ name: "a/b", url: "https://x.test" }] }),
    'pullThrough[0].name = "a/b"',
    "one repository path component",
  ],
  [
    "a cache without URL",
    (s) => Object.assign(registry(s), { pullThrough: [{ name: "ghcr.io" }] }),
    "pullThrough[0].url is missing",
    "http:// or https://",
  ],
  [
    "an unknown compat",
    (s) => Object.assign(registry(s), { compat: ["docker2"] }),
    'compat[0] = "docker2"',
    "one of: docker2s2",
  ],
  [
    "an unknown metrics mode",
    (s) => Object.assign(registry(s), { metrics: "public" }),
    'metrics = "public"',
    '"anonymous", "off"',
  ],
  [
    "metrics for nobody",
    (s) => Object.assign(registry(s), { metrics: { users: [] } }),
    "metrics.users = []",
    "at least one user",
  ],
  [
    "a UI without search",
    (s) => Object.assign(registry(s), { search: undefined, ui: true }),
    "registry.ui = true",
    "needs search",
  ],
  [
    "a timeout that is a number",
    (s) => Object.assign(registry(s), { timeouts: { read: 600 } }),
    "harden-zot:registry.timeouts.read = 600",
    'write "600s" for 600 seconds; zot takes a number without a unit for nanoseconds',
  ],
  [
    "a timeout that is a number in quotes",
    (s) => Object.assign(registry(s), { timeouts: { write: "600" } }),
    'harden-zot:registry.timeouts.write = "600"',
    'write "600s" for 600 seconds',
  ],
  [
    "no timeout at all",
    (s) => Object.assign(registry(s), { timeouts: { read: "0s" } }),
    'harden-zot:registry.timeouts.read = "0s"',
    "of at least 1s",
  ],
  [
    "an unknown log level",
    (s) => Object.assign(registry(s), { logLevel: "loud" }),
    'logLevel = "loud"',
    "debug, info, warn, error",
  ],
  ["a realm with quotes", (s) => Object.assign(registry(s), { realm: 'a"b' }), "realm", "letters, digits"],
  [
    "extraConfig that is a list",
    (s) => Object.assign(registry(s), { extraConfig: [] }),
    "extraConfig = []",
    "object of zot's own keys",
  ],
  [
    "a cluster of one",
    (s) => scaleOut(s, { cluster: { members: ["a:1"], hashKey: HASH_KEY } }),
    'scaleOut.cluster.members = ["a:1"]',
    "at least two",
  ],
  [
    "a member twice",
    (s) => scaleOut(s, { cluster: { members: ["a:1", "a:1"], hashKey: HASH_KEY } }),
    'members = ["a:1","a:1"]',
    "twice",
  ],
  [
    "a member without a port",
    (s) => scaleOut(s, { cluster: { members: ["a:1", "b"], hashKey: HASH_KEY } }),
    'members[1] = "b"',
    "HOST:PORT",
  ],
  [
    "a member with an impossible port",
    (s) => scaleOut(s, { cluster: { members: ["a:1", "b:70000"], hashKey: HASH_KEY } }),
    'members[1] = "b:70000"',
    "1 to 65535",
  ],
  [
    "a hashKey of 15 characters",
    (s) => scaleOut(s, { cluster: { members: ["a:1", "b:1"], hashKey: HASH_KEY.slice(1) } }),
    "scaleOut.cluster.hashKey",
    "exactly 16",
  ],
  [
    "a hashKey of 16 characters that are more bytes",
    (s) => scaleOut(s, { cluster: { members: ["a:1", "b:1"], hashKey: "ä123456789abcdef" } }),
    'hashKey = "ä123456789abcdef"',
    "ASCII",
  ],
  [
    "S3 without a region",
    (s) => scaleOut(s, { s3: { bucket: "zot" } }),
    "scaleOut.s3.region is missing",
    "eu-central-1",
  ],
  [
    "a bucket in upper case",
    (s) => scaleOut(s, { s3: { bucket: "Zot", region: "x" } }),
    'bucket = "Zot"',
    "lower-case",
  ],
  [
    "S3 keys in a setting",
    (s) => scaleOut(s, { s3: { bucket: "zot", region: "x", secretKey: "hunter2" } }),
    "scaleOut.s3.secretKey is not a setting",
    "bucket, region",
  ],
  [
    "a redis of another scheme",
    (s) => scaleOut(s, { redis: { url: "http://redis:6379" } }),
    'redis.url = "http://redis:6379"',
    "redis://",
  ],
  [
    "a redis with a password",
    (s) => scaleOut(s, { redis: { url: "redis://:hunter2@redis:6379" } }),
    'redis.url = "redis://***@redis:6379"',
    "no password",
  ],
  [
    "a redis socket with a password",
    (s) => scaleOut(s, { redis: { url: "unix://u:hunter2@/run/redis.sock" } }),
    'redis.url = "unix://***@/run/redis.sock"',
    "no password",
  ],
  [
    "a scan for vulnerabilities in S3",
    (s) => {
      scaleOut(s, { s3: { bucket: "zot", region: "x" } });
      Object.assign(registry(s), { search: { cve: { updateInterval: "24h" } } });
    },
    "search.cve",
    "local storage alone",
  ],
  [
    "a port of a host's own that is none",
    (s) => Object.assign(host(s), { listen: { address: "127.0.0.1", port: 0 } }),
    "hosts[0].listen.port = 0",
    "1 to 65535",
  ],
  ["no hosts", (s) => Object.assign(s, { "harden-zot:hosts": [] }), "harden-zot:hosts = []", "at least one host"],
  ["the same host twice", (s) => s["harden-zot:hosts"].push(host(s)), "harden-zot:hosts", "same host twice"],
  [
    "an IPv6 address in brackets",
    (s) => Object.assign(host(s), { address: "[::1]" }),
    'hosts[0].address = "[::1]"',
    "an IPv6 address without brackets",
  ],
  [
    "one directory of one machine under two names",
    (s) => {
      Object.assign(host(s), { address: "127.0.0.1" });
      (s["harden-zot:hosts"] as object[]).push({ ...host(s), name: "other", address: "localhost" });
    },
    "harden-zot:hosts",
    "one configDirectory of one machine twice",
  ],
  [
    "an address with a space",
    (s) => Object.assign(host(s), { address: "a b" }),
    'hosts[0].address = "a b"',
    "host name or IP address",
  ],
  [
    "a user with a semicolon",
    (s) => Object.assign(host(s), { user: "root;reboot" }),
    'user = "root;reboot"',
    "login name",
  ],
  [
    "an RSA host key",
    (s) => Object.assign(host(s), { hostKey: "ssh-rsa AAAA" }),
    'hostKey = "ssh-rsa AAAA"',
    "ed25519 or ecdsa",
  ],
  [
    "a fingerprint for a host key",
    (s) => Object.assign(host(s), { hostKey: "SHA256:abc" }),
    'hostKey = "SHA256:abc"',
    "ssh-keyscan",
  ],
  [
    "a passphrase itself, where the name of a secret belongs",
    (s) => Object.assign(host(s), { privateKeyFile: "/k", passphraseKey: "correct horse" }),
    "passphraseKey",
    "name of a secret configuration value",
  ],
  [
    "a passphrase for no key",
    (s) => Object.assign(host(s), { passphraseKey: "sshPassphrase" }),
    'hosts[0].passphraseKey = "sshPassphrase"',
    "needs privateKeyFile",
  ],
  [
    "a jump host that is not pinned",
    (s) => Object.assign(host(s), { jump: { address: "bastion", user: "zot" } }),
    "hosts[0].jump.hostKey is missing",
    "ssh-keyscan",
  ],
  [
    "a passphrase for no key of a jump host",
    (s) => Object.assign(host(s), { jump: { address: "b", user: "u", hostKey: HOST_KEY, passphraseKey: "p" } }),
    'hosts[0].jump.passphraseKey = "p"',
    "needs privateKeyFile",
  ],
  [
    "a zot path with a space",
    (s) => Object.assign(host(s), { zot: "/opt/my zot" }),
    'zot = "/opt/my zot"',
    "no spaces",
  ],
  ["a zot path below ~", (s) => Object.assign(host(s), { zot: "~/bin/zot" }), 'zot = "~/bin/zot"', "no ~"],
  [
    "a shell command for a service name",
    (s) => service(s, { manager: "systemd", name: "zot;reboot" }),
    'service.name = "zot;reboot"',
    "word of a remote command line",
  ],
  [
    "an unknown service manager",
    (s) => service(s, { manager: "upstart", name: "zot" }),
    "service",
    "systemd, launchd, docker, podman, command",
  ],
  [
    "an unknown systemd scope",
    (s) => service(s, { manager: "systemd", name: "zot", scope: "global" }),
    'scope = "global"',
    "system, user",
  ],
  [
    "a command service without words",
    (s) => service(s, { manager: "command", start: [], stop: ["a"], status: ["a"] }),
    "service.start = []",
    "at least one word",
  ],
  [
    "a setting of another manager",
    (s) => service(s, { manager: "docker", name: "zot", scope: "user" }),
    "service.scope is not a setting",
    "manager, name",
  ],
  [
    "anonymous push",
    (s) => Object.assign(access(s), { anonymous: ["create"] }),
    'anonymous[0] = "create"',
    "one of: read",
  ],
  ["no admins", (s) => Object.assign(access(s), { admins: undefined }), "access.admins is missing", "group"],
  ["a tag format whose quote has no end", (s) => Object.assign(tags(s), { format: "\\Qv1" }), "format", "RE2"],
  ["a tag format that closes its own group", (s) => Object.assign(tags(s), { format: "a)|(?:b" }), "format", "RE2"],
  ["a tag format RE2 cannot read", (s) => Object.assign(tags(s), { format: "^(?=v).*$" }), "format", "RE2"],
  [
    "a tag format that ends its CEL string",
    (s) => Object.assign(tags(s), { format: "^'||true||'$" }),
    "format",
    "single quote",
  ],
  [
    "a mutable tag that is no tag",
    (s) => Object.assign(tags(s), { mutable: ["a b"] }),
    'mutable[0] = "a b"',
    "must be a tag",
  ],
  ["a CI name in upper case", (s) => Object.assign(ci(s), { name: "Zot-CI" }), 'ci[0].name = "Zot-CI"', "lower-case"],
  ["a CI identity twice", (s) => s["harden-zot:ci"].push(ci(s)), "harden-zot:ci", "same identity twice"],
  [
    "a CI identity in the admins' group",
    (s) => Object.assign(ci(s), { group: "admins" }),
    'ci[0].group = "admins"',
    "group of its own",
  ],
  [
    "a CI identity without repositories",
    (s) => Object.assign(ci(s), { repositories: [] }),
    "ci[0].repositories = []",
    "at least one repository pattern",
  ],
  [
    "a CI identity in the namespace of the program itself",
    (s) => Object.assign(ci(s), { repositories: ["harden-zot/**"] }),
    'ci[0].repositories[0] = "harden-zot/**"',
    "must not lie in harden-zot/, which is reserved",
  ],
  [
    "a CI identity that writes into a cache",
    (s) => Object.assign(ci(s), { repositories: ["docker.io/library/*"] }),
    '"docker.io/library/*"',
    "caches are read-only",
  ],
  ["an unknown role", (s) => Object.assign(ci(s), { role: "root" }), 'role = "root"', "publisher, maintainer"],
  [
    "a key that outlives nothing",
    (s) => Object.assign(ci(s), { key: { expiresAfter: "30d", rotateAfter: "60d" } }),
    "ci[0].key.rotateAfter",
    "shorter than expiresAfter",
  ],
  [
    "a rotation in two lines",
    (s) => Object.assign(ci(s), { appPassword: { rotate: "2026\n11" } }),
    "ci[0].appPassword.rotate",
    "must be one line of up to 100 characters, such as a date",
  ],
  [
    "an app password with a period",
    (s) => Object.assign(ci(s), { appPassword: { rotateAfter: "60d" } }),
    "ci[0].appPassword.rotateAfter",
    "allowed here: rotate",
  ],
  [
    "a period zot cannot keep",
    (s) => Object.assign(ci(s), { key: { expiresAfter: "3 months", rotateAfter: "60d" } }),
    'expiresAfter = "3 months"',
    "90d",
  ],
  [
    "an existing group nobody mentions",
    (s) => Object.assign(s, { "harden-zot:identity": { existingGroups: ["admin"] } }),
    '"admin"',
    "no rule mentions that group",
  ],
  [
    "a client id with a space",
    (s) => Object.assign(s, { "harden-zot:identity": { clientId: "my zot" } }),
    'clientId = "my zot"',
    "letters, digits and . _ ~ -",
  ],
  [
    "a slug with a slash",
    (s) => Object.assign(s, { "harden-zot:identity": { slug: "a/b" } }),
    'slug = "a/b"',
    "lower-case letters, digits and dashes",
  ],
];

describe("parseSettings", () => {
  it("accepts the settings every case below spoils", () => {
    expect(messageOf(() => {})).toBe("accepted");
  });

  it.each([
    ["::1", "1"],
    ["fe80::1%eth0", "fe80-1-eth0"],
    ["2001:db8::7", "2001-db8-7"],
    ["registry-host", "registry-host"],
  ])("takes the host address %s for SSH, under a name without colons", (address, name) => {
    const settings = good();
    Object.assign(host(settings), { address });
    const [entry] = parseSettings(settings as unknown as RawSettings).hosts;
    expect([entry?.address, entry?.name]).toEqual([address, name]);
  });

  it.each([
    [{}, undefined, true],
    [undefined, undefined, false],
    [{}, false, false],
    [undefined, false, false],
  ])("serves a UI where there is search unless told otherwise (search %j, ui %j)", (search, ui, served) => {
    const settings = good();
    Object.assign(registry(settings), { search, ui });
    expect(parseSettings(settings as unknown as RawSettings).registry.ui).toBe(served);
  });

  it("gives a request and an answer half an hour each, unless told otherwise", () => {
    const timeouts = (given: unknown) => {
      const settings = good();
      Object.assign(registry(settings), { timeouts: given });
      return parseSettings(settings as unknown as RawSettings).registry.timeouts;
    };
    expect(timeouts(undefined)).toEqual({ read: "30m", write: "30m" });
    expect(timeouts({ write: "2h" })).toEqual({ read: "30m", write: "2h" });
  });

  it.each(BAD)("refuses %s, naming the key, the value and what is allowed", (_, spoil, key, allowed) => {
    const message = messageOf(spoil);
    expect(message).toContain(key);
    expect(message).toContain(allowed);
  });

  it.each(["http://localhost:5000", "http://127.0.0.1:5000", "http://[::1]:5000"])("takes %s, on loopback", (url) => {
    expect(messageOf((s) => Object.assign(registry(s), { externalUrl: url }))).toBe("accepted");
  });

  it("refuses identities that would write over each other's secrets", () => {
    const message = messageOf((settings) => {
      const publish = [{ github: { repository: "team/app", token: "githubToken" } }];
      const first = { ...settings["harden-zot:ci"][0], publish };
      settings["harden-zot:ci"] = [first, { ...first, name: "other-ci" }];
    });
    expect(message).toContain("harden-zot:ci[1].publish[0] writes ZOT_API_KEY at github.com/team/app");
  });

  it("gives every mistake its own message", () => {
    const messages = BAD.map(([, spoil]) => messageOf(spoil));
    expect(new Set(messages).size).toBe(BAD.length);
  });

  it("shows no password of a value that it refuses", () => {
    for (const [, spoil] of BAD) expect(messageOf(spoil)).not.toContain("hunter2");
    const url = (settings: Good) => Object.assign(settings, { "authentik:url": "https://a:hunter2@x.test" });
    expect(messageOf(url)).toContain('"https://***@x.test"');
  });

  it("reports all mistakes at once", () => {
    const message = messageOf((settings) => {
      registry(settings).version = "x";
      ci(settings).name = "X";
    });
    expect(message).toMatch(/version.*\n.*ci\[0\]\.name/);
  });
});
