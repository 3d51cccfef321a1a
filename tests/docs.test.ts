import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { accessSettings, ciSettings } from "../src/settings/access";
import { hostsSettings } from "../src/settings/hosts";
import { identitySettings } from "../src/settings/identity";
import { registrySettings } from "../src/settings/registry";
import { parseSettings } from "../src/settings/settings";
import { VERIFICATION } from "../src/verify/checks";

/** What README.md and docs/ say is there is there. */
const filesIn = (folder: string) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
const PAGES = ["README.md", ...filesIn("docs").filter((path) => path.endsWith(".md"))];
const read = (path: string) => readFileSync(path, "utf8");
const matches = (text: string, expression: RegExp) => [...text.matchAll(expression)].map(([, found = ""]) => found);
const withoutBlocks = (text: string) => text.replace(/^```[\s\S]*?^```/gm, "");
/** What stands in backquotes or in a block. */
const code = (text: string) => [...matches(text, /^```.*\n([\s\S]*?)^```/gm), ...matches(text, /`([^`\n]+)`/g)];

describe.each(PAGES)("%s", (page) => {
  const text = read(page);

  it("has no link that leads nowhere", () => {
    const links = matches(withoutBlocks(text), /\]\(([^)\s]+)\)/g).filter((link) => !/^https?:/.test(link));
    const dead = links.filter((link) => {
      const [path, anchor] = link.split("#") as [string, string?];
      const file = path === "" ? page : relative(".", resolve(dirname(page), path));
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(read(file)).includes(anchor));
    });
    expect(dead).toEqual([]);
  });

  it("names no make target and no file of this project that there is not", () => {
    const targets = matches(read("Makefile"), /^([a-z-]+):/gm);
    const made = code(text).flatMap((said) => matches(said, /\bmake (?:-s )?([a-z][a-z-]*)(?![\w.-])/g));
    expect(made.filter((target) => !targets.includes(target))).toEqual([]);
    const files = code(text).filter((said) =>
      /^(src|bin|tests|sandbox|bench|tools|examples|docs|sdks)\/[\w./-]+$/.test(said),
    );
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });
});

it("the README's stack file is a whole one", () => {
  const [block = ""] = matches(read("README.md"), /^```yaml\n([\s\S]*?)^```/gm);
  expect(block.trim().split("\n").length).toBeLessThanOrEqual(12);
  const { config } = parse(block.replace("AAAA...", "AAAA"));
  expect(parseSettings(config)).toMatchObject({ hosts: [{ name: "registry.example.org" }], ci: [{ name: "zot-ci" }] });
});

it("the README has an index of every page", () => {
  const linked = matches(read("README.md"), /\]\((docs\/[a-z-]+\.md)\)/g);
  expect(PAGES.filter((page) => page !== "README.md" && !linked.includes(page))).toEqual([]);
});

describe("every setting is described", () => {
  const SECTIONS = {
    "harden-zot:registry": registrySettings,
    "harden-zot:hosts": hostsSettings,
    "harden-zot:identity": identitySettings,
    "harden-zot:access": accessSettings,
    "harden-zot:ci": ciSettings,
  };
  const ELSEWHERE: Record<string, string> = { publish: "docs/ci.md", scaleOut: "docs/scale-out.md" };

  it.each(Object.entries(SECTIONS))("%s", (root, schema) => {
    const section =
      read("docs/settings.md")
        .split(/^## /m)
        .find((text) => text.startsWith(`\`${root}\``)) ?? "";
    const undescribed = keysOf(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema).filter(
      (path) => {
        const other = Object.keys(ELSEWHERE).find((key) => path.slice(0, -1).includes(key));
        const words = code(other ? read(ELSEWHERE[other] as string) : section).flatMap((said) => said.split(/\W+/));
        return !words.includes(path.at(-1) as string);
      },
    );
    expect(undescribed).toEqual([]);
  });
});

it("docs/verification.md has every check, and docs/threat-model.md no other", () => {
  const ids = VERIFICATION.map(({ id }) => id);
  const described = code(read("docs/verification.md"));
  expect(ids.filter((id) => !described.includes(id))).toEqual([]);
  const rows = read("docs/threat-model.md")
    .split("\n")
    .filter((line) => line.startsWith("|"));
  const shownBy = rows.flatMap((row) => code(row.split(" | ").at(-1) ?? "")).filter((said) => /^[a-z-]+$/.test(said));
  expect(shownBy.filter((id) => !ids.includes(id))).toEqual([]);
});

it("docs/troubleshooting.md quotes the program's own words", () => {
  const sources = filesIn("src").filter((path) => /(?<!\.test)\.ts$|\.sh$/.test(path));
  const words = sources.map(read).join("\n").replaceAll("\\`", "`").replaceAll('\\"', '"');
  const ours = read("docs/troubleshooting.md").split(/^## .*not this program's/m)[0] ?? "";
  const quoted = matches(ours, /^\| (`[^|]+) \|/gm).flatMap((cell) => matches(cell, /`([^`]+)`/g));
  expect(quoted.length).toBeGreaterThan(40);
  const unsaid = quoted.flatMap((quote) => quote.split(/\s*\.\.\.\s*/)).filter((part) => !words.includes(part));
  expect(unsaid).toEqual([]);
});

/** As GitHub and Forgejo make them of headings. */
function anchorsOf(text: string): string[] {
  return matches(withoutBlocks(text), /^#+ (.*)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/** Paths of all keys. */
function keysOf({ properties = {}, items, anyOf = [], oneOf = [] }: Schema, above: string[] = []): string[][] {
  const own = Object.entries(properties).flatMap(([key, inner]) => [
    [...above, key],
    ...keysOf(inner, [...above, key]),
  ]);
  return [...own, ...[items, ...anyOf, ...oneOf].flatMap((inner) => (inner ? keysOf(inner, above) : []))];
}
