import { describe, expect, it } from "vitest";
import { OperatorError } from "../operator/error";
import { createAuthorizer, type Identity } from "../zot/authorizer";
import type { RepositoryPolicy, ZotConfig } from "../zot/types";
import { withoutProof, withProof } from "./proof";

const configWith = (repositories: Record<string, RepositoryPolicy>, realm = "zot"): ZotConfig => ({
  distSpecVersion: "1.1.1",
  storage: { rootDirectory: "/srv/zot" },
  http: {
    address: "127.0.0.1",
    port: "5000",
    realm,
    auth: { apikey: true },
    accessControl: {
      repositories,
      adminPolicy: { groups: ["admins"], actions: ["read", "delete"] },
    },
  },
});

const OPEN = {
  anonymousPolicy: ["read"],
  defaultPolicy: ["read"],
  policies: [{ groups: ["ci"], actions: ["create"] }],
};
const ANONYMOUS: Identity = { kind: "anonymous" };
const CI: Identity = { kind: "user", name: "ci", groups: ["ci"], via: "apikey" };

const proofIn = (config: ZotConfig) => /harden-zot\/proof-[0-9a-f]{12}/.exec(JSON.stringify(config))?.[0] as string;
const may = (config: ZotConfig, identity: Identity, action: "read" | "create", repository: string) =>
  createAuthorizer(config).can(identity, { repository, action, reference: "v1" }).allowed;

describe("withProof", () => {
  const config = withProof(configWith({ "**": OPEN }));

  it("is not for a member of a cluster, whose answers may be another member's", () => {
    const cluster = { members: ["10.0.0.1:5000", "10.0.0.2:5000"], hashKey: "0123456789abcdef" };
    const member = { ...configWith({ "**": OPEN }), cluster };
    expect(withProof(member)).toBe(member);
  });

  it("lets anybody read the one repository and nobody any other of the namespace", () => {
    expect(may(config, ANONYMOUS, "read", proofIn(config))).toBe(true);
    expect(may(config, CI, "create", proofIn(config))).toBe(false);
    for (const name of ["harden-zot", "harden-zot/any", "harden-zot/proof-0123456789ab", "harden-zot/a/b"]) {
      expect([name, may(config, ANONYMOUS, "read", name)]).toEqual([name, false]);
      expect([name, may(config, CI, "create", name)]).toEqual([name, false]);
    }
    expect(may(config, CI, "create", "harden-zotter")).toBe(true);
  });

  it("is another for every configuration, and the same for the same", () => {
    expect(proofIn(withProof(configWith({ "**": OPEN })))).toBe(proofIn(config));
    expect(proofIn(withProof(configWith({ "**": OPEN }, "hall")))).not.toBe(proofIn(config));
    expect(proofIn(withProof(configWith({ "**": OPEN, "team/**": OPEN })))).not.toBe(proofIn(config));
  });

  it.each([
    "*/**",
    "{harden-zot,team}/**",
    "*/{proof-*,a-name-that-is-longer-than-any-proof}",
    "[a-z]*/proof-????????????",
  ])("wins over the rule for %s", (pattern) => {
    const crossed = withProof(configWith({ "**": OPEN, [pattern]: { anonymousPolicy: [], policies: OPEN.policies } }));
    expect(may(crossed, ANONYMOUS, "read", proofIn(crossed))).toBe(true);
    expect(may(crossed, CI, "create", "harden-zot/proof-0123456789ab")).toBe(false);
  });

  it("is not given where it would be the first thing that anonymous clients may read", () => {
    const closed = configWith({ "**": { defaultPolicy: ["read"], anonymousPolicy: [] } });
    expect(withProof(closed)).toBe(closed);
    const { accessControl: _, ...http } = closed.http;
    expect(withProof({ ...closed, http })).toEqual({ ...closed, http });
  });

  it.each(["harden-zot/**", "harden-zot", "Harden-Zot/x", "{,,}harden-zot/x"])("refuses %s as a rule", (pattern) => {
    expect(() => withProof(configWith({ "**": OPEN, [pattern]: OPEN }))).toThrow(OperatorError);
    expect(() => withProof(configWith({ "**": OPEN, [pattern]: OPEN }))).toThrow(/harden-zot\/ is reserved/);
  });
});

describe("withoutProof", () => {
  it("gives back what was marked, in the same order", () => {
    const plain = configWith({ "**": OPEN, "team/**": OPEN });
    expect(JSON.stringify(withoutProof(withProof(plain)))).toBe(JSON.stringify(plain));
    expect(withoutProof(plain)).toBe(plain);
  });
});
