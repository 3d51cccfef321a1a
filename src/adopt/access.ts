import { NEVER } from "../config/compile";
import { commonNames } from "../config/patterns";
import { createAuthorizer, type Identity } from "../zot/authorizer";
import { type LoadedAccessControl, type LoadedPolicy, type LoadedRepository, loadConfig } from "../zot/load";
import type { ZotConfig } from "../zot/types";
import type { Section } from "./registry";
import { type Tags, tagsOf } from "./tags";

/** `harden-zot:access` as it can be read from a configuration, and what could not be. */
export interface FoundAccess {
  section: Section & { admins: { group: string }; groups: Grant[] };
  /** Groups that exist in the identity provider, as the configuration names them. */
  existing: string[];
  /** New group to the user whose rights it takes over. */
  forUsers: Map<string, string>;
  /** Whether anybody administers the registry that is found. */
  hasAdmins: boolean;
}

interface Grant {
  group: string;
  repositories: string[];
  role: "reader" | "publisher" | "maintainer" | "deleter";
}

/** A pattern without what `harden-zot` put in front to make it longer, and what holds there. */
interface Place {
  pattern: string;
  repository: LoadedRepository;
}

/**
 * The settings whose rendering comes closest to the rules found. They may give or take more than those do: that is for
 * `compareAccess` to find out.
 * @throws ConditionError for a condition that zot would not load
 * @param caches namespaces of pull-through caches, which the settings make read-only
 * @param byPlace whether patterns may have tag rules of their own
 */
export function accessSection(config: ZotConfig, caches: readonly string[], byPlace: boolean): FoundAccess {
  const found = loadConfig(config).accessControl ?? (isOpen(config) ? OPEN : NOTHING);
  const places = [...found.repositories].map(([pattern, repository]) => ({
    pattern: unpadded(pattern),
    repository: { ...repository, policies: repository.policies.filter(grants) },
  }));
  const admins = adminsOf(found);
  const names = new Names();
  const outside = places.filter(({ pattern }) => !caches.includes(pattern.split("/")[0] ?? ""));
  const hidden = privateOf(config, places);
  const tags = tagsOf(
    outside.map(({ pattern, repository }) => ({ pattern, policies: repository.policies })),
    admins.group,
    byPlace,
  );
  const given = [
    ...outside.flatMap((place) => writers(place, admins.group, names, tags)),
    ...places.filter(({ pattern }) => hidden.includes(pattern)).flatMap((place) => readers(place, admins.group, names)),
  ];
  const open = places.filter(({ repository }) => repository.anonymousPolicy.includes("read"));
  const groups = merged(given);
  const used = new Set([admins.group, ...groups.map(({ group }) => group)]);
  return {
    section: {
      ...(open.length === 0 ? { anonymous: [] } : publicOf(open)),
      ...(hidden.length > 0 ? { private: hidden } : {}),
      admins: { group: admins.group },
      ...(Object.keys(tags.section).length > 0 ? { tags: tags.section } : {}),
      groups,
    },
    existing: [...used].filter((group) => !names.made.has(group) && (group !== admins.group || admins.found)),
    forUsers: names.made,
    hasAdmins: admins.found,
  };
}

const NOTHING: LoadedAccessControl = {
  repositories: new Map(),
  adminPolicy: { users: [], groups: [], actions: [], conditions: [] },
  groups: new Map(),
  metrics: { users: [], anonymousPolicy: [] },
};

/** What stays of a registry that anyone may read and write: whoever reaches it goes on reading. */
const OPEN: LoadedAccessControl = {
  ...NOTHING,
  repositories: new Map([
    ["**", { policies: [], defaultPolicy: ["read"], anonymousPolicy: ["read"] } satisfies LoadedRepository],
  ]),
};

/** Without logins and without rules, zot asks nobody who they are. */
export const isOpen = ({ http }: ZotConfig) => http.auth === undefined && http.accessControl === undefined;

/** A policy may be there for its message alone. */
const grants = ({ conditions }: LoadedPolicy) => !conditions.some(({ expression }) => expression === NEVER);

/** `{,,}team/**` is `team/**`, made longer (src/config/patterns.ts). */
export const unpadded = (pattern: string) => pattern.replace(/^\{,*\}/, "");

/** Who may administer: the group of adminPolicy, else one that may read and delete everywhere. */
function adminsOf({ adminPolicy, repositories }: LoadedAccessControl): { group: string; found: boolean } {
  const everywhere = repositories.get("**")?.policies ?? [];
  const deleting = everywhere.filter(({ actions }) => ["read", "delete"].every((action) => actions.includes(action)));
  const group = [adminPolicy, ...deleting].flatMap(({ groups }) => groups)[0];
  return { group: group ?? "admins", found: group !== undefined };
}

function publicOf(open: readonly Place[]): Section {
  const patterns = open.map(({ pattern }) => pattern);
  return patterns.includes("**") ? {} : { public: patterns };
}

/**
 * Patterns within which neither anonymous nor everybody logged in may read anything. (What is merely not public is
 * readable by everybody logged in, in the settings.)
 */
function privateOf(config: ZotConfig, places: readonly Place[]): string[] {
  const authorizer = createAuthorizer(config);
  const anyone: Identity[] = [{ kind: "anonymous" }, { kind: "user", name: "anyone", groups: [], via: "apikey" }];
  const readable = (repository: string) =>
    anyone.some((identity) => authorizer.can(identity, { repository, action: "read" }).allowed);
  const openHere = ({ repository: { anonymousPolicy, defaultPolicy } }: Place) =>
    [...anonymousPolicy, ...defaultPolicy].includes("read");
  const openWithin = ({ pattern }: Place) =>
    places.some((other) => other.pattern !== pattern && commonNames(pattern, other.pattern).some(readable));
  return places.filter((place) => !openHere(place) && !openWithin(place)).map(({ pattern }) => pattern);
}

/** Rights go to groups; a user who has some of their own gets a group. */
class Names {
  readonly made = new Map<string, string>();

  of({ groups, users }: LoadedPolicy): string[] {
    return [...groups, ...users.filter((user) => user !== "").map((user) => this.#forUser(user))];
  }

  #forUser(user: string): string {
    const group = `registry-${user.replace(/["\\\s]/g, "-")}`;
    this.made.set(group, user);
    return group;
  }
}

function writers({ pattern, repository }: Place, admins: string, names: Names, tags: Tags): Grant[] {
  const may = (action: string) =>
    new Set(
      repository.policies.filter(({ actions }) => actions.includes(action)).flatMap((policy) => names.of(policy)),
    );
  const [creating, moving, deleting] = [may("create"), may("update"), may("delete")];
  const grant = (group: string, role: Grant["role"]) => ({ group, repositories: [pattern], role });
  const movable = tags.mutableAt(pattern).length > 0;
  return [...new Set([...creating, ...moving, ...deleting])]
    .filter((group) => group !== admins)
    .flatMap((group) => [
      ...(creating.has(group) || moving.has(group)
        ? [grant(group, moving.has(group) && movable ? "maintainer" : "publisher")]
        : []),
      ...(deleting.has(group) ? [grant(group, "deleter")] : []),
    ]);
}

/** Only where not everybody may read does a right to read say anything. */
function readers({ pattern, repository }: Place, admins: string, names: Names): Grant[] {
  return repository.policies
    .filter(({ actions }) => actions.includes("read"))
    .flatMap((policy) => names.of(policy))
    .filter((group) => group !== admins)
    .map((group) => ({ group, repositories: [pattern], role: "reader" }));
}

/** One entry for a group and role; a reader where nothing else is needed. */
function merged(grants: readonly Grant[]): Grant[] {
  const byKey = new Map<string, Grant>();
  for (const { group, role, repositories } of grants) {
    const key = `${role} ${group}`;
    const before = byKey.get(key)?.repositories ?? [];
    byKey.set(key, { group, repositories: [...new Set([...before, ...repositories])], role });
  }
  const others = [...byKey.values()].filter(({ role }) => role !== "reader");
  const needless = ({ group, role, repositories }: Grant) =>
    role === "reader" &&
    repositories.every((one) => others.some((grant) => grant.group === group && grant.repositories.includes(one)));
  return [...byKey.values()].filter((grant) => !needless(grant));
}
