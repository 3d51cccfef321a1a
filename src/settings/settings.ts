import type { z } from "zod";
import { describeIssues, OperatorError } from "../operator/error";
import { type AccessSettings, accessSettings, type CiIdentity, ciSettings } from "./access";
import { type HostSettings, hostsSettings } from "./hosts";
import { authentikUrl, type IdentitySettings, identitySettings } from "./identity";
import { collisions } from "./publish";
import { type RegistrySettings, registrySettings } from "./registry";

/** Everything an operator says, checked, with every default in place. Holds no secret. */
export interface Settings {
  authentikUrl: string;
  registry: RegistrySettings;
  hosts: HostSettings[];
  identity: IdentitySettings;
  access: AccessSettings;
  ci: CiIdentity[];
}

/** The configuration keys as the stack file has them; undefined where it has none. */
export type RawSettings = { -readonly [Key in keyof typeof SCHEMAS]: unknown };

const SCHEMAS = {
  "authentik:url": authentikUrl,
  "harden-zot:registry": registrySettings,
  "harden-zot:hosts": hostsSettings,
  "harden-zot:identity": identitySettings,
  "harden-zot:access": accessSettings,
  "harden-zot:ci": ciSettings,
} as const;

export const SETTING_KEYS = Object.keys(SCHEMAS) as (keyof RawSettings)[];

/**
 * @throws OperatorError that lists every mistake at once, one line each
 */
export function parseSettings(raw: RawSettings): Settings {
  const mistakes: string[] = [];
  const parse = <Key extends keyof RawSettings>(key: Key): z.output<(typeof SCHEMAS)[Key]> => {
    const result = SCHEMAS[key].safeParse(raw[key]);
    if (!result.success) mistakes.push(...describeIssues(key, raw[key], result.error));
    return result.data as z.output<(typeof SCHEMAS)[Key]>;
  };
  const settings: Settings = {
    authentikUrl: parse("authentik:url"),
    registry: parse("harden-zot:registry"),
    hosts: parse("harden-zot:hosts"),
    identity: parse("harden-zot:identity"),
    access: parse("harden-zot:access"),
    ci: parse("harden-zot:ci"),
  };
  if (mistakes.length === 0) mistakes.push(...contradictions(settings));
  if (mistakes.length > 0)
    throw new OperatorError(
      `the settings of this stack cannot be used:\n${mistakes.map((line) => `  - ${line}`).join("\n")}`,
    );
  return settings;
}

/** The registry as it is on one host. */
export function registryOn(
  { listen, rootDirectory }: Pick<HostSettings, "listen" | "rootDirectory">,
  registry: RegistrySettings,
): RegistrySettings {
  return {
    ...registry,
    listen: listen ?? registry.listen,
    storage: { ...registry.storage, rootDirectory: rootDirectory ?? registry.storage.rootDirectory },
  };
}

/** Every group that a rule names, break-glass first. */
export function groupsIn({ access, ci }: Pick<Settings, "access" | "ci">): string[] {
  return [...new Set([access.admins, ...ci, ...access.groups].map(({ group }) => group))];
}

/** What no single key can know. */
function contradictions({ access, ci, identity, registry }: Settings): string[] {
  const caches = registry.pullThrough.map((cache) => cache.name);
  const inCache = (pattern: string) => caches.includes(pattern.split("/")[0] ?? "");
  const groups = groupsIn({ access, ci });
  const granting = [
    ...ci.map(({ repositories }, index) => ({ key: `harden-zot:ci[${index}]`, repositories })),
    ...access.groups
      .map(({ role, repositories }, index) => ({ key: `harden-zot:access.groups[${index}]`, role, repositories }))
      .filter(({ role }) => role !== "reader"),
  ];
  const shown = JSON.stringify;
  return [
    ...ci.flatMap(({ group }, index) =>
      group === access.admins.group
        ? [`harden-zot:ci[${index}].group = ${shown(group)}: must not be the admins' group; give CI a group of its own`]
        : [],
    ),
    ...granting.flatMap(({ key, repositories }) => [
      ...repositories
        .filter(inCache)
        .map(
          (pattern) =>
            `${key}.repositories names ${shown(pattern)}: must not lie in a pull-through cache (${caches.join(", ")}); caches are read-only`,
        ),
    ]),
    ...collisions(ci),
    ...identity.existingGroups
      .filter((name) => !groups.includes(name))
      .map(
        (name) =>
          `harden-zot:identity.existingGroups names ${shown(name)}: no rule mentions that group; allowed: ${[...new Set(groups)].join(", ")}`,
      ),
  ];
}
