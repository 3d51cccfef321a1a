import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  ask,
  type HttpAnswer,
  MANIFEST_B,
  MANIFEST_TYPE,
  passwordOf,
  RealZot,
  Workshop,
} from "../sandbox/bare-registry";
import { sampleName } from "../src/config/patterns";
import { renderConfig } from "../src/config/render";
import { ACTION_OF, type AccessRow, accessTable, WHATS, type What } from "../src/review/table";
import { parseSettings, type RawSettings } from "../src/settings/settings";
import { createAuthorizer } from "../src/zot/authorizer";
import type { AccessControl, ZotConfig } from "../src/zot/types";

/**
 * Every cell of the production stack's access table, tried on a running zot: the one that ZOT names, or else the
 * stand-in. People log in with passwords here, and their groups come from the configuration; the rules are the same.
 */
const { config: raw } = parse(readFileSync(resolve("Pulumi.prod.yaml"), "utf8"));
const settings = parseSettings(raw as RawSettings);
const production = renderConfig(settings, { issuer: "https://issuer.test/", credentialsFile: "", sessionKeysFile: "" });
const table = accessTable(production, settings);
const command = process.env.ZOT
  ? [process.env.ZOT]
  : ["node", "--require", "./loader.js", resolve("sandbox/zot/main.ts")];

const userOf = ({ label, groups }: AccessRow["who"]) =>
  groups.length > 0 ? label.replace(/\W/g, "-") : label.replaceAll(" ", "-");
const people = [...new Map(table.rows.map(({ who }) => [who.label, who])).values()];
const repositoryOf = ({ where }: AccessRow) => sampleName(where);
// Whoever may delete comes last in a repository, so that nobody finds it emptied.
const rows = [...table.rows].sort((a, b) => Number(a.cells.delete.may !== "no") - Number(b.cells.delete.may !== "no"));

function configFor(port: number, storage: string, htpasswd: string): ZotConfig {
  const groups: NonNullable<AccessControl["groups"]> = {};
  for (const who of people)
    for (const group of who.groups) groups[group] = { users: [...(groups[group]?.users ?? []), userOf(who)] };
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: storage, dedupe: false, gc: false },
    http: {
      address: "127.0.0.1",
      port: String(port),
      auth: { htpasswd: { path: htpasswd } },
      accessControl: { ...production.http.accessControl, groups },
    },
    log: { level: "error" },
  };
}

let folder: string;
let zot: RealZot;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "access-live-"));
  const repositories = [...new Set(rows.map(repositoryOf))];
  const workshop = new Workshop(command, folder, repositories, people.map(userOf));
  await workshop.prepare();
  const started = await RealZot.start(command, folder, (port) =>
    configFor(port, workshop.storage(false), workshop.htpasswd),
  );
  if (started === undefined) throw new Error("zot refuses the production stack's rules");
  zot = started;
});

afterAll(async () => {
  await zot?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Tags to try, of every kind the production rules tell apart; those to push are new for every row. */
function tagsFor(what: What, row: number): string[] {
  if (what === "push") return [`v1.0.${row}-0123abc`, `v1.0.${row}-0123abc-nix`, `v1.0.${row}`, `test-${row}`];
  return what === "pull" || what === "delete" ? ["latest"] : ["main", "v1.2.3-abcdef0"];
}

function attempt({ who, ...row }: AccessRow, what: What, tag: string): Promise<HttpAnswer> {
  const method = { pull: "GET", push: "PUT", overwrite: "PUT", delete: "DELETE" }[what];
  const user = userOf(who);
  const authorization = `Basic ${Buffer.from(`${user}:${passwordOf(user)}`).toString("base64")}`;
  return ask(zot.port, {
    method,
    path: `/v2/${repositoryOf({ who, ...row })}/manifests/${tag}`,
    headers: {
      ...(who.name === "" ? {} : { Authorization: authorization }),
      ...(method === "PUT" ? { "Content-Type": MANIFEST_TYPE } : {}),
    },
    ...(method === "PUT" ? { body: MANIFEST_B.body } : {}),
  });
}

describe(`the production access table on ${process.env.ZOT ? "the real zot" : "the zot stand-in"}`, () => {
  const authorizer = createAuthorizer(configFor(0, "/none", "/none"));
  const cells = rows.flatMap((row, index) => WHATS.map((what) => ({ row, index, what })));

  it.each(cells)("$row.where $row.who.label $what", async ({ row, index, what }) => {
    const identity =
      row.who.name === ""
        ? ({ kind: "anonymous" } as const)
        : ({ kind: "user", name: userOf(row.who), groups: [], via: "htpasswd" } as const);
    for (const tag of tagsFor(what, index)) {
      const { status } = await attempt(row, what, tag);
      const refusal = row.who.name === "" ? 401 : 403;
      const granted = { pull: 200, push: 201, overwrite: 201, delete: 202 }[what];
      const may = authorizer.can(identity, {
        repository: repositoryOf(row),
        action: ACTION_OF[what],
        reference: tag,
      }).allowed;
      if (row.cells[what].may !== "if") expect([tag, may]).toEqual([tag, row.cells[what].may === "yes"]);
      expect([tag, status]).toEqual([tag, may ? granted : refusal]);
    }
  });
});
