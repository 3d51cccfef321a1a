import type { RegistrySettings } from "../settings/registry";
import { basicAuth, type Fetch, pullManifest, pushImage } from "./distribution";
import { tinyImage } from "./image";

/** What a check needs to know of the registry it asks. */
export interface Target {
  /** Base URL without a slash at the end. */
  registry: string;
  /** An image that anonymous may read, and one that only the upstream of a cache has. */
  existing: { repository: string; tag: string };
  cached: { repository: string; tag: string };
  metrics: RegistrySettings["metrics"];
  /** Logs in over OIDC as an admin. @throws with the step that failed */
  adminSession: () => Promise<{ username: string; fetch: Fetch }>;
}

export interface Check {
  /** Stable, for machines. */
  id: string;
  title: string;
  /** What a registry in order answers. */
  expected: string;
  /** @returns what was seen; equal to `expected` when all is well */
  observe: (target: Target) => Promise<string>;
}

export interface Result {
  check: Check;
  seen: string;
  passed: boolean;
}

const status = async (answer: Promise<Response>) => String((await answer).status);
const get =
  (path: string): Check["observe"] =>
  ({ registry }) =>
    status(fetch(`${registry}${path}`));

const anonymousPush: Check["observe"] = async ({ registry }) =>
  String((await pushImage(registry, "harden-zot/probe", `probe-${Date.now()}`, tinyImage("anonymous"))).status);

/** The state every hardening starts from: anyone on the network may push. */
export const OPEN_CHECKS: Check[] = [
  { id: "ready", title: "registry is ready", expected: "200", observe: get("/readyz") },
  {
    id: "anonymous-push",
    title: "anonymous push works (that is the problem)",
    expected: "201",
    observe: anonymousPush,
  },
];

export const HARDENED_CHECKS: Check[] = [
  { id: "ready", title: "registry is ready", expected: "200", observe: get("/readyz") },
  { id: "anonymous-catalog", title: "anonymous may list the catalog", expected: "200", observe: get("/v2/_catalog") },
  {
    id: "anonymous-pull",
    title: "anonymous may pull what was there before",
    expected: "200",
    observe: ({ registry, existing }) => status(pullManifest(registry, existing.repository, existing.tag)),
  },
  { id: "anonymous-push", title: "anonymous push is refused", expected: "401", observe: anonymousPush },
  {
    id: "admin-login",
    title: "OIDC login of an admin ends in a session",
    expected: "own API keys 200, upload 202",
    observe: observeAdminLogin,
  },
  {
    id: "wrong-password",
    title: "a wrong password is refused, even to read",
    expected: "401",
    observe: ({ registry }) => status(fetch(`${registry}/v2/_catalog`, { headers: basicAuth("admin", "wrong") })),
  },
  {
    id: "pull-through",
    title: "anonymous pull through the cache",
    expected: "200",
    observe: ({ registry, cached }) => status(pullManifest(registry, cached.repository, cached.tag)),
  },
  { id: "metrics", title: "/metrics as configured", expected: "as configured", observe: observeMetrics },
];

/** Two things that anonymous is refused: the API-key route needs a session, an upload the rights of an admin. */
async function observeAdminLogin({ registry, adminSession }: Target): Promise<string> {
  const { fetch: asAdmin } = await adminSession();
  const headers = { "x-zot-api-client": "zot-ui" };
  const keys = await asAdmin(`${registry}/zot/auth/apikey`, { headers });
  const upload = await asAdmin(`${registry}/v2/harden-zot/probe/blobs/uploads/`, { method: "POST", headers });
  return `own API keys ${keys.status}, upload ${upload.status}`;
}

async function observeMetrics({ registry, metrics }: Target): Promise<string> {
  const { status: seen } = await fetch(`${registry}/metrics`);
  const wanted = metrics === "anonymous" ? 200 : metrics === "off" ? 404 : 401;
  return seen === wanted ? "as configured" : `anonymous gets ${seen}, should get ${wanted}`;
}

/** One after the other; a check that throws has failed, with the error as what was seen. */
export async function runChecks(checks: readonly Check[], target: Target): Promise<Result[]> {
  const results: Result[] = [];
  for (const check of checks) {
    const seen = await check.observe(target).catch((error: Error) => error.message);
    results.push({ check, seen, passed: seen === check.expected });
  }
  return results;
}
