import { isDeepStrictEqual } from "node:util";
import { isObject } from "../zot/file/decode";
import type { ZotConfig } from "../zot/types";
import type { Section } from "./registry";

/** What the stack sets by itself, whatever the configuration found says, and what zot writes for information alone. */
const OURS: readonly string[] = [
  "distSpecVersion",
  "goVersion",
  "commit",
  "releaseTag",
  "binaryType",
  "http.readTimeout",
  "http.writeTimeout",
  "http.accessControl.repositories",
  "http.accessControl.adminPolicy",
  "http.accessControl.metrics",
  "http.auth.apikey",
  "http.auth.sessionKeysFile",
  "http.auth.openid.providers.oidc.issuer",
  "http.auth.openid.providers.oidc.clientid",
  "http.auth.openid.providers.oidc.credentialsFile",
  // Had no effect since zot 2.0.
  "extensions.mgmt",
  "extensions.apikey",
];

/**
 * `harden-zot:registry.extraConfig`: what the configuration found says and the one rendered from the settings does not.
 * Both in effective form.
 */
export function extraConfig(found: ZotConfig, rendered: ZotConfig): Section {
  const extra = beyond(found, rendered, "") as Section | undefined;
  return extra ?? {};
}

function beyond(found: unknown, rendered: unknown, path: string): unknown {
  if (OURS.includes(path) || isDeepStrictEqual(found, rendered)) return undefined;
  if (!isObject(found) || !isObject(rendered ?? {})) return found;
  const base = (rendered ?? {}) as Section;
  const entries = Object.entries(found).flatMap(([key, value]) => {
    const kept = beyond(value, base[key], path === "" ? key : `${path}.${key}`);
    return kept === undefined ? [] : [[key, kept]];
  });
  return entries.length === 0 && Object.keys(found).length > 0 ? undefined : Object.fromEntries(entries);
}
