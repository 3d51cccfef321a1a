import { accessTable } from "../review/table";
import type { Outcome } from "../verify/finding";
import type { Report } from "../verify/report";
import type { Target } from "../verify/target";
import { type Changes, changesBetween } from "./changes";
import { accessEntries, type State } from "./state";

/** Everything that a report shows. Holds no secret. */
export interface ReportData {
  state: State;
  /** Left out: there was no report before. */
  changes?: Changes;
  verification: Report;
  keys: KeyLife[];
  topology: Topology;
}

/** The newest key of a machine account. */
export interface KeyLife {
  username: string;
  group: string;
  role: string;
  /** Left out: the stack has no key for it. */
  life?: { issuedAt: Date; dueAt: Date; expiresAt: Date };
}

/** Who talks to whom. */
export interface Topology {
  registry: string;
  version: string;
  authentik: string;
  hosts: { name: string; address: string; manager: string }[];
  caches: { name: string; url: string }[];
  identities: { name: string; role: string }[];
  /** Anybody may pull something. */
  anonymous: boolean;
}

/** @param takenAt when the checks were run; key lives are shown as seen from then */
export function reportData(
  stack: string,
  target: Target,
  verification: Report,
  takenAt: Date,
  previous?: State,
): ReportData {
  const { settings, config, identities } = target;
  const state: State = {
    stack,
    registry: target.registry,
    takenAt: takenAt.toISOString(),
    access: accessEntries(accessTable(config, settings)),
    checks: Object.fromEntries(verification.checks.map(({ id, outcome }): [string, Outcome] => [id, outcome])),
  };
  return {
    state,
    ...(previous ? { changes: changesBetween(previous, state) } : {}),
    verification,
    keys: identities.map(keyLife),
    topology: topologyOf(target),
  };
}

/** A key lives for as long as the settings say, so when it was made follows from when it expires. */
function keyLife({ username, group, role, key, expiresAt }: Target["identities"][number]): KeyLife {
  if (!expiresAt) return { username, group, role };
  const end = Date.parse(expiresAt);
  const issued = end - key.expiresAfter;
  const life = { issuedAt: new Date(issued), dueAt: new Date(issued + key.rotateAfter), expiresAt: new Date(end) };
  return { username, group, role, life };
}

function topologyOf({ registry, settings }: Target): Topology {
  return {
    registry,
    version: settings.registry.version,
    authentik: settings.authentikUrl,
    hosts: settings.hosts.map(({ name, address, service }) => ({ name, address, manager: service.manager })),
    caches: settings.registry.pullThrough.map(({ name, url }) => ({ name, url })),
    identities: settings.ci.map(({ name, role }) => ({ name, role })),
    anonymous: settings.access.anonymous.includes("read"),
  };
}
