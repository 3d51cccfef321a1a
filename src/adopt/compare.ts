import { commonNames, sampleName } from "../config/patterns";
import { type Authorizer, createAuthorizer, type Identity } from "../zot/authorizer";
import { type LoadedAccessControl, loadConfig } from "../zot/load";
import type { ZotConfig } from "../zot/types";
import { unpadded } from "./access";

/** A right that one configuration gives and the other does not. */
export interface AccessChange {
  who: string;
  /** With the configuration rendered from the settings. */
  gains: boolean;
  what: "pull" | "push new tags" | "overwrite tags" | "delete";
  /** `any tag`, `any other`, or the tags it is about. */
  tags: string;
  /** Repository patterns. */
  where: string[];
}

interface Person {
  label: string;
  before: Identity;
  after: Identity;
}

const ACTION_OF = { pull: "read", "push new tags": "create", "overwrite tags": "update", delete: "delete" } as const;
const WHATS = Object.keys(ACTION_OF) as AccessChange["what"][];

/** Tags that most rules tell apart. */
const USUAL_TAGS = ["main", "latest", "v1.2.3-abcdef0", "some-tag"];

/**
 * What everyone whom either configuration tells apart may do before and after, by asking both about a repository for every
 * pattern and a tag for every rule.
 * @param forUsers group to the user who is put into it
 * @throws ConditionError for a condition that zot would not load
 */
export function compareAccess(
  before: ZotConfig,
  after: ZotConfig,
  forUsers: ReadonlyMap<string, string>,
): AccessChange[] {
  const authorizers = [createAuthorizer(before), createAuthorizer(after)] as const;
  const loaded = [before, after].flatMap((config) => loadConfig(config).accessControl ?? []);
  const tags = tagsIn(loaded);
  const changes = new Map<string, AccessChange>();
  for (const person of peopleIn(loaded, forUsers)) {
    for (const [label, repository] of placesIn(loaded)) {
      for (const change of WHATS.flatMap((what) => differences(authorizers, person, repository, what, tags))) {
        const key = JSON.stringify(change);
        const where = changes.get(key)?.where ?? [];
        changes.set(key, { ...change, where: where.includes(label) ? where : [...where, label] });
      }
    }
  }
  return [...changes.values()];
}

function differences(
  [before, after]: readonly [Authorizer, Authorizer],
  person: Person,
  repository: string,
  what: AccessChange["what"],
  tags: readonly string[],
): Omit<AccessChange, "where">[] {
  const asked = what === "pull" ? [""] : tags;
  const changed = asked.map((tag) => {
    const ask = { repository, action: ACTION_OF[what], reference: tag };
    return { tag, by: mayTo(after, person.after, ask) - mayTo(before, person.before, ask) };
  });
  return [true, false].flatMap((gains) => {
    const some = changed.filter(({ by }) => (gains ? by > 0 : by < 0)).map(({ tag }) => tag);
    if (some.length === 0) return [];
    const all = what === "pull" ? "" : "any tag";
    return [{ who: person.label, gains, what, tags: some.length === asked.length ? all : some.join(", ") }];
  });
}

/** 0 no, 2 yes, 1 as zot happens to choose among patterns of equal length. */
function mayTo(authorizer: Authorizer, identity: Identity, ask: Question): number {
  // Blobs are uploaded before there is a tag.
  const asked = ask.action === "create" ? [{ ...ask, reference: "" }, ask] : [ask];
  return Math.min(
    ...asked.map((one) => {
      const { allowed, ambiguous } = authorizer.can(identity, one);
      return ambiguous ? 1 : allowed ? 2 : 0;
    }),
  );
}

type Question = Parameters<Authorizer["can"]>[1];

function peopleIn(configs: readonly LoadedAccessControl[], forUsers: ReadonlyMap<string, string>): Person[] {
  const policies = configs.flatMap(({ repositories, adminPolicy }) => [
    adminPolicy,
    ...[...repositories.values()].flatMap((repository) => repository.policies),
  ]);
  const user = (name: string, groups: string[]): Identity => ({ kind: "user", name, groups, via: "apikey" });
  const same = (label: string, identity: Identity) => ({ label, before: identity, after: identity });
  const groupOf = new Map([...forUsers].map(([group, name]) => [name, group]));
  const names = new Set(policies.flatMap(({ users }) => users).filter(Boolean));
  const groups = new Set(policies.flatMap((policy) => policy.groups).filter((group) => !forUsers.has(group)));
  return [
    same("anonymous", { kind: "anonymous" }),
    same("everyone logged in", user("anyone", [])),
    ...[...groups].map((group) => same(`group ${group}`, user("anyone", [group]))),
    ...[...names].map((name) => ({
      label: `user ${name}`,
      before: user(name, []),
      after: user(name, [groupOf.get(name) ?? []].flat()),
    })),
  ];
}

/** A repository for every pattern and every way in which two of them overlap, and one that only `**` matches. */
function placesIn(configs: readonly LoadedAccessControl[]): Map<string, string> {
  const patterns = [...new Set(configs.flatMap(({ repositories }) => [...repositories.keys()].map(unpadded)))];
  const common = patterns.flatMap((one, index) =>
    patterns.slice(index + 1).flatMap((other) => commonNames(one, other).map((name) => [name, name] as const)),
  );
  const own = patterns.map((pattern) => [pattern, sampleName(pattern)] as const);
  const asked = new Map<string, string>();
  // Two labels for one repository would tell everything twice.
  for (const [label, name] of [...own, ...common, ["any other repository", "any-other/repository"] as const]) {
    if (![...asked.values()].includes(name)) asked.set(label, name);
  }
  return asked;
}

function tagsIn(configs: readonly LoadedAccessControl[]): string[] {
  const named = configs.flatMap(({ repositories, adminPolicy }) =>
    [adminPolicy, ...[...repositories.values()].flatMap(({ policies }) => policies)].flatMap(({ conditions }) =>
      conditions.flatMap(({ expression }) => expression.match(/(?<=["'])[\w.-]{1,128}(?=["'])/g) ?? []),
    ),
  );
  return [...new Set([...USUAL_TAGS, ...named.filter((name) => name !== "tag" && name !== "digest")])];
}
