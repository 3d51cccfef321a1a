import { z } from "zod";
import { OperatorError } from "../operator/error";
import { sshLogin } from "./hosts";
import { oneOf, remotePath, safeUrl, section } from "./vocabulary";

/** Forgejo, Gitea and GitHub keep the names in capitals and reserve the prefixes. */
const secretName = z
  .string({ error: "must be the name of a secret, such as ZOT_API_KEY" })
  .regex(
    /^(?!(GITHUB|GITEA|FORGEJO)_)[A-Z_][A-Z0-9_]*$/,
    "must be the name of a secret, such as ZOT_API_KEY: capitals, digits and _, not beginning with a digit, GITHUB_, GITEA_ or FORGEJO_",
  );

/** Which parts of the hand-over are written, and under which names; a part without a name is not. */
const secrets = section({
  apiKey: secretName.optional(),
  username: secretName.optional(),
  dockerConfig: secretName.optional(),
})
  .refine((names) => Object.keys(names).length > 0, "must name at least one of apiKey, username, dockerConfig")
  .refine(
    (names) => new Set(Object.values(names)).size === Object.keys(names).length,
    "must not use one name for two values",
  )
  .default({ apiKey: "ZOT_API_KEY" });

/** As forges name owners and repositories; `.` and `..` would lead elsewhere in their API. */
const name = "(?!\\.{1,2}(?:/|$))[A-Za-z0-9_.-]+";
const actionsSecrets = {
  /** owner/name; give this or `organization`. */
  repository: z
    .string({ error: "must be a repository, owner/name" })
    .regex(new RegExp(`^${name}/${name}$`), "must be a repository, owner/name")
    .optional(),
  organization: z
    .string({ error: "must be the name of an organization" })
    .regex(new RegExp(`^${name}$`), "must be the name of an organization")
    .optional(),
  /** Name of the secret in the stack's configuration that holds the API token, never the token itself. */
  token: z
    .string({ error: "must be the name of a secret of this stack, such as forgejoToken" })
    .regex(
      /^[A-Za-z][A-Za-z0-9]{0,30}$/,
      "must be the name of a secret of this stack, such as forgejoToken, set with `pulumi config set --secret harden-zot:forgejoToken` (never the token itself)",
    ),
  secrets,
};

const oneOwner = (place: { repository?: string | undefined; organization?: string | undefined }) =>
  (place.repository === undefined) !== (place.organization === undefined);
const ONE_OWNER = "must have either repository (owner/name) or organization";

/** Actions secrets of a Forgejo or Gitea. */
const forgejo = section({ url: safeUrl, ...actionsSecrets }).refine(oneOwner, ONE_OWNER);

/** Actions secrets of GitHub, or of a GitHub Enterprise Server by its own URL. */
const github = section({
  url: safeUrl.default("https://github.com"),
  ...actionsSecrets,
  /** Who may read an organization's secrets. */
  visibility: oneOf("private", "all").default("private"),
}).refine(oneOwner, ONE_OWNER);

/** A file on a host, for its owner alone (0600). */
const file = section({
  ...sshLogin,
  path: remotePath,
  /** dockerConfig: the login is put into the docker config there, beside the others. apiKey: the bare key. */
  content: oneOf("dockerConfig", "apiKey").default("dockerConfig"),
});

const KINDS = ["forgejo", "github", "file"] as const;

/** Where an identity's key goes, one destination. */
export const destination = section({
  forgejo: forgejo.optional(),
  github: github.optional(),
  file: file.optional(),
}).refine(
  (entry) => KINDS.filter((kind) => entry[kind] !== undefined).length === 1,
  `must have exactly one of: ${KINDS.join(", ")}`,
);

export type Destination = z.output<typeof destination>;
export type ForgejoDestination = z.output<typeof forgejo>;
export type GithubDestination = z.output<typeof github>;
export type FileDestination = z.output<typeof file>;
export type SecretNames = z.output<typeof secrets>;

/** Where a destination is: `forge.example.test/team/app`, `host:22/path`. */
export function placeOf({ forgejo, github, file }: Destination): string {
  if (file) return `${file.address}:${file.port}${file.path}`;
  const forge = forgejo ?? github;
  if (!forge) throw new OperatorError(`a destination must have exactly one of: ${KINDS.join(", ")}`);
  return `${forge.url.replace(/^https?:\/\//, "")}/${forge.repository ?? forge.organization}`;
}

/** What is written at that place: names of secrets, or what the file holds. */
export function namesOf({ forgejo, github, file }: Destination): string[] {
  const names = file ? [file.content] : Object.values((forgejo ?? github)?.secrets ?? {});
  return names.filter((name) => name !== undefined);
}

/** One line for each two destinations that would write over each other. */
export function collisions(identities: { name: string; publish: Destination[] }[]): string[] {
  const places = identities.flatMap(({ publish }, index) =>
    publish.map((destination, at) => ({ key: `harden-zot:ci[${index}].publish[${at}]`, destination, index })),
  );
  return places.flatMap(({ key, destination, index }, at) => {
    const place = placeOf(destination).toLowerCase();
    const same = places.slice(0, at).filter((other) => placeOf(other.destination).toLowerCase() === place);
    if (same.some((other) => other.index === index)) {
      return [`${key} names ${place} a second time: name a place once for each identity, with all its secrets`];
    }
    const taken = namesOf(destination).filter((name) =>
      same.some((other) => namesOf(other.destination).includes(name)),
    );
    return taken.map((name) => `${key} writes ${name} at ${place}, and so does ${same[0]?.key}: give it another name`);
  });
}
