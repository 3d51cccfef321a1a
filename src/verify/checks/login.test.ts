import { expect, it } from "vitest";
import type { Verification } from "../verification";
import { LOGIN_CHECKS } from "./login";

const ISSUER = "https://authentik.example/application/o/zot/";

/** What the check of the issuer finds when its discovery document gives this one. */
function finding(issuer: string) {
  const discovery = async () => ({ status: 200, text: JSON.stringify({ issuer }) });
  const check = LOGIN_CHECKS.find(({ id }) => id === "issuer");
  return check?.observe({ target: { issuer: ISSUER }, discovery } as unknown as Verification);
}

it("says which setting of Authentik makes its issuer begin with http", async () => {
  const seen = ISSUER.replace("https:", "http:");
  expect(await finding(seen)).toEqual({
    outcome: "failed",
    seen,
    cause: `zot compares byte for byte with ${ISSUER} and would not start again: Authentik does not believe the proxy in front of it that the request came over https`,
    fix: "Add the proxy's network to AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS in Authentik's environment, have the proxy send X-Forwarded-Proto, and restart Authentik",
  });
});

it("says that authentik:url is to be the one that Authentik goes by", async () => {
  const seen = ISSUER.replace("authentik", "login");
  expect(await finding(seen)).toEqual({
    outcome: "failed",
    seen,
    cause: `zot compares byte for byte with ${ISSUER} and would not start again: Authentik knows itself by another URL`,
    fix: "Make authentik:url that one",
  });
});
