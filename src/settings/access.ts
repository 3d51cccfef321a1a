import { z } from "zod";
import { destination } from "./publish";
import {
  flag,
  groupName,
  identityName,
  listOf,
  oneOf,
  period,
  RESERVED_NAMESPACE,
  regularExpression,
  section,
} from "./vocabulary";

/** OCI distribution-spec v1.1 tag grammar. */
const tag = z
  .string({ error: "must be a tag" })
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, "must be a tag of the OCI distribution spec, such as latest");

const repositoryPattern = z
  .string({ error: "must be a repository pattern such as team/**" })
  .regex(
    /^[a-z0-9*?[\]{},!^/._-]+$/,
    "must be a repository pattern such as team/** (lower case; ** crosses slashes, * does not)",
  )
  .refine((pattern) => !pattern.startsWith("/") && !pattern.endsWith("/"), "must not begin or end with a slash")
  .refine(
    (pattern) => pattern.split("/")[0] !== RESERVED_NAMESPACE,
    `must not lie in ${RESERVED_NAMESPACE}/, which is reserved for the proof that a configuration is in force`,
  );

const tagRules = {
  /** Tags that a maintainer may move; every other tag is immutable. */
  mutable: listOf(tag).default([]),
  /** RE2 that the whole of a new tag must match, besides the mutable ones; left out, anything goes. */
  format: regularExpression.optional(),
  /** What CI is told when a tag is refused for its form; left out, the format itself. */
  message: z
    .string({ error: "must be text" })
    .regex(/^[^\p{C}]{1,200}$/u, "must be one line of up to 200 characters")
    .optional(),
};

const repositoryPatterns = listOf(repositoryPattern).min(
  1,
  "must name at least one repository pattern, such as team/**",
);

const tags = section({
  ...tagRules,
  /** Other rules for some repositories; they replace the general ones there. The narrowest pattern counts. */
  overrides: listOf(section({ repositories: repositoryPatterns, ...tagRules })).default([]),
});

/**
 * reader: may read, also what is private. publisher: also push new tags. maintainer: also move the mutable tags.
 * deleter: may read and delete, and not push.
 */
const role = oneOf("reader", "publisher", "maintainer", "deleter");

/** Findings of the lints that an operator may accept knowingly (src/review/lints/lints.ts). */
export const LINTS = [
  "anonymous-write",
  "everyone-pushes",
  "shared-group",
  "tag-overwrite",
  "tag-replace",
  "cache-writable",
  "no-administrator",
  "grant-lost",
  "tied-patterns",
  "group-case",
  "unknown-action",
  "bad-condition",
  "zot-too-old",
  "dropped-rule",
  "head-creates",
] as const;

/** `harden-zot:access`: who may do what. */
export const accessSettings = section({
  anonymous: listOf(oneOf("read")).default(["read"]),
  /** Where `anonymous` holds. */
  public: repositoryPatterns.default(["**"]),
  /** Readable by those alone whom a rule names, not by everybody logged in; wins over `public`. */
  private: listOf(repositoryPattern).default([]),
  /** Break-glass: may push, and delete everywhere; may not overwrite an immutable tag. */
  admins: section({ group: groupName }),
  tags: tags.prefault({}),
  /** What the members of a group may do, besides reading. */
  groups: listOf(section({ group: groupName, repositories: repositoryPatterns, role })).default([]),
  /** Lints whose findings are accepted. */
  accept: listOf(oneOf(...LINTS)).default([]),
});

/** How often `pulumi up` runs unattended may fail or be late before a key is dead. */
const SPARE_RUNS = 2;

/** Any text; another one makes another of what it is written at, due or not. */
const rotate = z
  .string({ error: "must be text" })
  .regex(/^[^\p{C}]{1,100}$/u, "must be one line of up to 100 characters, such as a date")
  .optional();

const key = section({
  expiresAfter: period.prefault("90d"),
  rotateAfter: period.prefault("60d"),
  /** How often `pulumi up` runs unattended. */
  schedule: period.prefault("1d"),
  rotate,
  /** Whether running jobs keep the key before; false once it has leaked. */
  keepPrevious: flag.default(true),
})
  .refine(({ expiresAfter, rotateAfter, schedule }) => rotateAfter + SPARE_RUNS * schedule <= expiresAfter, {
    path: ["rotateAfter"],
    message: `must be shorter than expiresAfter by ${SPARE_RUNS} runs of the schedule (key.schedule, 1d unless set) or more, or the key may be dead before its successor is minted`,
  })
  .prefault({});

const ciIdentity = section({
  name: identityName,
  group: groupName,
  repositories: repositoryPatterns,
  role: role.default("publisher"),
  key,
  /** What its account logs in with to have keys made; it does not expire. */
  appPassword: section({ rotate }).prefault({}),
  /** Where its key is written, besides the stack's outputs. */
  publish: listOf(destination).default([]),
});

/** `harden-zot:ci`: the machine accounts. */
export const ciSettings = listOf(ciIdentity)
  .default([])
  .refine((identities) => new Set(identities.map((identity) => identity.name)).size === identities.length, {
    message: "must not name the same identity twice",
  });

export type AccessSettings = z.output<typeof accessSettings>;
export type CiIdentity = z.output<typeof ciIdentity>;
