import { expect, it } from "vitest";
import { basic, type Fetch } from "../http/http";
import { OperatorError } from "../operator/error";
import { prove } from "./key-program";

const LOGIN = {
  registryUrl: "https://registry.example.test",
  username: "zot-ci",
  password: "not sent",
  flowSlug: "not used",
};
const FRESH = { uuid: "u1", apiKey: "zak_1", label: "l", createdAt: "2026-11-27T00:00:00Z", expirationDate: "x" };
const { apiKey: _, ...LISTED } = FRESH;

/** A registry that answers so to /v2/, and with these keys to who asks for their own. */
function registry(status: number, apiKeys: object[] | null): { fetch: Fetch; asked: string[] } {
  const asked: string[] = [];
  const fetch = async (url: string | URL, { headers }: RequestInit = {}) => {
    asked.push(`${url} ${new Headers(headers).get("authorization")}`);
    return String(url).endsWith("/v2/") ? new Response("", { status }) : Response.json({ apiKeys });
  };
  return { fetch: fetch as unknown as Fetch, asked };
}

it("a key is proved by the registry that lists it to who shows it", async () => {
  const { fetch, asked } = registry(200, [{ ...LISTED, uuid: "u0" }, LISTED]);
  await prove(LOGIN, FRESH, fetch);
  const shown = basic("zot-ci", "zak_1");
  expect(asked).toEqual([
    `https://registry.example.test/v2/ ${shown}`,
    `https://registry.example.test/zot/auth/apikey ${shown}`,
  ]);
});

it.each<[string, number, object[] | null, string]>([
  ["opens the registry as somebody else", 200, [{ ...LISTED, uuid: "u0" }], "200 to it at /v2/ as to somebody else"],
  ["opens it as somebody who has no key", 200, null, "200 to it at /v2/ as to somebody else"],
  ["is refused", 401, [LISTED], "401 to it at /v2/"],
  ["is let through by something that is no registry", 202, [LISTED], "202 to it at /v2/"],
])("a key that %s is not", async (__, status, keys, answers) => {
  await expect(prove(LOGIN, FRESH, registry(status, keys).fetch)).rejects.toThrow(
    new OperatorError(
      `The registry at https://registry.example.test made an API key for zot-ci and answers ${answers}: is that one registry, or several behind one address that do not share their database? The key was revoked again.`,
    ),
  );
});
