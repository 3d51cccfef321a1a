import { UNUSED_HOST } from "../../sandbox/unused-host";
import { parseSettings, type RawSettings, type Settings } from "../../src/settings/settings";

/** Of what does not grow while the other does. */
const FEW = 10;

/** CI identities as settings have them: n of them over ten patterns, or ten over n patterns. */
export function ciOf(axis: "identities" | "patterns", n: number): object[] {
  const [identities, patterns] = axis === "identities" ? [n, Math.min(n, FEW)] : [Math.min(n, FEW), n];
  return Array.from({ length: identities }, (_, identity) => ({
    name: `growth-${identity}`,
    group: `growth-group-${identity}`,
    repositories: Array.from({ length: Math.ceil(patterns / identities) }, (_, index) => {
      return `team${(identity + index * identities) % patterns}/**`;
    }),
  }));
}

/** Of a stack whose host nothing is delivered to. */
export function rawSettings(axis: "identities" | "patterns", n: number): RawSettings {
  return {
    "authentik:url": "https://authentik.test",
    "harden-zot:registry": {
      externalUrl: "http://127.0.0.1:1",
      version: "2.1.20",
      listen: { address: "127.0.0.1", port: 5000 },
      storage: { rootDirectory: "/none", dedupe: false, gc: false },
      ui: false,
      pullThrough: [{ name: "docker.io", url: "https://registry-1.docker.io" }],
    },
    "harden-zot:hosts": [UNUSED_HOST],
    "harden-zot:identity": undefined,
    "harden-zot:access": {
      admins: { group: "admins" },
      tags: { mutable: ["main", "latest"], format: "^v\\d+\\.\\d+\\.\\d+-[0-9a-f]{7}$" },
    },
    "harden-zot:ci": ciOf(axis, n),
  };
}

export const settingsOf = (axis: "identities" | "patterns", n: number): Settings => parseSettings(rawSettings(axis, n));
