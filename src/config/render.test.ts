import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import Ajv from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseSettings, type RawSettings, type Settings } from "../settings/settings";
import { renderConfig, serializeConfig } from "./render";

const REFERENCES = {
  issuer: "https://authentik.ops.eblu.me/application/o/zot/",
  credentialsFile: "/etc/zot/harden-zot/secrets/oidc-credentials-0123456789ab.json",
  sessionKeysFile: "/etc/zot/harden-zot/secrets/session-keys-0123456789ab.json",
};

/** The production stack, with one part of its registry settings changed. */
function production(change: Record<string, unknown> = {}): Settings {
  const { config } = parse(readFileSync(resolve(__dirname, "../../Pulumi.prod.yaml"), "utf8"));
  return parseSettings({
    ...config,
    "harden-zot:registry": { ...config["harden-zot:registry"], ...change },
  } as RawSettings);
}

describe("renderConfig", () => {
  // zot's own schema is not ours to ship; it is used where the workplace has it.
  const schemaFile = resolve(__dirname, "../../../shared/vectors/zot-2.1.20-config.schema.json");
  it.skipIf(!existsSync(schemaFile))("is accepted by the JSON Schema zot 2.1.20 publishes", () => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(schemaFile, "utf8")));
    validate(renderConfig(production(), REFERENCES));
    expect(validate.errors).toBeNull();
  });

  it("gives the same bytes for the same settings", () => {
    expect(serializeConfig(renderConfig(production(), REFERENCES))).toBe(
      serializeConfig(renderConfig(production(), REFERENCES)),
    );
  });

  it("puts an IPv6 address in brackets, as zot joins it with the port", () => {
    const address = (given: string) =>
      renderConfig(production({ listen: { address: given, port: 5050 } }), REFERENCES).http.address;
    expect(["::1", "::", "0.0.0.0"].map(address)).toEqual(["[::1]", "[::]", "0.0.0.0"]);
  });

  it("lets extraConfig have the last word, key by key", () => {
    const { http, log } = renderConfig(production({ extraConfig: { http: { realm: "mine" } } }), REFERENCES);
    expect(http.realm).toBe("mine");
    expect(http.externalUrl).toBe("https://registry.ops.eblu.me");
    expect(log?.level).toBe("info");
  });

  it.each([
    [{}, "30m", "30m"],
    [{ timeouts: { read: "2h" } }, "2h", "30m"],
    [{ extraConfig: { http: { writeTimeout: "90s" } } }, "30m", "90s"],
  ])("says both timeouts whatever is set: %j", (change, readTimeout, writeTimeout) => {
    expect(renderConfig(production(change), REFERENCES).http).toMatchObject({ readTimeout, writeTimeout });
  });

  it("refuses a timeout in extraConfig that zot would take for nanoseconds", () => {
    const render = () => renderConfig(production({ extraConfig: { http: { readTimeout: 600 } } }), REFERENCES);
    expect(render).toThrow(/extraConfig\.http\.readTimeout = 600: .*write "600s"/);
  });

  it.each(["manifestCheckInterval", "reqConcurrent", "reqPerSec", "disableHTTP2", "maxIdleConnsPerHost", "REQPERSEC"])(
    "refuses %s of a cache for a zot that does not know it, and renders it for one that does",
    (key) => {
      const registries = [{ urls: ["https://docker.io"] }, { urls: ["https://quay.io"], [key]: 1 }];
      const render = (version: string) =>
        renderConfig(production({ version, extraConfig: { extensions: { sync: { registries } } } }), REFERENCES);
      expect(() => render("2.1.20")).toThrow(
        `extraConfig.extensions.sync.registries[1].${key} needs zot 2.1.21 or later, and harden-zot:registry.version = 2.1.20`,
      );
      expect(render("2.1.21").extensions?.sync?.registries).toEqual(registries);
    },
  );

  it("refuses a client secret in extraConfig without repeating it", () => {
    const openid = { providers: { oidc: { clientsecret: "hunter2" } } };
    const render = () => renderConfig(production({ extraConfig: { http: { auth: { openid } } } }), REFERENCES);
    expect(render).toThrow(/extraConfig\.http\.auth\.openid\.providers\.oidc\.clientsecret is a secret/);
    expect(render).not.toThrow(/hunter2/);
  });

  it.each([
    ["2.1.16", "need zot 2.1.17"],
    ["2.1.18", "tags are not immutable"],
  ])("refuses zot %s and says why", (version, reason) => {
    expect(() => renderConfig(production({ version }), REFERENCES)).toThrow(reason);
  });

  it("renders for a vulnerable version only when that is accepted, with the keys it knows", () => {
    const settings = production({ version: "2.1.17", allowVulnerableVersion: true });
    expect(renderConfig(settings, REFERENCES).http.accessControl?.metrics).toEqual({ users: [""] });
  });

  it("writes no extension that was not asked for", () => {
    const settings = production({ metrics: "off", pullThrough: [], search: undefined, ui: undefined });
    expect(renderConfig(settings, REFERENCES).extensions).toEqual({});
  });
});
