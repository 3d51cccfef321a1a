import { describe, expect, it } from "vitest";
import { identityFromClaims } from "./claims";

const login = (userinfo: object, idToken: object = {}) => ({
  userinfo: userinfo as Record<string, unknown>,
  idToken: idToken as Record<string, unknown>,
});

describe("identityFromClaims", () => {
  it("takes the e-mail address where nothing is mapped", () => {
    expect(identityFromClaims(undefined, login({ email: "a@b.c", preferred_username: "a" }))?.name).toBe("a@b.c");
  });

  it("takes no name from the ID token, nor from a claim that is no string", () => {
    const mapping = { username: "preferred_username" };
    expect(identityFromClaims(mapping, login({}, { preferred_username: "a" }))).toBeUndefined();
    expect(identityFromClaims(mapping, login({ preferred_username: ["a"], email: "a@b.c" }))?.name).toBe("a@b.c");
  });

  it("joins, sorts and deduplicates the groups of both", () => {
    const both = login({ email: "a@b.c", roles: ["z", "a", null, ""] }, { roles: "a", groups: ["no"] });
    expect(identityFromClaims({ groups: "roles" }, both)?.groups).toEqual(["a", "z"]);
  });
});
