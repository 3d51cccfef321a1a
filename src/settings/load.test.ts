import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, it, vi } from "vitest";
import { authentikToken } from "./load";

const KEY = "authentik:token";
afterEach(() => vi.unstubAllEnvs());

it("takes Authentik's token from the secret setting, else from the environment", () => {
  vi.stubEnv("AUTHENTIK_TOKEN", "of the environment");
  pulumi.runtime.setAllConfig({ [KEY]: "of the stack" }, [KEY]);
  expect(authentikToken()).toBe("of the stack");
  pulumi.runtime.setAllConfig({});
  expect(authentikToken()).toBe("of the environment");
});

it("refuses a token that lies in the stack file in plain, also beside one in the environment", () => {
  vi.stubEnv("AUTHENTIK_TOKEN", "of the environment");
  pulumi.runtime.setAllConfig({ [KEY]: "s3cret" });
  expect(authentikToken).toThrow(
    /^authentik:token is an API token of Authentik and lies in the stack file in plain: revoke it there, make another, and set the new one with `pulumi config set --secret authentik:token`\.$/,
  );
});
