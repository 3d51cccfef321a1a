import { UNUSED_HOST } from "../sandbox/unused-host";
import { type ReportData, reportData } from "../src/report/data";
import type { State } from "../src/report/state";
import { parseSettings, type RawSettings } from "../src/settings/settings";
import type { Result } from "../src/verify/check";
import { reportOn } from "../src/verify/report";
import { targetOf } from "../src/verify/target";

export const NOW = new Date("2026-11-24T16:00:00Z");

const host = (name: string) => ({ ...UNUSED_HOST, name, address: `${name}.example` });

const CHECKS: Result[] = [
  { id: "push", title: "A publisher pushes a new tag", expected: "201", outcome: "ok", seen: "201", milliseconds: 12 },
  {
    id: "overwrite",
    title: "A version tag cannot be overwritten",
    expected: "403",
    outcome: "failed",
    seen: "201",
    cause: "the rules are not in force",
    fix: "run pulumi up",
    milliseconds: 8,
  },
];

interface Sample {
  /** Publishers' group. */
  group?: string;
  /** RFC 3339, of the key of ci-pub; ci-main has none. */
  expiresAt?: string;
  checks?: Result[];
  previous?: State;
}

/** What a report would show of a registry with two machine accounts. */
export function sampleReport(sample: Sample = {}): ReportData {
  const { group = "publishers", expiresAt = "2027-01-13T00:00:00.000Z", checks = CHECKS, previous } = sample;
  const settings = parseSettings({
    "authentik:url": "https://authentik.example",
    "harden-zot:registry": {
      externalUrl: "https://registry.example",
      version: "2.1.20",
      listen: { address: "127.0.0.1", port: 5000 },
      storage: { rootDirectory: "/srv/zot" },
      pullThrough: ["docker.io", "ghcr.io"].map((name) => ({ name, url: `https://${name}` })),
      search: {},
    },
    "harden-zot:hosts": [host("zot-1"), host("zot-2")],
    "harden-zot:identity": {},
    "harden-zot:access": { admins: { group: "admins" }, tags: { mutable: ["latest"], format: "^v\\d+$" } },
    "harden-zot:ci": [
      { name: "ci-pub", group, repositories: ["team/**"] },
      { name: "ci-main", group: "maintainers", repositories: ["tools/**"], role: "maintainer" },
    ],
  } as RawSettings);
  const target = targetOf(settings, {
    oidcIssuer: "https://authentik.example/application/o/zot/",
    redirectUri: "https://registry.example/zot/auth/callback/oidc",
    ci: { "ci-pub": { username: "ci-pub", expiresAt } },
    ciSecrets: { "ci-pub": { apiKey: "zak_very-secret" } },
  });
  return reportData("prod", target, reportOn(target.registry, false, checks, 2100), NOW, previous);
}
