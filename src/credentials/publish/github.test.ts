import { afterEach, expect, it, vi } from "vitest";
import { OperatorError } from "../../operator/error";
import { destination } from "../../settings/publish";
import { github } from "./github";

afterEach(() => {
  vi.unstubAllGlobals();
});

const HANDOVER = { registry: "r.test", username: "zot-ci", apiKey: "zak_1", expiresAt: "2030-01-01T00:00:00Z" };

/** A GitHub that gives this for the key to seal with. @returns what it was asked */
function gitHubWith(publicKey: () => Response): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string, { method, body }: RequestInit) => {
    const { key_id, encrypted_value } = JSON.parse(String(body ?? "{}"));
    asked.push([method, url, key_id, Buffer.from(encrypted_value ?? "", "base64").length].join(" "));
    return method === "GET" ? publicKey() : new Response(null, { status: 201 });
  });
  return asked;
}

const publish = () => {
  const { github: to } = destination.parse({ github: { repository: "team/app", token: "githubToken" } });
  if (to === undefined) throw new Error("no destination");
  return github(to, "token").publish(HANDOVER);
};

const keyOf = (bytes: number) => () => Response.json({ key_id: "k7", key: Buffer.alloc(bytes, 9).toString("base64") });
const SECRETS = "https://api.github.com/repos/team/app/actions/secrets";

it("seals to a key of 32 bytes, and says which", async () => {
  const asked = gitHubWith(keyOf(32));
  expect(await publish()).toEqual(["ZOT_API_KEY"]);
  // A sealed box is 48 bytes longer than what is in it.
  expect(asked).toEqual([`GET ${SECRETS}/public-key  0`, `PUT ${SECRETS}/ZOT_API_KEY k7 ${"zak_1".length + 48}`]);
});

it.each<[string, () => Response]>([
  ["31 bytes", keyOf(31)],
  ["33 bytes", keyOf(33)],
  ["no key", () => Response.json({})],
  ["no JSON", () => new Response("<html>")],
])("sends nothing sealed to %s", async (_, answer) => {
  const asked = gitHubWith(answer);
  await expect(publish()).rejects.toThrow(
    new OperatorError("GitHub at https://api.github.com gave no public key to seal secrets with: check `url`"),
  );
  expect(asked).toEqual([`GET ${SECRETS}/public-key  0`]);
});
