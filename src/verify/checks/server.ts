import { coerce, lt } from "semver";
import type { Check } from "../check";
import { describeAnswer } from "../client";
import { weaknessesOf } from "../cves";
import { type Finding, failed, ok, Skip, skipped, warning } from "../finding";
import { MANIFEST_TYPE } from "../image";
import type { Image } from "../target";
import type { Verification } from "../verification";

export const SERVER_CHECKS: Check[] = [
  {
    id: "pull-through",
    title: "anonymous pull through every cache",
    expected: "200",
    // What a cache does not hold yet is fetched and kept.
    writes: true,
    after: ["ready"],
    observe: pullThrough,
  },
  { id: "metrics", title: "/metrics as configured", expected: "as configured", after: ["ready"], observe: metrics },
  {
    id: "mgmt",
    title: "what zot tells anyone about itself holds no secret",
    expected: "only what a login page needs",
    after: ["ready"],
    observe: management,
  },
  {
    id: "zot-version",
    title: "the version of zot is at least that of the settings",
    expected: "registry.version or later",
    after: ["ready"],
    observe: zotVersion,
  },
  {
    id: "zot-cves",
    title: "known weaknesses of that version",
    expected: "none",
    after: ["ready"],
    observe: zotCves,
  },
  {
    id: "docker-client",
    title: "docker without a login may pull what anonymous may",
    expected: "200 on /v2/",
    after: ["ready"],
    observe: dockerClient,
  },
];

async function pullThrough(verification: Verification): Promise<Finding> {
  const { target, registry } = verification;
  const caches = target.settings.registry.pullThrough;
  if (caches.length === 0) throw new Skip("no pull-through cache in the settings");
  if (!target.settings.access.anonymous.includes("read")) throw new Skip("nothing is open to anonymous");
  const pulls = await Promise.all(
    caches.map(async (cache) => {
      const image = await cachedImage(verification, cache);
      if (image === undefined) return { name: cache.name, status: undefined };
      const { status } = await registry.ask("GET", `/v2/${image.repository}/manifests/${image.tag}`, {
        headers: { accept: `${MANIFEST_TYPE}, application/vnd.oci.image.index.v1+json, */*` },
      });
      return { name: `${image.repository}:${image.tag}`, status };
    }),
  );
  const known = pulls.filter(({ status }) => status !== undefined);
  const seen = pulls.map(({ name, status }) => `${name}: ${status ?? "nothing cached yet to try with"}`).join(", ");
  if (known.length === 0) throw new Skip(seen);
  if (known.every(({ status }) => status === 200)) return ok(seen);
  return failed(
    seen,
    "the upstream does not answer the registry's host, or the cache is not readable",
    "look at zot's log for the upstream's answer; pull an image through the cache by hand",
  );
}

/** Where the upstream is one that surely has it: the smallest image there. */
const SURE: Record<string, Image> = {
  "https://registry-1.docker.io": { repository: "library/hello-world", tag: "latest" },
};

/** What the target names, what is cached already, or what the upstream surely has. */
async function cachedImage(
  verification: Verification,
  { name, url }: { name: string; url: string },
): Promise<Image | undefined> {
  const named = verification.target.cached?.[name];
  if (named) return named;
  const held = (await verification.catalog()).find((repository) => repository.startsWith(`${name}/`));
  const image = held === undefined ? undefined : await verification.firstImage(held);
  const sure = SURE[url];
  return image ?? (sure && { ...sure, repository: `${name}/${sure.repository}` });
}

async function metrics({ registry, target }: Verification): Promise<Finding> {
  const wanted = target.settings.registry.metrics;
  const answer = await registry.ask("GET", "/metrics");
  const expected = wanted === "anonymous" ? 200 : wanted === "off" ? 404 : 401;
  if (answer.status === expected) return ok(`anonymous: ${expected}`);
  return failed(
    `anonymous: ${describeAnswer(answer)}`,
    `harden-zot:registry.metrics asks for ${expected}`,
    "pulumi up puts the configuration in force; zot must be restarted for metrics to begin or end",
  );
}

/** Paths of the answer of zot 2.1.20 that a login page needs; `*` is any provider's name. */
const PUBLIC_FACTS = [
  "distSpecVersion",
  "commit",
  "releaseTag",
  "binaryType",
  "http.auth.htpasswd",
  "http.auth.ldap",
  "http.auth.apikey",
  "http.auth.openid.providers.*",
  "http.auth.openid.providers.*.name",
];

async function management(verification: Verification): Promise<Finding> {
  const answer = await verification.management();
  if (answer.status === 404) return ok("404: not served");
  if (answer.status !== 200)
    return failed(describeAnswer(answer), "zot serves this page to anyone", "look at zot's log");
  const told = leaves(JSON.parse(answer.text), []);
  const others = told.filter((path) => !PUBLIC_FACTS.includes(path.replace(/(\.providers)\.[^.]+/, "$1.*")));
  if (others.length === 0) return ok(`${told.length} facts, none secret`);
  return failed(
    `tells ${others.join(", ")}`,
    "zot of this version tells anyone more than a login page needs",
    "look at what it is (GET /v2/_zot/ext/mgmt); close the path in the proxy until it is known",
  );
}

function leaves(value: unknown, path: string[]): string[] {
  if (typeof value !== "object" || value === null) return [path.join(".")];
  const entries = Object.entries(value);
  return entries.length === 0 ? [path.join(".")] : entries.flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** @throws Skip when the registry does not say */
async function runningVersion(verification: Verification): Promise<string> {
  const { status, text } = await verification.management();
  const tag = status === 200 ? (JSON.parse(text) as { releaseTag?: string }).releaseTag : undefined;
  const version = coerce(tag)?.version;
  if (version) return version;
  throw new Skip("the registry does not say its version (it does with the search extension)");
}

async function zotVersion(verification: Verification): Promise<Finding> {
  const { version: wanted } = verification.target.settings.registry;
  const running = await runningVersion(verification);
  if (!lt(running, wanted)) return ok(running);
  return failed(running, `the configuration is rendered for ${wanted}`, "upgrade zot on the host");
}

/** Of the version that runs, or of that in the settings when the registry does not say. */
async function zotCves(verification: Verification): Promise<Finding> {
  const version = await runningVersion(verification).catch(() => verification.target.settings.registry.version);
  const known = weaknessesOf(version);
  if (known.length === 0) return ok(`none of ${version}`);
  return failed(
    `${version}: ${known.map(({ id }) => id).join(", ")}`,
    known.map(({ id, what, source }) => `${id}: ${what} (${source})`).join("; "),
    "upgrade zot",
  );
}

/** As docker's own image store names itself; zot 2.1.16 and later tell it apart by this. */
const DOCKER = { "user-agent": "docker/28.0.0 UpstreamClient(Docker-Client/28.0.0)" };

/**
 * docker asks GET /v2/ first, and sends credentials later only if that was 401. zot answers 401 to docker alone, so that
 * logins work; docker without a login then does not even try to pull.
 */
async function dockerClient(verification: Verification): Promise<Finding> {
  const { registry, target } = verification;
  if (!target.settings.access.anonymous.includes("read")) return skipped("nothing is open to anonymous");
  const [holder] = target.identities.filter(({ apiKey }) => apiKey !== undefined);
  const as = holder?.apiKey === undefined ? undefined : { username: holder.username, apiKey: holder.apiKey };
  const [anonymous, known] = await Promise.all([
    registry.ask("GET", "/v2/", { headers: DOCKER }),
    as ? registry.ask("GET", "/v2/", { as, headers: DOCKER }) : undefined,
  ]);
  if (known && known.status !== 200) {
    return failed(
      `docker with a key: ${describeAnswer(known)}`,
      "a proxy's rule for docker catches those who are logged in too",
      "let the rule act only on requests without Authorization; docs/verification.md, docker",
    );
  }
  if (anonymous.status === 200) return ok("200: a proxy lets docker pull without a login");
  if (anonymous.status !== 401)
    return failed(describeAnswer(anonymous), "docker is told neither yes nor no", "look at the proxy");
  return warning(
    "401 on /v2/ to docker alone",
    "zot asks docker to log in, since docker never sends its login otherwise; with docker's classic image store, pulling without a login fails. containerd, podman, buildkit, skopeo, crane are not affected",
    "docker login with any account; or the proxy rule of docs/verification.md (docker), on a host name for pulling",
  );
}
