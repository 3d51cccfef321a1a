import { renderAccess } from "../config/render";
import type { CiIdentity } from "../settings/access";
import type { Settings } from "../settings/settings";
import type { ZotConfig } from "../zot/types";
import type { Credentials } from "./client";

/** A machine account, and what the stack says of its key. */
export interface ProbeIdentity {
  username: string;
  group: string;
  role: CiIdentity["role"];
  /** Periods of its key in ms, from the settings. */
  key: Pick<CiIdentity["key"], "expiresAfter" | "rotateAfter">;
  /** Left out: the stack has none (yet); what needs it is skipped and says so. */
  apiKey?: string;
  /** RFC 3339. */
  expiresAt?: string;
  /** What the labels of the stack's own keys of this account begin with. */
  keyLabels?: string[];
}

/** One that has a key. */
export type KeyHolder = ProbeIdentity & Credentials;

export interface Image {
  repository: string;
  tag: string;
}

/** A running registry, and what is known of how it should be. */
export interface Target {
  /** The URL that users know, without a slash at the end. */
  registry: string;
  settings: Settings;
  /** The config.json it should be running with, as far as it decides about access. */
  config: ZotConfig;
  /** Exactly as its discovery document has to spell it. */
  issuer: string;
  /** Where the issuer sends a login back to. */
  redirectUri: string;
  identities: readonly ProbeIdentity[];
  /** Nothing but GET is sent. */
  readOnly: boolean;
  /** PEM of certificate authorities to trust beside the usual ones. */
  ca?: string;
  /** An image that anonymous may pull. Left out: the first one in the catalog. */
  existing?: Image;
  /** An image for each cache that its upstream has, by the cache's name. Left out: what is cached already. */
  cached?: Record<string, Image>;
}

/** What the stack hands out, as far as verification reads it. */
export interface StackOutputs {
  oidcIssuer: string;
  redirectUri: string;
  /** By identity. */
  ci?: Record<string, { username?: string; expiresAt?: string; keyLabels?: string[] }>;
  /** Secret. */
  ciSecrets?: Record<string, { apiKey?: string }>;
}

export interface TargetOptions {
  readOnly?: boolean;
  ca?: string | undefined;
}

export function targetOf(settings: Settings, outputs: StackOutputs, options: TargetOptions = {}): Target {
  const { oidcIssuer: issuer, redirectUri } = outputs;
  const { readOnly = false, ca } = options;
  return {
    registry: settings.registry.externalUrl,
    settings,
    config: renderAccess(settings),
    issuer,
    redirectUri,
    readOnly,
    ...(ca ? { ca } : {}),
    identities: settings.ci.map((identity) => probeIdentity(identity, outputs)),
  };
}

function probeIdentity(
  { name, group, role, key }: CiIdentity,
  { ci = {}, ciSecrets = {} }: StackOutputs,
): ProbeIdentity {
  const { username = name, expiresAt, keyLabels } = ci[name] ?? {};
  const { apiKey } = ciSecrets[name] ?? {};
  return {
    username,
    group,
    role,
    key,
    ...(apiKey ? { apiKey } : {}),
    ...(expiresAt ? { expiresAt } : {}),
    ...(keyLabels ? { keyLabels } : {}),
  };
}
