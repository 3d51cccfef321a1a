import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";

// sdks/authentik is generated from sdks/schema by us, and from Pulumi.yaml by `pulumi install`: both have to say the same.

const read = (path: string) => readFileSync(resolve(__dirname, "../..", path), "utf8");
const parameter = (base64: string) => JSON.parse(Buffer.from(base64, "base64").toString());

const { packages } = parse(read("Pulumi.yaml"));
const { source, version, parameters } = packages.authentik;
const [provider, providerVersion, , includes] = parameters as string[];
const asked = {
  remote: { url: `registry.opentofu.org/${provider}`, version: providerVersion },
  includes: includes?.split(","),
};

it("sdks/schema asks for what Pulumi.yaml asks for", () => {
  const { parameterization } = JSON.parse(read("sdks/schema/schema.json"));
  expect(parameterization.baseProvider).toEqual({ name: source, version });
  expect(parameter(parameterization.parameter)).toEqual(asked);
});

it("sdks/authentik was generated from it", () => {
  const { pulumi } = JSON.parse(read("sdks/authentik/package.json"));
  expect(pulumi).toMatchObject({ name: source, version });
  expect(parameter(pulumi.parameterization.value)).toEqual(asked);
});

it("docs/sdk.md shows it", () => {
  const [, block] = /```yaml\n(packages:[\s\S]*?)```/.exec(read("docs/sdk.md")) ?? [];
  expect(parse(block ?? "").packages).toEqual(packages);
});
