import { describe, expect, it } from "vitest";
import { describeIssues } from "../operator/error";
import { collisions, type Destination, destination, namesOf, placeOf } from "./publish";

const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFAkJFdMp4+lyNATKqECyzlGm2AJYbVtPjNKTjHL/x3s";
const forgejo = { url: "https://forge.example.test/", repository: "team/app", token: "forgejoToken" };
const github = { organization: "team", token: "githubToken" };
const file = { address: "runner", user: "ci", hostKey: HOST_KEY, path: "/home/ci/.docker/config.json" };

const mistakes = (input: unknown): string => {
  const result = destination.safeParse(input);
  return result.success ? "accepted" : describeIssues("publish[0]", input, result.error).join("\n");
};

describe("destinations", () => {
  it("have defaults", () => {
    expect(destination.parse({ forgejo })).toEqual({
      forgejo: { ...forgejo, url: "https://forge.example.test", secrets: { apiKey: "ZOT_API_KEY" } },
    });
    expect(destination.parse({ github }).github).toMatchObject({ url: "https://github.com", visibility: "private" });
    expect(destination.parse({ file }).file).toMatchObject({ port: 22, content: "dockerConfig" });
  });

  it.each<[string, unknown, string, string]>([
    ["no kind", {}, "publish[0]", "forgejo, github, file"],
    ["two kinds", { forgejo, github }, "publish[0]", "exactly one"],
    ["an unknown kind", { gitlab: forgejo }, "publish[0].gitlab", "forgejo, github, file"],
    ["no owner", { github: { token: "t" } }, "publish[0].github", "repository (owner/name) or organization"],
    ["two owners", { github: { ...github, repository: "a/b" } }, "publish[0].github", "either repository"],
    ["a repository without owner", { forgejo: { ...forgejo, repository: "app" } }, ".forgejo.repository", "owner/name"],
    [
      "a repository of whoever the token is for",
      { forgejo: { ...forgejo, repository: "../user" } },
      ".repository",
      "owner/name",
    ],
    ["the repository above", { forgejo: { ...forgejo, repository: "team/.." } }, ".repository", "owner/name"],
    [
      "an organization that leads out of it",
      { github: { token: "t", organization: ".." } },
      ".organization",
      "name of an org",
    ],
    [
      "a forge without TLS",
      { forgejo: { ...forgejo, url: "http://forge.example.test" } },
      ".url",
      "put TLS in front of it",
    ],
    ["a path for a name", { github: { token: "t", organization: "a/../b" } }, ".organization", "name of an org"],
    ["a token in place of its name", { github: { ...github, token: "ghp_0123" } }, ".github.token", "--secret"],
    ["no token", { forgejo: { ...forgejo, token: undefined } }, "forgejo.token is missing", "name of a secret"],
    ["small letters", { github: { ...github, secrets: { apiKey: "key" } } }, ".secrets.apiKey", "capitals"],
    ["a reserved prefix", { github: { ...github, secrets: { apiKey: "GITHUB_KEY" } } }, ".apiKey", "GITHUB_"],
    ["no secrets", { github: { ...github, secrets: {} } }, ".github.secrets", "at least one"],
    ["one name twice", { github: { ...github, secrets: { apiKey: "A", username: "A" } } }, ".secrets", "one name"],
    ["no URL", { forgejo: { ...forgejo, url: undefined } }, "forgejo.url is missing", "https://"],
    ["a relative path", { file: { ...file, path: "~/key" } }, ".file.path", "absolute"],
    ["no host key", { file: { ...file, hostKey: undefined } }, ".file.hostKey", "ssh-keyscan"],
    ["unknown content", { file: { ...file, content: "yaml" } }, ".file.content", "dockerConfig, apiKey"],
  ])("refuse %s, naming the key and what is allowed", (_, input, key, allowed) => {
    expect(mistakes(input)).toContain(key);
    expect(mistakes(input)).toContain(allowed);
  });

  it("are told apart by where they are and what they write", () => {
    const parsed = [{ forgejo }, { github }, { file }].map((input) => destination.parse(input));
    expect(parsed.map(placeOf)).toEqual([
      "forge.example.test/team/app",
      "github.com/team",
      "runner:22/home/ci/.docker/config.json",
    ]);
    expect(parsed.map(namesOf)).toEqual([["ZOT_API_KEY"], ["ZOT_API_KEY"], ["dockerConfig"]]);
  });
});

describe("collisions", () => {
  const identity = (name: string, ...publish: unknown[]) => ({
    name,
    publish: publish.map((input): Destination => destination.parse(input)),
  });
  const other = { ...forgejo, secrets: { apiKey: "OTHER_API_KEY" } };

  it.each([
    ["team/app", "Team/app"],
    ["Team/App", "team/app"],
  ])("of two identities that write one secret, whatever the case of the repository: %s, %s", (one, another) => {
    const found = collisions([
      identity("a", { forgejo: { ...forgejo, repository: one } }),
      identity("b", { github }, { forgejo: { ...forgejo, repository: another } }),
    ]);
    expect(found).toEqual([
      "harden-zot:ci[1].publish[1] writes ZOT_API_KEY at forge.example.test/team/app, and so does harden-zot:ci[0].publish[0]: give it another name",
    ]);
  });

  it("of each name that two identities write", () => {
    const secrets = { apiKey: "KEY", username: "USER" };
    const found = collisions([
      identity("a", { forgejo: { ...forgejo, secrets } }),
      identity("b", { forgejo: { ...forgejo, secrets: { ...secrets, dockerConfig: "CONFIG" } } }),
    ]);
    expect(found).toEqual(
      ["KEY", "USER"].map(
        (name) =>
          `harden-zot:ci[1].publish[0] writes ${name} at forge.example.test/team/app, and so does harden-zot:ci[0].publish[0]: give it another name`,
      ),
    );
  });

  it.each([
    ["team/app", "Team/app"],
    ["Team/app", "team/app"],
  ])("of one identity with a place twice: %s, %s", (one, another) => {
    const twice = [one, another].map((repository, index) => ({
      forgejo: { ...(index === 0 ? forgejo : other), repository },
    }));
    expect(collisions([identity("a", ...twice)])).toEqual([
      "harden-zot:ci[0].publish[1] names forge.example.test/team/app a second time: name a place once for each identity, with all its secrets",
    ]);
  });

  it("none where the names differ", () => {
    expect(collisions([identity("a", { forgejo }, { github }), identity("b", { forgejo: other }, { file })])).toEqual(
      [],
    );
  });
});
