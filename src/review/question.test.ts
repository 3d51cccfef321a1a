import { describe, expect, it } from "vitest";
import { type AccessRules, compileAccess } from "../config/compile";
import { accessSettings, ciSettings } from "../settings/access";
import type { AccessControl, ZotConfig } from "../zot/types";
import { answer } from "./question";
import { accessSummary, accessTable, renderTable } from "./table";

const rules: AccessRules = {
  access: accessSettings.parse({
    admins: { group: "admins" },
    private: ["secret/**"],
    tags: { mutable: ["main"], format: "^v\\d+$" },
  }),
  ci: ciSettings.parse([{ name: "zot-ci", group: "workloads", repositories: ["team/**"], role: "maintainer" }]),
  registry: { version: "2.1.20", metrics: "off", pullThrough: [] },
};

const configWith = (accessControl: AccessControl): ZotConfig => ({
  distSpecVersion: "1.1.1",
  storage: { rootDirectory: "/srv/zot" },
  http: { address: "127.0.0.1", port: "5000", auth: { apikey: true }, accessControl },
});
const config = configWith(compileAccess(rules));

const ask = (who: string, does: string, what: string, of = config) => answer(of, rules, { who, does, what });

describe("an access question", () => {
  it.each([
    ["zot-ci", "push", "team/app:v1", true, 'repositories["team/**"].policies[0]'],
    ["zot-ci", "push", "team/app:test", false, "this registry takes new tags that match ^v\\d+$"],
    ["zot-ci", "push", "other/app:v1", false, "403 DENIED"],
    ["zot-ci", "overwrite", "team/app:main", true, 'repositories["team/**"].policies[1]'],
    ["zot-ci", "overwrite", "team/app:v1", false, "this tag is immutable"],
    ["group workloads", "pull", "secret/app", false, 'repositories["secret/**"]'],
    ["admins", "pull", "secret/app", true, "adminPolicy"],
    ["admins", "delete", "team/app:v1", true, "adminPolicy"],
    ["anonymous", "pull", "team/app:v1", true, 'repositories["team/**"].anonymousPolicy'],
    ["anonymous", "pull", "secret/app:v1", false, "401 UNAUTHORIZED"],
    ["everyone logged in", "pull", "team/app:v1", true, "defaultPolicy"],
  ])("%s %s %s: %s", (who, does, what, yes, why) => {
    const given = ask(who, does, what);
    expect(given.yes).toBe(yes);
    expect(given.text).toContain(yes ? "yes: " : "no: ");
    expect(given.text).toContain(why);
  });

  it("needs the permission to upload blobs, too, for a push", () => {
    const conditions = [{ expression: 'req.tag == "v1"' }];
    const policies = [{ groups: ["workloads"], actions: ["create"], conditions }];
    const tagsOnly = configWith({ repositories: { "**": { anonymousPolicy: ["read"], policies } } });
    expect(ask("zot-ci", "push", "team/app:v1", tagsOnly).yes).toBe(false);
  });

  it("has no answer where zot picks a pattern at random", () => {
    const open = { defaultPolicy: ["read", "delete"] };
    const tied = configWith({ repositories: { "te??/**": open, "team/**": { defaultPolicy: ["read"] } } });
    expect(ask("zot-ci", "delete", "team/app:v1", tied)).toMatchObject({
      yes: false,
      text: expect.stringMatching(/^undefined: .*te\?\?\/\*\*/),
    });
    expect(ask("zot-ci", "pull", "team/app:v1", tied).yes).toBe(true);
  });

  it.each([
    ["bob", "pull", "team/app", /WHO=bob: .*known: anonymous, .*zot-ci/],
    ["zot-ci", "destroy", "team/app:v1", /DO=destroy: must be one of: pull, push, overwrite, delete/],
    ["zot-ci", "push", "team/app", /WHAT=team\/app: name a tag too/],
    ["zot-ci", "pull", "Team/App", /WHAT=Team\/App: must be a repository/],
  ])("that makes no sense is told so: %s %s %s", (who, does, what, message) => {
    expect(() => ask(who, does, what)).toThrow(message);
  });
});

describe("the access table", () => {
  const table = accessTable(config, rules);
  const cell = (where: string, label: string) =>
    table.rows.find((row) => row.where === where && row.who.label === label)?.cells;

  it("tells what everyone may do in every place", () => {
    expect(cell("team/**", "zot-ci")).toMatchObject({
      pull: { may: "yes" },
      push: { may: "if" },
      overwrite: { may: "if" },
      delete: { may: "no" },
    });
    expect(cell("secret/**", "anonymous")).toMatchObject({ pull: { may: "no" }, push: { may: "no" } });
    expect(cell("secret/**", "group admins")).toMatchObject({
      pull: { may: "yes", rule: "adminPolicy" },
      delete: { may: "yes" },
    });
  });

  it("names users that extraConfig brings in", () => {
    const extra = configWith({
      ...compileAccess(rules),
      adminPolicy: { users: ["root"], actions: ["read", "delete"] },
    });
    expect(accessTable(extra, rules).rows.map(({ who }) => who.label)).toContain("user root");
  });

  it("sums up one entry for everyone with rules of their own in every place, for a preview to show", () => {
    expect(accessSummary(config, rules)["secret/**"]).toEqual({
      anonymous: "nothing",
      "everyone logged in": "nothing",
      "group admins": 'pull, push, overwrite if req.referenceType == "digest" || req.tag in ["main"], delete',
    });
  });

  it("is text in columns or Markdown, conditions numbered below", () => {
    const text = renderTable(table, "text").split("\n");
    expect(text.find((line) => /^team\/\*\* +zot-ci /.test(line))).toMatch(/yes +if \[2\] +if \[1\] +no$/);
    expect(text).toContain('[1] req.referenceType == "digest" || req.tag in ["main"]');
    const widths = renderTable(table, "markdown")
      .split("\n")
      .slice(0, table.rows.length + 2)
      .map((line) => line.length);
    expect(new Set(widths).size).toBe(1);
  });
});
