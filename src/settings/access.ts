import { z } from "zod";
import { groupName, identityName, listOf, oneOf, period, regularExpression, section } from "./vocabulary";

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
  .refine((pattern) => !pattern.startsWith("/") && !pattern.endsWith("/"), "must not begin or end with a slash");

const tags = section({
  /** Tags that a maintainer may move; every other tag is immutable. */
  mutable: listOf(tag).default([]),
  /** What a new tag must look like, besides the mutable ones; left out, anything goes. */
  format: regularExpression.optional(),
});

/** `harden-zot:access`: who may do what. */
export const accessSettings = section({
  anonymous: listOf(oneOf("read")).default(["read"]),
  /** Break-glass: may push, and delete everywhere; may not overwrite an immutable tag. */
  admins: section({ group: groupName }),
  tags: tags.default({ mutable: [] }),
});

const key = section({ expiresAfter: period, rotateAfter: period })
  .refine((key) => key.rotateAfter < key.expiresAfter, {
    path: ["rotateAfter"],
    message: "must be shorter than expiresAfter, or the key is dead before its successor is minted",
  })
  .prefault({ expiresAfter: "90d", rotateAfter: "60d" });

const ciIdentity = section({
  name: identityName,
  group: groupName,
  repositories: listOf(repositoryPattern).min(1, "must name at least one repository pattern, such as team/**"),
  /** publisher: may push new tags; maintainer: may also move the mutable ones. */
  role: oneOf("publisher", "maintainer").default("publisher"),
  key,
});

/** `harden-zot:ci`: the machine accounts. */
export const ciSettings = listOf(ciIdentity)
  .default([])
  .refine((identities) => new Set(identities.map((identity) => identity.name)).size === identities.length, {
    message: "must not name the same identity twice",
  });

export type AccessSettings = z.output<typeof accessSettings>;
export type CiIdentity = z.output<typeof ciIdentity>;
