import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Forge, startForge } from "../../sandbox/forge";
import { freePort } from "../../sandbox/process";
import { dockerConfigJson, type HandOver } from "../../src/credentials/handover";
import { forgejo } from "../../src/credentials/publish/forgejo";
import { apiUrl, github } from "../../src/credentials/publish/github";
import type { Request } from "../../src/credentials/publish/program";
import type { Publisher } from "../../src/credentials/publish/publisher";
import { OperatorError } from "../../src/operator/error";

const handover: HandOver = {
  registry: "registry.example.test",
  username: "zot-ci",
  apiKey: `zak_${"1f".repeat(16)}`,
  expiresAt: "2030-01-01T00:00:00Z",
};
const fingerprint = createHash("sha256").update(handover.apiKey).digest("hex").slice(0, 16);

let forge: Forge;
beforeAll(async () => {
  forge = await startForge(["repos/team/app", "orgs/team"]);
});
beforeEach(() => {
  for (const secrets of forge.secrets.values()) secrets.clear();
});
afterAll(() => forge.close());

/** As Pulumi runs it. */
async function run(verb: string, input: string) {
  const child = spawn("node", ["--require", "./loader.js", "bin/publish.ts", verb]);
  child.stdin.end(input);
  const exit = new Promise<number>((settle) => child.once("close", settle));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { stdout, stderr, code };
}

/** The same without a process, which takes most of the time. */
function publisherOf({ destination, token = "" }: Omit<Request, "handover">): Publisher {
  if (destination.forgejo) return forgejo(destination.forgejo, token);
  if (destination.github) return github(destination.github, token);
  throw new Error("a file has tests of its own");
}

const SECRETS = { apiKey: "ZOT_API_KEY", username: "ZOT_USERNAME", dockerConfig: "ZOT_DOCKER_CONFIG" };
const VALUES = {
  ZOT_API_KEY: handover.apiKey,
  ZOT_USERNAME: handover.username,
  ZOT_DOCKER_CONFIG: dockerConfigJson(handover),
};

type Owner = { repository: string } | { organization: string };
const place = (kind: "forgejo" | "github", owner: Owner, url = forge.url): Request["destination"] => {
  const common = { url, token: `${kind}Token`, secrets: SECRETS, ...owner };
  return kind === "forgejo" ? { forgejo: common } : { github: { ...common, visibility: "private" } };
};

const OWNERS: [string, Owner][] = [
  ["repos/team/app", { repository: "team/app" }],
  ["orgs/team", { organization: "team" }],
];

describe.each(["forgejo", "github"] as const)("%s", (kind) => {
  it.each(OWNERS)("writes, writes again and takes back the secrets of %s", async (path, owner) => {
    const publisher = publisherOf({ destination: place(kind, owner), token: forge.token });
    expect(await publisher.publish(handover)).toEqual(Object.values(SECRETS));
    expect(Object.fromEntries(forge.secrets.get(path) ?? [])).toEqual(VALUES);
    await publisher.publish(handover);
    forge.secrets.get(path)?.set("NOT_OURS", "kept");

    await publisher.withdraw(handover);
    expect([...(forge.secrets.get(path) ?? [])]).toEqual([["NOT_OURS", "kept"]]);
    // What is gone already is no failure.
    await publisher.withdraw(handover);
  });

  const failures: [string, (kind: "forgejo" | "github") => Promise<Omit<Request, "handover">>, RegExp][] = [
    [
      "a wrong token",
      async () => ({ destination: place(kind, { repository: "team/app" }), token: "wrong-0123456789abcdef" }),
      /refused the token \(401\).*pulumi config set --secret harden-zot:(forgejo|github)Token/,
    ],
    [
      "a token that may only read",
      async () => ({ destination: place(kind, { organization: "team" }), token: forge.readOnlyToken }),
      /secrets of organization team \(403\): it needs the .*organization.* administer the organization/,
    ],
    [
      "a repository that is not there",
      async () => ({ destination: place(kind, { repository: "team/typo" }), token: forge.token }),
      /knows no repository team\/typo .*\(404\)/,
    ],
    [
      "nothing that listens",
      async () => ({
        destination: place(kind, { repository: "team/app" }, `http://127.0.0.1:${await freePort()}`),
        token: forge.token,
      }),
      /does not answer \(ECONNREFUSED\): check `url`/,
    ],
  ];
  it.each(failures)("%s: one sentence, no secret", async (_, request, message) => {
    const given = await request(kind);
    const failure = await publisherOf(given)
      .publish(handover)
      .catch((error) => error);
    expect(failure).toBeInstanceOf(OperatorError);
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain("\n");
    expect(failure.message).not.toContain(given.token);
    expect(failure.message).not.toContain(handover.apiKey);
  });
});

describe("github", () => {
  it("tells who may read an organization's secrets", async () => {
    const destination = place("github", { organization: "team" });
    await publisherOf({ destination, token: forge.token }).publish(handover);
    expect(forge.visibility.get("orgs/team/ZOT_API_KEY")).toBe("private");
  });

  it.each([
    ["https://github.com", "https://api.github.com"],
    ["https://team.ghe.com", "https://api.team.ghe.com"],
    ["https://github.example.test", "https://github.example.test/api/v3"],
  ])("%s has its API at %s", (url, api) => expect(apiUrl(url)).toBe(api));
});

describe("the program", () => {
  it.each(["forgejo", "github"] as const)("reports by name and fingerprint what it wrote: %s", async (kind) => {
    const request = { destination: place(kind, { repository: "team/app" }), token: forge.token, handover };
    const published = await run("publish", JSON.stringify(request));
    expect(published).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(published.stdout)).toEqual({ wrote: Object.values(SECRETS), fingerprint });
    expect(Object.fromEntries(forge.secrets.get("repos/team/app") ?? [])).toEqual(VALUES);
    const withdrawn = await run("withdraw", JSON.stringify(request));
    expect(JSON.parse(withdrawn.stdout)).toEqual({ wrote: [], fingerprint });
    expect(forge.secrets.get("repos/team/app")?.size).toBe(0);
  });

  it("fails in one line", async () => {
    const request = { destination: place("forgejo", { repository: "team/typo" }), token: forge.token, handover };
    const { code, stdout, stderr } = await run("publish", JSON.stringify(request));
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^Forgejo at .* knows no repository team\/typo .*\n$/);
  });

  it("does not quote input that it cannot read", async () => {
    const { code, stderr } = await run("publish", `{"handover":{"apiKey":"${handover.apiKey}`);
    expect([code, stderr.trim()]).toEqual([1, expect.stringContaining("must be JSON")]);
    expect(stderr).not.toContain("zak_");
  });

  it("refuses another verb", async () => {
    expect(await run("print", "{}")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("print is not a verb; give one of: publish, withdraw"),
    });
  });
});
