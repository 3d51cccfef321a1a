import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";

// sdks/authentik is generated from sdks/schema, and docs/sdk.md says how the official plugin is asked for the same.

const read = (path: string) => readFileSync(resolve(__dirname, "../..", path), "utf8");
const parameter = (base64: string) => JSON.parse(Buffer.from(base64, "base64").toString());

const { parameterization } = JSON.parse(read("sdks/schema/schema.json"));
const asked = parameter(parameterization.parameter);

it("sdks/authentik was generated from sdks/schema", () => {
  const { pulumi } = JSON.parse(read("sdks/authentik/package.json"));
  expect(pulumi).toMatchObject(parameterization.baseProvider);
  expect(parameter(pulumi.parameterization.value)).toEqual(asked);
});

it("docs/sdk.md asks for the same", () => {
  const { name, version } = parameterization.baseProvider;
  const { remote, includes } = asked;
  const provider = remote.url.replace("registry.opentofu.org/", "");
  expect(read("docs/sdk.md")).toContain(
    `pulumi package add ${name}@${version} -- ${provider} ${remote.version} --include ${includes.join(",")}`,
  );
});

it("Pulumi.yaml names no packages: pulumi install would lay the SDK anew, uncompiled", () => {
  expect(parse(read("Pulumi.yaml"))).not.toHaveProperty("packages");
});
