import { describeFault, describeFinding, lintAccess } from "../review/lints/lints";
import { parseSettings } from "../settings/settings";
import type { OpenIdProvider, ZotConfig } from "../zot/types";
import { isOpen } from "./access";
import type { Adoption } from "./adopt";
import type { AccessChange } from "./compare";
import { leaves } from "./differences";

/** What the operator is told beside the settings, one sentence each. */
export interface Report {
  /** What the first `up` changes. */
  changes: string[];
  /** Rights that somebody gains or loses by it. */
  rights: string[];
  /** What is wrong with the rules found, which is why they change. */
  faults: string[];
  /** What the first `up` would refuse, or what should be decided before it. */
  decide: string[];
}

export function reportOn(adoption: Adoption): Report {
  const settings = parseSettings(adoption.settings);
  const before = lintAccess(adoption.found, settings).filter(({ lint }) => lint !== "grant-lost");
  const after = lintAccess(adoption.rendered, settings);
  const stays = (what: string) => after.some((finding) => describeFault(finding) === what);
  return {
    changes: [
      ...closing(adoption),
      ...clientSecret(adoption),
      ...SESSIONS,
      ...metrics(adoption),
      ...differences(adoption),
    ],
    rights: [...adoption.accessChanges].sort((a, b) => Number(b.gains) - Number(a.gains)).map(describeRight),
    faults: before.map(describeFault).filter((fault) => !stays(fault)),
    decide: [
      ...userNames(adoption),
      ...secrets(adoption),
      ...newGroups(adoption),
      ...suggestions(adoption),
      ...after.map(describeFinding),
    ],
  };
}

function describeRight({ who, gains, what, tags, where }: AccessChange): string {
  const which = tags === "" || tags === "any tag" ? "" : ` such as ${tags}`;
  return `${who} ${gains ? "gains" : "loses"}: ${what}${which} in ${where.join(", ")}`;
}

function closing({ found }: Adoption): string[] {
  return isOpen(found)
    ? [
        "the registry is open: whoever reaches it goes on pulling without a login (harden-zot:access.anonymous), and pushes and deletes by a login alone that a rule names",
      ]
    : [];
}

const providerOf = ({ http }: ZotConfig) => http.auth?.openid?.providers.oidc as OpenIdProvider | undefined;

function clientSecret({ found, secrets }: Adoption): string[] {
  if (!providerOf(found)) {
    return [
      "http.auth.openid: people log in through Authentik, and API keys are for machines; until now there was no such login",
    ];
  }
  const inline = secrets.some((path) => path.endsWith("providers.oidc.clientsecret"));
  const reason = inline
    ? "inline it is readable by all who may read config.json, and zot calls that deprecated"
    : "Pulumi keeps and delivers it";
  return [
    `the client secret: a new one, of a client that the stack makes in Authentik, in a file of its own (0600); ${reason}. The client of before is left as it is`,
  ];
}

const SESSIONS = [
  "http.auth.sessionKeysFile: a file that the stack delivers, so that later restarts end no session; the first up ends those that are open, everybody logs in once more in the browser. API keys stay as they are",
];

function metrics({ found, rendered }: Adoption): string[] {
  const { users = [] } = found.http.accessControl?.metrics ?? {};
  if (found.extensions?.metrics && !rendered.extensions?.metrics) {
    return ["extensions.metrics: off, since accessControl.metrics lets nobody read them"];
  }
  return users.includes("")
    ? ['http.accessControl.metrics: anonymousPolicy ["read"] in place of users [""], which zot 2.1.20 answers with 401']
    : [];
}

/** Said in other words above or below, or without any effect. */
const TOLD =
  /^(distSpecVersion|goVersion|commit|releaseTag|binaryType|http\.accessControl|http\.auth\.sessionKeysFile|http\.auth\.openid\.providers\.oidc(\.(clientid|credentialsFile|name|claimMapping\.groups))?$|http\.auth$|extensions\.(mgmt|apikey|metrics))/;

const WHY: [RegExp, string][] = [
  [/^http\.realm$/, "what the 401 challenge calls the registry; clients do not care"],
  [
    /^http\.(read|write)Timeout$/,
    "how long a layer may take (harden-zot:registry.timeouts); at zot's own 60 s, which hold where nothing is set, a slow one is cut without an answer",
  ],
  [/^http\.auth\.apikey$/, "CI logs in with API keys"],
  [/issuer$/, "the issuer of the application that the stack keeps in Authentik"],
];

function differences({ found, rendered }: Adoption): string[] {
  return leaves(found, rendered, [])
    .filter(({ path }) => !TOLD.test(path))
    .map(({ path, before, after }) => {
      const [, why] = WHY.find(([pattern]) => pattern.test(path)) ?? [];
      return `${path}: ${shown(after)}, until now ${shown(before)}${why ? `; ${why}` : ""}`;
    });
}

const shown = (value: unknown) => (value === undefined ? "not set" : JSON.stringify(value));

/** API keys belong to user names, so the claim that names users must not change unnoticed. */
function userNames({ found }: Adoption): string[] {
  const provider = providerOf(found);
  const claim = provider?.claimMapping?.username ?? "email";
  if (!provider || claim === "preferred_username") return [];
  return [
    `user names come from the claim ${claim}, and extraConfig keeps it so, because API keys belong to user names. The accounts of harden-zot:ci have no e-mail address, and cannot log in so. To change to preferred_username, remove claimMapping from extraConfig: everybody is then somebody else to zot. Keys of the old names go on working for whoever holds them, with the rights of the last login, and their owners can no longer see or revoke them: revoke them before, and mint new ones after`,
  ];
}

function secrets({ secrets: paths }: Adoption): string[] {
  return paths
    .filter((path) => !path.endsWith("providers.oidc.clientsecret"))
    .map(
      (path) =>
        `${path} holds a secret, and neither a stack file nor config.json is a place for one: it is left out here. zot can read most from a file (credentialsFile); put that on the host and name it in extraConfig`,
    );
}

function newGroups({ access, found }: Adoption): string[] {
  const htpasswd = found.http.auth?.htpasswd !== undefined;
  return [
    ...[...access.forUsers].map(
      ([group, user]) =>
        `rights go to groups: ${user} has rights of ${user === group ? "its" : "their"} own now, so put ${user} into the new group ${group} in Authentik, after the first up`,
    ),
    ...(htpasswd
      ? [
          "http.auth.htpasswd stays, by extraConfig. Let no name there be one of Authentik's too: a request with the password replaces the groups that the login brought",
        ]
      : []),
  ];
}

function suggestions({ found, access }: Adoption): string[] {
  const tags = (access.section.tags ?? {}) as { format?: string };
  const pushing = access.section.groups.filter(({ role }) => role === "publisher" || role === "maintainer");
  return [
    ...(found.http.compat?.includes("docker2s2")
      ? []
      : [
          "compat: [docker2s2] lets `docker push` in; without it Docker's own manifests are answered with 415 (harden-zot:registry)",
        ]),
    ...(tags.format || pushing.length === 0
      ? []
      : [
          "tags.format: no rule says what a new tag must look like, so a misspelt one is as good as a release (harden-zot:access)",
        ]),
    ...(pushing.length > 0
      ? [
          `harden-zot:ci: name the machine accounts among ${pushing.map(({ group }) => group).join(", ")} there instead of in access.groups, to have the stack keep the accounts and their keys`,
        ]
      : []),
  ];
}
