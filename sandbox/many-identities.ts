import { compileAccess } from "../src/config/compile";
import { accessSettings, ciSettings } from "../src/settings/access";
import type { ZotConfig } from "../src/zot/types";

/** So many identities, each in a group and with a namespace of its own. */
export function manyOf(size: number, anonymous: "read"[] = ["read"]) {
  const rules = {
    access: accessSettings.parse({ anonymous, admins: { group: "admins" } }),
    ci: ciSettings.parse(
      Array.from({ length: size }, (_, index) => ({
        name: `ci-${index}`,
        group: `group-${index}`,
        repositories: [`team${index}/**`],
      })),
    ),
    registry: { version: "2.1.20", metrics: "off" as const, pullThrough: [] },
  };
  const config = { http: { auth: { apikey: true }, accessControl: compileAccess(rules) } } as ZotConfig;
  return [config, rules] as const;
}
