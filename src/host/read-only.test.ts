import { expect, it } from "vitest";
import type { ZotConfig } from "../zot/types";
import { readOnly } from "./read-only";

const hardened = (repositories: NonNullable<ZotConfig["http"]["accessControl"]>["repositories"]): ZotConfig => ({
  distSpecVersion: "1.1.1",
  storage: { rootDirectory: "/zot" },
  http: {
    address: "127.0.0.1",
    port: "5000",
    realm: "zot",
    auth: { apikey: true, sessionKeysFile: "/etc/zot/harden-zot/secrets/session-keys-0.json" },
    accessControl: {
      repositories: repositories ?? {},
      adminPolicy: { groups: ["admins"], actions: ["read", "create", "update", "delete"] },
      metrics: { users: ["scraper"] },
    },
  },
});

it("keeps what anonymous clients may read, and nothing else of anybody's rights", () => {
  const { accessControl, auth, ...http } = readOnly(
    hardened({
      "**": { anonymousPolicy: ["read"], defaultPolicy: ["read"], policies: [{ users: ["ci"], actions: ["create"] }] },
      "open/**": { anonymousPolicy: ["read", "create", "delete"] },
      "private/**": { defaultPolicy: ["read"], policies: [{ groups: ["team"], actions: ["read", "create"] }] },
    }),
  ).http;
  expect(auth).toBeUndefined();
  expect(http).toEqual({ address: "127.0.0.1", port: "5000", realm: "zot" });
  const { repositories = {}, ...others } = accessControl ?? {};
  expect(others).toEqual({ metrics: { anonymousPolicy: [] } });
  const [read, closed] = [
    { anonymousPolicy: ["read"], policies: [] },
    { anonymousPolicy: [], policies: [] },
  ];
  expect(repositories).toEqual({
    "**": read,
    "open/**": read,
    "private/**": closed,
    "harden-zot/**": closed,
    "harden-zot/read-only": read,
    [Object.keys(repositories).find((place) => place.startsWith("harden-zot/proof-")) as string]: read,
  });
});

it("closes a registry without any rules, as an operator may have left it by hand, to writers too", () => {
  const { http, ...config } = hardened(undefined);
  const { accessControl: _, ...open } = http;
  expect(readOnly({ ...config, http: open }).http.accessControl?.repositories?.["**"]).toEqual({
    anonymousPolicy: ["read"],
    policies: [],
  });
});
