import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseSettings, type RawSettings } from "../settings/settings";
import { verifyRegistry } from "./resource";
import type { Target } from "./target";

const { config: raw } = parse(readFileSync(resolve("Pulumi.prod.yaml"), "utf8"));

const expiresAt = "2027-01-01T00:00:00Z";

/** A component of the stack, as far as it is looked at. */
const part = <Outputs extends object>(outputs: Outputs) =>
  Object.assign(new pulumi.ComponentResource("test:Part", "part"), outputs);

describe("verification as a resource, under mocks", () => {
  let inputs: Record<string, unknown>;
  beforeAll(async () => {
    await pulumi.runtime.setMocks({
      newResource: (args) => {
        if (args.type === "command:local:Command") inputs = args.inputs;
        return { id: "id", state: args.inputs };
      },
      call: ({ inputs }) => inputs,
    });
  });

  const verify = async (configSha256: string, apiKey: string, heal = 0) => {
    const command = verifyRegistry(parseSettings(raw as RawSettings), {
      oidcIssuer: "https://authentik.test/application/o/zot/",
      redirectUri: "https://registry.test/zot/auth/callback/oidc",
      hosts: [part({ configSha256: pulumi.output(configSha256), heal })],
      keys: [
        part({
          handOver: pulumi.secret({ registry: "r", username: "zot-ci", apiKey, expiresAt }),
          labels: pulumi.output(["harden-zot prod:0 zot-ci "]),
        }),
      ],
    });
    await new Promise((settle) => command.stdin.apply(settle));
    // A secret input reaches a provider in an envelope.
    return (inputs.stdin as { value?: string }).value ?? (inputs.stdin as string);
  };

  it("is given everything on stdin, and the key nowhere else", async () => {
    const target = JSON.parse(await verify("sha", "zak_secret")) as Target;
    expect(target).toMatchObject({
      registry: "https://registry.ops.eblu.me",
      readOnly: false,
      identities: [
        {
          username: "zot-ci",
          apiKey: "zak_secret",
          keyLabels: ["harden-zot prod:0 zot-ci "],
          role: "publisher",
        },
      ],
    });
    expect(JSON.stringify({ ...inputs, stdin: "" })).not.toContain("zak_secret");
    expect(inputs).toMatchObject({ create: "node --require ./loader.js bin/verify.ts --stdin" });
  });

  it("is another input, so that it runs again, when a configuration or a key changes or a host is healed, and only then", async () => {
    const first = await verify("sha", "zak_secret");
    expect(await verify("sha", "zak_secret")).toBe(first);
    expect(await verify("other", "zak_secret")).not.toBe(first);
    expect(await verify("sha", "zak_other")).not.toBe(first);
    expect(await verify("sha", "zak_secret", 1)).not.toBe(first);
  });

  it("keeps its stdin secret", async () => {
    const command = verifyRegistry(parseSettings(raw as RawSettings), {
      oidcIssuer: "https://a.test/",
      redirectUri: "https://r.test/",
      hosts: [],
      keys: [],
    });
    expect(await pulumi.isSecret(command.stdin as pulumi.Output<string>)).toBe(true);
  });
});
