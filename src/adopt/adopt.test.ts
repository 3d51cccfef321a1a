import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { OperatorError } from "../operator/error";
import { parseSettings, type RawSettings } from "../settings/settings";
import type { ZotConfig } from "../zot/types";
import { adopt } from "./adopt";
import { reportOn } from "./changes";
import { readConfig } from "./read";
import { reportText, stackFile } from "./text";

/** Hardened by hand, as an Ansible role would write it; a fresh copy to be changed. */
function byHand() {
  const cache = (name: string, url: string) => ({
    urls: [url],
    content: [{ prefix: "**", destination: `/${name}` }],
    onDemand: true,
    tlsVerify: true,
  });
  return {
    distSpecVersion: "1.1.0",
    storage: { rootDirectory: "/srv/zot/data", gc: true, gcDelay: "1h", gcInterval: "24h" } as Record<string, unknown>,
    http: {
      address: "0.0.0.0",
      port: "5050",
      externalUrl: "https://registry.example.test",
      auth: {
        openid: {
          providers: {
            oidc: {
              credentialsFile: "/srv/zot/config/oidc-credentials.json",
              issuer: "https://authentik.example.test/application/o/zot/",
              scopes: ["openid", "email", "profile"],
              claimMapping: { username: "preferred_username" },
            } as Record<string, unknown>,
          },
        },
        apikey: true,
      } as Record<string, unknown>,
      accessControl: {
        metrics: { anonymousPolicy: ["read"] } as Record<string, unknown>,
        repositories: {
          "**": {
            policies: [
              { groups: ["artifact-workloads"], actions: ["read", "create"] },
              { groups: ["admins"], actions: ["read", "create", "update", "delete"] },
            ],
            anonymousPolicy: ["read"],
            defaultPolicy: ["read"],
          },
        } as Record<string, unknown>,
      } as Record<string, unknown>,
    },
    log: { level: "info" },
    extensions: {
      metrics: { enable: true, prometheus: { path: "/metrics" } },
      sync: {
        enable: true,
        registries: [cache("docker.io", "https://registry-1.docker.io"), cache("ghcr.io", "https://ghcr.io")],
      },
      search: { enable: true, cve: { updateInterval: "24h" } },
      ui: { enable: true },
    } as Record<string, unknown>,
  };
}

type ByHand = ReturnType<typeof byHand>;

function adopted(change: (config: ByHand) => void = () => {}) {
  const config = byHand();
  change(config);
  const adoption = adopt(readConfig(JSON.stringify(config), "config.json"));
  const settings = parse(stackFile(adoption)).config as RawSettings;
  return {
    settings: settings as Record<string, Record<string, unknown>>,
    report: reportText(reportOn(adoption)),
    adoption,
  };
}

const provider = (config: ByHand) =>
  (config.http.auth.openid as { providers: { oidc: Record<string, unknown> } }).providers.oidc;

describe("adopt", () => {
  it("finds the settings of a registry hardened by hand, and leaves to fill in what no config.json says", () => {
    const { settings, adoption } = adopted();
    expect(() => parseSettings(settings as unknown as RawSettings)).not.toThrow();
    expect({ ...settings, "harden-zot:hosts": undefined }).toEqual({
      "authentik:url": "https://authentik.example.test",
      "harden-zot:registry": {
        externalUrl: "https://registry.example.test",
        version: "2.1.20",
        listen: { address: "0.0.0.0", port: 5050 },
        storage: { rootDirectory: "/srv/zot/data" },
        pullThrough: [
          { name: "docker.io", url: "https://registry-1.docker.io" },
          { name: "ghcr.io", url: "https://ghcr.io" },
        ],
        metrics: "anonymous",
        search: { cve: { updateInterval: "24h" } },
      },
      "harden-zot:identity": { slug: "zot", clientId: "zot", existingGroups: ["admins", "artifact-workloads"] },
      "harden-zot:access": {
        admins: { group: "admins" },
        tags: { mutable: ["main", "latest"] },
        groups: [{ group: "artifact-workloads", repositories: ["**"], role: "publisher" }],
      },
      "harden-zot:ci": [],
    });
    expect(stackFile(adoption)).toMatch(/hostKey: ssh-ed25519 AAAA # TO FILL IN: what `ssh-keyscan/);
    expect(stackFile(adoption)).toMatch(/slug: zot # TO FILL IN: a slug that Authentik does not have yet/);
  });

  it("says who loses what and why, and that nobody gains anything", () => {
    const { report } = adopted();
    expect(report).toContain("group artifact-workloads loses: push new tags in docker.io/**, ghcr.io/**");
    expect(report).toMatch(/group admins loses: overwrite tags such as .*v1\.2\.3-abcdef0.* in \*\*/);
    expect(report).not.toMatch(/ gains:/);
    expect(report).toMatch(
      /cache-writable: .*artifact-workloads may push into docker\.io\/\*\*; what is pushed there is served/,
    );
    expect(report).toMatch(/compat: \[docker2s2\] lets `docker push` in/);
    expect(report).toMatch(/tags\.format: no rule says/);
    expect(report).toMatch(/head-creates: .*storage\.dedupe is on/);
    expect(report).toMatch(/ends those that are open.*API keys stay as they are/);
    expect(report).not.toContain("user names come from");
  });

  it.each([
    ["none", undefined, "email"],
    ["email", { username: "email" }, "email"],
    ["sub", { username: "sub" }, "sub"],
  ])("keeps the claim that names users, and warns (claimMapping: %s)", (_, claimMapping, claim) => {
    const { settings, report, adoption } = adopted((config) => Object.assign(provider(config), { claimMapping }));
    expect(report).toMatch(new RegExp(`user names come from the claim ${claim}, .*API keys belong to user names`));
    expect(JSON.stringify(settings["harden-zot:registry"]?.extraConfig)).toContain(`"username":"${claim}"`);
    expect(adoption.rendered.http.auth?.openid?.providers.oidc?.claimMapping?.username).toBe(claim);
  });

  it("keeps what an open registry lets anyone read, closes what it lets anyone write, and says so in one line", () => {
    const { settings, report, adoption } = adopted((config) => {
      delete (config.http as Partial<ByHand["http"]>).auth;
      delete (config.http as Partial<ByHand["http"]>).accessControl;
    });
    expect(settings["harden-zot:access"]).toEqual({ admins: { group: "admins" }, groups: [] });
    const [place] = Object.values(adoption.rendered.http.accessControl?.repositories ?? {});
    expect(place).toMatchObject({ anonymousPolicy: ["read"] });
    expect(report.split("\n").filter((line) => line.includes("the registry is open"))).toEqual([
      "  - the registry is open: whoever reaches it goes on pulling without a login (harden-zot:access.anonymous), and pushes and deletes by a login alone that a rule names",
    ]);
    expect(report).toMatch(/anonymous loses: push new tags in /);
    expect(report).not.toMatch(/loses: pull| gains:/);
  });

  it("keeps a registry closed that asks everybody to log in and has no rules", () => {
    const { settings } = adopted((config) => {
      config.http.auth = { htpasswd: { path: "/srv/zot/htpasswd" } };
      delete (config.http as Partial<ByHand["http"]>).accessControl;
    });
    expect(settings["harden-zot:access"]).toMatchObject({ anonymous: [] });
  });

  it("leaves an http URL off loopback to fill in, as the settings refuse it", () => {
    const { settings, adoption } = adopted((config) => {
      config.http.externalUrl = "http://registry.example.test";
    });
    expect(settings["harden-zot:registry"]?.externalUrl).toBe("https://registry.invalid");
    expect(stackFile(adoption)).toMatch(/externalUrl: https:\/\/registry.invalid # TO FILL IN: .*https/);
  });

  it("puts what has no setting into extraConfig", () => {
    const { settings } = adopted((config) => {
      Object.assign(config.storage, { retention: { dryRun: true, delay: "24h" } });
      Object.assign(config.http.auth, { failDelay: 5, htpasswd: { path: "/srv/zot/config/htpasswd" } });
      Object.assign(config.http, { tls: { cert: "/srv/zot/c.pem", key: "/srv/zot/k.pem" } });
      Object.assign(config.extensions, { scrub: { enable: true, interval: "24h" }, trust: { enable: true } });
      Object.assign(config.log, { output: "/var/log/zot.log" });
    });
    expect(settings["harden-zot:registry"]?.extraConfig).toEqual({
      storage: { retention: { dryRun: true, delay: "24h" } },
      http: {
        auth: { failDelay: 5, htpasswd: { path: "/srv/zot/config/htpasswd" } },
        tls: { cert: "/srv/zot/c.pem", key: "/srv/zot/k.pem" },
      },
      log: { output: "/var/log/zot.log" },
      extensions: { scrub: { enable: true, interval: "24h" }, trust: { enable: true } },
    });
  });

  it.each([
    [{}, undefined, { readTimeout: "not set", writeTimeout: "not set" }],
    [{ readTimeout: "5m", writeTimeout: "30m" }, { read: "5m" }, {}],
    [{ writetimeout: 600e9 }, { write: "10m" }, { readTimeout: "not set" }],
    // No bound at all is no setting.
    [{ readTimeout: "0s", writeTimeout: "1h" }, { write: "1h" }, { readTimeout: '"0s"' }],
  ])("keeps the timeouts that it finds, and says which change: %j", (http, timeouts, changed) => {
    const { settings, report } = adopted((config) => Object.assign(config.http, http));
    expect(settings["harden-zot:registry"]?.timeouts).toEqual(timeouts);
    expect(settings["harden-zot:registry"]?.extraConfig).toBeUndefined();
    const told = (report as string).match(/http\.\w+Timeout: "30m", until now [^;]+;/g) ?? [];
    expect(told).toEqual(Object.entries(changed).map(([key, was]) => `http.${key}: "30m", until now ${was};`));
  });

  it("keeps keys of caches that zot 2.1.20 does not know, for a version that does", () => {
    const { settings } = adopted((config) => {
      const [cache] = (config.extensions as { sync: { registries: object[] } }).sync.registries;
      Object.assign(cache as object, { reqpersec: 2.5, manifestCheckInterval: "1m" });
    });
    const { extraConfig, version } = settings["harden-zot:registry"] as { extraConfig: ZotConfig; version: string };
    expect(version).toBe("2.1.21");
    expect(extraConfig.extensions?.sync?.registries[0]).toMatchObject({ reqPerSec: 2.5, manifestCheckInterval: "1m" });
    expect(adopted().settings["harden-zot:registry"]?.version).toBe("2.1.20");
  });

  it("names a secret by its place, and never shows what it is", () => {
    const { settings, report } = adopted((config) => {
      Object.assign(provider(config), { credentialsFile: undefined, clientid: "zot", clientsecret: "s3cret-1" });
      Object.assign(config.http.auth, {
        ldap: { address: "ldap.example.test", bindDN: "cn=zot", bindPassword: "s3cret-2" },
      });
      Object.assign(config.storage, {
        storageDriver: { name: "s3", accesskey: "s3cret-3", secretkey: "s3cret-4" },
        cacheDriver: { name: "redis", url: "redis://zot:s3cret-5@redis.example.test:6379" },
      });
      Object.assign(config.extensions, {
        events: { enable: true, sinks: [{ type: "http", headers: { "X-Key": "s3cret-6" } }] },
      });
    });
    const shown = `${JSON.stringify(settings)}${report}`;
    expect(shown).not.toContain("s3cret");
    expect(settings["harden-zot:identity"]).toMatchObject({ clientId: "zot" });
    for (const place of [
      "http.auth.ldap.bindPassword",
      "storage.storageDriver.secretkey",
      "storage.cacheDriver.url",
      "extensions.events.sinks[0].headers.X-Key",
    ]) {
      expect(report).toContain(`${place} holds a secret`);
    }
    expect(report).toMatch(/the client secret: a new one.*inline it is readable/);
  });

  it('says that metrics.users [""] never worked, and gives anonymous what was meant', () => {
    const { settings, report } = adopted((config) =>
      Object.assign(config.http.accessControl, { metrics: { users: [""] } }),
    );
    expect(settings["harden-zot:registry"]?.metrics).toBe("anonymous");
    expect(report).toContain('in place of users [""], which zot 2.1.20 answers with 401');
  });

  it("tells of rules that tie, vanish or never meet", () => {
    const { report } = adopted((config) => {
      const publishers = {
        policies: [{ groups: ["Artifact-Workloads"], actions: ["create"] }],
        anonymousPolicy: ["read"],
      };
      Object.assign(config.http.accessControl.repositories as object, {
        "a/*": publishers,
        "*/b": publishers,
        "closed/**": {},
      });
    });
    expect(report).toMatch(/tied-patterns: .*a\/\*.* is as long as \*\/b/);
    expect(report).toMatch(/dropped-rule: .*closed\/\*\*.* is empty and is dropped/);
  });

  it("puts a user with rights of their own into a new group", () => {
    const { settings, report } = adopted((config) => {
      const policies = [{ users: ["carol"], actions: ["read", "create"] }];
      Object.assign(config.http.accessControl.repositories as object, {
        "docs/**": { policies, anonymousPolicy: ["read"] },
      });
    });
    expect(settings["harden-zot:access"]?.groups).toContainEqual({
      group: "registry-carol",
      repositories: ["docs/**"],
      role: "publisher",
    });
    expect(settings["harden-zot:identity"]?.existingGroups).not.toContain("registry-carol");
    expect(report).toMatch(/put carol into the new group registry-carol/);
  });

  it("reads whatever spelling zot reads", () => {
    const { adoption: plain } = adopted();
    const odd = JSON.stringify(byHand())
      .replace('"anonymousPolicy":["read"],"defaultPolicy"', '"AnonymousPolicy":"read","defaultpolicy"')
      .replace('"port":"5050"', '"PORT":5050')
      .replace('"gcDelay":"1h"', '"gcDelay":3600000000000');
    expect(adopt(readConfig(odd, "config.json")).settings).toEqual(plain.settings);
  });

  it("answers for every configuration that decisions were recorded with", () => {
    const directory = resolve(__dirname, "../../tests/vectors/zot-decisions");
    const files = readdirSync(directory);
    expect(files.length).toBeGreaterThan(15);
    for (const file of files) {
      const [head = ""] = readFileSync(resolve(directory, file), "utf8").split("\n");
      const adoption = adopt(readConfig(JSON.stringify(JSON.parse(head).config), file));
      expect(() => parseSettings(adoption.settings), file).not.toThrow();
      expect(reportOn(adoption).changes.length, file).toBeGreaterThan(0);
    }
  });
});

describe("adopt refuses in one clear sentence", () => {
  it.each([
    ["no JSON", '{"http": {"auth": "s3cret-9" ', /^config\.json is not valid JSON \(line 1, column 30\): .*jq/],
    ["YAML", "http:\n  port: 5000\n", /^config\.json is not valid JSON \(line 1, column 1\)/],
    [
      "a wrong word",
      '{\n  "log": {\n    "level": debug\n  }\n}',
      /^config\.json is not valid JSON \(line 3, column 14\)/,
    ],
    ["a comma too many", '{\n  "log": {},\n}', /^config\.json is not valid JSON \(line 3, column 1\)/],
    ["nothing", "", /^config\.json is not valid JSON \(line 1, column 1\)/],
    ["a list", "[]", /^config\.json is not a JSON object/],
    [
      "a depth that would end in a stack trace",
      `{"storage":${'{"a":'.repeat(6000)}1${"}".repeat(6001)}`,
      /^config\.json is nested more than 100 deep, as no config\.json of zot's is: correct it$/,
    ],
    ["something else", "{}", /^config\.json has no storage\.rootDirectory or no http section/],
    [
      "an unknown key",
      '{"storage":{"rootDirectory":"/srv"},"http":{"accessControl":{"repositories":{"**":{"anonymouspolicies":["s3cret-9"]}}}}}',
      /^config\.json: http\.accessControl\.repositories\["\*\*"\]\.anonymouspolicies is not a key that zot knows/,
    ],
    [
      "a value of the wrong kind",
      '{"storage":{"rootDirectory":"/srv","gc":"s3cret-9"},"http":{}}',
      /^config\.json: storage\.gc: cannot parse value as 'bool'/,
    ],
    [
      "bearer tokens",
      '{"storage":{"rootDirectory":"/srv"},"http":{"auth":{"bearer":{"realm":"x","service":"y"}}}}',
      /^config\.json has http\.auth\.bearer: .*remove it there first/,
    ],
    [
      "a condition that does not compile",
      '{"storage":{"rootDirectory":"/srv"},"http":{"auth":{"apikey":true},"accessControl":{"repositories":{"**":{"policies":[{"groups":["g"],"actions":["read"],"conditions":[{"expression":"req.tag ==","message":"m"}]}]}}}}}',
      /does not compile, and zot would not load it/,
    ],
  ])("%s", (_, text, message) => {
    const failure = (() => {
      try {
        return adopt(readConfig(text, "config.json"));
      } catch (error) {
        return error as Error;
      }
    })();
    expect(failure).toBeInstanceOf(OperatorError);
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message).not.toContain("s3cret");
  });
});
