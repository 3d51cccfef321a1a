import { describe, expect, it } from "vitest";
import { allowedRedirect } from "./callback-ui";

const origins = ["https://registry.test", "junk"];

describe("allowedRedirect", () => {
  it.each([
    ["", ""],
    ["/home", "/home"],
    ["/home?x=http://evil.test", "/home?x=http://evil.test"],
    ["https://registry.test/home", "https://registry.test/home"],
    ["HTTPS://REGISTRY.TEST:443/home", "HTTPS://REGISTRY.TEST:443/home"],
  ])("lets %j pass", (target, expected) => {
    expect(allowedRedirect(target, origins)).toBe(expected);
  });

  it.each([
    "home",
    "//evil.test",
    "/\\evil.test",
    "/%5Cevil.test",
    "/home\r\nSet-Cookie: a=b",
    "https://evil.test/",
    "https://registry.test.evil.test/",
    "https://registry.test@evil.test/",
    "http://registry.test/",
    "javascript:alert(1)",
    "data:text/html,x",
  ])("sends %j to the start page", (target) => {
    expect(allowedRedirect(target, origins)).toBe("/");
  });
});
