import { OperatorError } from "../operator/error";
import { isLoopback } from "../settings/loopback";
import type { ZotConfig } from "../zot/types";

/** One of the hosts, with the configuration it is about to get. */
export interface Member {
  name: string;
  config: ZotConfig;
}

export interface ScaleOutFinding {
  lint: keyof typeof ADVICE;
  /** An error stops an `up`; a warning is shown. */
  severity: "error" | "warning";
  what: string;
}

/** Each was measured on zot 2.1.20 or is in its source (docs/facts.md, several zots). */
const ADVICE = {
  "independent-hosts": {
    why: "an API key, a login and an image exist on one of them alone, and the others answer 401 or 404; CI's keys are minted at externalUrl, on whichever answers there",
    fix: "set harden-zot:registry.scaleOut, or give every registry a stack of its own",
  },
  "unshared-metadata": {
    why: "each host keeps API keys and image metadata in a database of its own, so that a key of one is refused by the others, and by the member a request is forwarded to",
    fix: "set harden-zot:registry.scaleOut.redis",
  },
  "unshared-storage": {
    why: "the shared database names images that lie on the disk of one host alone, and a cluster looks for a repository on one member whoever took the push",
    fix: "set harden-zot:registry.scaleOut.s3",
  },
  "two-writers": {
    why: "zot has no lock on a bucket: of 40 tags pushed at once through two of them 9 were lost, each push having been answered 201",
    fix: "set harden-zot:registry.scaleOut.cluster, which gives every repository one writer",
  },
  "member-missing": {
    why: "zot ends at its start when no member is itself",
    fix: "let harden-zot:registry.scaleOut.cluster.members name every host with the port it listens on",
  },
  "members-differ": {
    why: "a member that has another list of members, or another hashKey, is sent requests that it sends on, and answers 500",
    fix: "let every member be one of harden-zot:hosts, with the same scaleOut",
  },
  "member-unreachable": {
    why: "the other members cannot forward requests to it",
    fix: "let it listen on an address that they reach",
  },
  "cluster-in-the-clear": {
    why: "members forward requests with the client's credentials over plain HTTP",
    fix: "use a network of their own, or set http.tls and cluster.tls in harden-zot:registry.extraConfig",
  },
  "open-redis": {
    why: "zot can give redis no password that is not in config.json, and whoever reaches redis reads the sessions and can write an API key for any user",
    fix: "let a firewall admit the registry hosts alone, or use a unix:// socket or a proxy on the host that logs in",
  },
} as const;

/**
 * What is wrong with several hosts that are to be one registry, extraConfig included.
 * @param members in the order of the settings; at least one
 */
export function lintScaleOut(members: readonly Member[]): ScaleOutFinding[] {
  return [...sharing(members), ...clustering(members), ...exposure(members)];
}

function sharing(members: readonly Member[]): ScaleOutFinding[] {
  if (members.length === 1) return [];
  const all = (has: (config: ZotConfig) => unknown) => members.every(({ config }) => has(config));
  const some = (has: (config: ZotConfig) => unknown) => members.some(({ config }) => has(config));
  const storage = all((config) => config.storage.storageDriver);
  const metadata = all(sharesMetadata);
  const clustered = some((config) => config.cluster);
  const names = members.map(({ name }) => name).join(", ");
  if (!storage && !some(sharesMetadata) && !clustered) {
    return [{ lint: "independent-hosts", severity: "warning", what: `${names} share nothing` }];
  }
  const findings: ScaleOutFinding[] = [];
  if (!metadata) {
    findings.push({ lint: "unshared-metadata", severity: "error", what: `${names} share no redis (remoteCache)` });
  }
  if (!storage) findings.push({ lint: "unshared-storage", severity: "error", what: `${names} share no S3 storage` });
  if (storage && !clustered) {
    findings.push({ lint: "two-writers", severity: "error", what: `${names} share S3 storage and are no cluster` });
  }
  return findings;
}

const sharesMetadata = ({ storage }: ZotConfig) => storage.remoteCache === true && storage.cacheDriver !== undefined;

function clustering(members: readonly Member[]): ScaleOutFinding[] {
  const clusters = members.flatMap(({ config }) => config.cluster ?? []);
  const [first] = clusters;
  if (!first) return [];
  const findings = members.flatMap((member) => placeOf(member, first.members));
  if (clusters.length < members.length || first.members.length !== members.length) {
    const what = `the cluster has ${first.members.length} members, and this stack delivers ${members.length} hosts`;
    findings.push({ lint: "members-differ", severity: "warning", what });
  }
  const outside = first.members.filter((member) => !isLoopback(hostOf(member)));
  if (outside.length > 0 && members.some(({ config }) => !("tls" in config.http))) {
    findings.push({ lint: "cluster-in-the-clear", severity: "warning", what: `${outside.join(", ")} have no TLS` });
  }
  return findings;
}

/** A member's name may be any that resolves to the host, so only ports and addresses can be compared. */
function placeOf({ name, config }: Member, members: readonly string[]): ScaleOutFinding[] {
  const { address, port } = config.http;
  const mine = members.filter((member) => member.endsWith(`:${port}`));
  if (mine.length === 0) {
    const what = `${name} listens on port ${port}, and no member of ${members.join(", ")} has it`;
    return [{ lint: "member-missing", severity: "error", what }];
  }
  const reachable = (member: string) => !isLoopback(address) || isLoopback(hostOf(member));
  if (mine.some(reachable)) return [];
  return [{ lint: "member-unreachable", severity: "error", what: `${name} listens on ${address} alone` }];
}

function exposure(members: readonly Member[]): ScaleOutFinding[] {
  const urls = members.flatMap(({ config }) => [config.storage.cacheDriver?.url, config.http.auth?.sessionDriver?.url]);
  const open = [...new Set(urls)].filter(
    (url) => url !== undefined && /^rediss?:/.test(url) && !isLoopback(hostIn(url)),
  );
  return open.map((url) => ({ lint: "open-redis", severity: "warning", what: `${url} is reached over the network` }));
}

const hostOf = (member: string) => member.slice(0, member.lastIndexOf(":")).replace(/^\[|\]$/g, "");
const hostIn = (url: string) => (URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "");

/**
 * @returns the warnings, to be shown
 * @throws OperatorError that lists every error
 */
export function requireScaleOut(members: readonly Member[]): ScaleOutFinding[] {
  const findings = lintScaleOut(members);
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return findings;
  throw new OperatorError(
    `these hosts would not be one registry:\n${errors.map((finding) => `  - ${describeScaleOut(finding)}`).join("\n")}`,
  );
}

/** One line: what, why it matters, how to mend it. */
export function describeScaleOut({ lint, what }: ScaleOutFinding): string {
  const { why, fix } = ADVICE[lint];
  return `${lint}: ${what}; ${why}. ${fix[0]?.toUpperCase()}${fix.slice(1)}.`;
}
