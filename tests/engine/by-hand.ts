import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ask, type Person } from "../../sandbox/people";
import { waitForHttp } from "../../sandbox/process";
import { ADMINS, NAME, type Sandbox } from "../../sandbox/sandbox";
import type { RawSettings } from "../../src/settings/settings";

const WORKERS = `${NAME}-workers`;
const SLUG = NAME;

/** What somebody made in Authentik for the registry, by its ids there. */
export interface ByHand {
  provider: number;
  application: string;
  workers: string;
  worker: Person & { id: number };
}

/**
 * Hardens the open registry of a sandbox the way an Ansible role and an Authentik blueprint do: the client, the application
 * with its groups, a config.json with access rules, the client secret in a file beside it.
 */
export async function hardenByHand(sandbox: Sandbox): Promise<ByHand> {
  const { authentik, registryUrl } = sandbox;
  const clientSecret = randomBytes(32).toString("hex");
  const first = async (path: string) =>
    (await ask<{ results: { pk: string }[] }>(authentik, "GET", path)).results.map(({ pk }) => pk);
  const [flow] = await first("flows/instances/?slug=default-provider-authorization-implicit-consent");
  const [invalidation] = await first("flows/instances/?slug=default-provider-invalidation-flow");
  const [certificate] = await first("crypto/certificatekeypairs/?name=authentik%20Self-signed%20Certificate");
  const managed = ["openid", "email", "profile"].map((name) => `goauthentik.io/providers/oauth2/scope-${name}`);
  const mappings = await first(
    `propertymappings/provider/scope/?${managed.map((name) => `managed=${name}`).join("&")}`,
  );
  const { pk: provider } = await ask<{ pk: number }>(authentik, "POST", "providers/oauth2/", {
    name: `Zot by hand ${NAME}`,
    client_id: SLUG,
    client_secret: clientSecret,
    client_type: "confidential",
    authorization_flow: flow,
    invalidation_flow: invalidation,
    signing_key: certificate,
    property_mappings: mappings,
    grant_types: ["authorization_code"],
    redirect_uris: [{ matching_mode: "strict", url: `${registryUrl}/zot/auth/callback/oidc` }],
  });
  const { pk: application } = await ask<{ pk: string }>(authentik, "POST", "core/applications/", {
    name: `Zot by hand ${NAME}`,
    slug: SLUG,
    provider,
    policy_engine_mode: "any",
  });
  const { pk: workers } = await ask<{ pk: string }>(authentik, "POST", "core/groups/", { name: WORKERS });
  const [admins] = await first(`core/groups/?name=${ADMINS}`);
  for (const [order, group] of [admins, workers].entries()) {
    await ask(authentik, "POST", "policies/bindings/", { target: application, group, order });
  }
  const worker = await createWorker(sandbox, workers);
  await serveConfig(sandbox, clientSecret);
  return { provider, application: SLUG, workers, worker };
}

export const configFile = ({ host }: Sandbox) => join(host.configDirectory, "config.json");

/** A client and an application of the stack's own, beside those made by hand. */
const OWN = { name: `Zot of the stack ${NAME}`, slug: `${NAME}-stack`, clientId: `${NAME}-stack` };

/** What `make adopt` prints for the host's configuration, filled in as the operator would. */
export function adoptedSettings(sandbox: Sandbox): RawSettings {
  const command = ["--require", "./loader.js", "src/adopt/command.ts", "--config", configFile(sandbox)];
  const { config } = parse(
    execFileSync(process.execPath, command, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  );
  const identity = { ...config["harden-zot:identity"], ...OWN };
  return { ...config, "harden-zot:hosts": sandbox.settings()["harden-zot:hosts"], "harden-zot:identity": identity };
}

/** Takes it out of an Authentik that is somebody else's. */
export async function undoByHand(
  { authentik }: Sandbox,
  { application, provider, worker, workers }: ByHand,
): Promise<void> {
  await ask(authentik, "DELETE", `core/applications/${application}/`);
  await ask(authentik, "DELETE", `providers/oauth2/${provider}/`);
  await ask(authentik, "DELETE", `core/users/${worker.id}/`);
  await ask(authentik, "DELETE", `core/groups/${workers}/`);
}

async function createWorker({ authentik }: Sandbox, group: string): Promise<ByHand["worker"]> {
  const person = { username: `${WORKERS}-wim`, password: randomBytes(18).toString("base64url") };
  const { pk: id } = await ask<{ pk: number }>(authentik, "POST", "core/users/", {
    username: person.username,
    name: "Wim Worker",
    email: `${person.username}@example.test`,
    type: "internal",
    groups: [group],
  });
  await ask(authentik, "POST", `core/users/${id}/set_password/`, { password: person.password });
  return { ...person, id };
}

async function serveConfig({ authentik, host, registryUrl, settings }: Sandbox, clientsecret: string): Promise<void> {
  const registry = settings()["harden-zot:registry"] as {
    storage: object;
    pullThrough: { name: string; url: string }[];
  };
  const credentialsFile = join(host.configDirectory, "oidc-credentials.json");
  writeFileSync(credentialsFile, JSON.stringify({ clientid: SLUG, clientsecret }), { mode: 0o600 });
  const config = {
    distSpecVersion: "1.1.0",
    storage: { ...registry.storage, gc: true, gcDelay: "1h", gcInterval: "24h" },
    http: {
      address: "127.0.0.1",
      port: new URL(registryUrl).port,
      externalUrl: registryUrl,
      auth: {
        openid: {
          providers: {
            oidc: {
              credentialsFile,
              issuer: `${authentik.url}/application/o/${SLUG}/`,
              scopes: ["openid", "email", "profile"],
              claimMapping: { username: "preferred_username" },
            },
          },
        },
        apikey: true,
      },
      accessControl: {
        metrics: { anonymousPolicy: ["read"] },
        repositories: {
          "**": {
            policies: [
              { groups: [WORKERS], actions: ["read", "create"] },
              { groups: [ADMINS], actions: ["read", "create", "update", "delete"] },
            ],
            anonymousPolicy: ["read"],
            defaultPolicy: ["read"],
          },
        },
      },
    },
    log: { level: "info" },
    extensions: {
      metrics: { enable: true, prometheus: { path: "/metrics" } },
      sync: {
        enable: true,
        registries: registry.pullThrough.map(({ name, url }) => ({
          urls: [url],
          content: [{ prefix: "**", destination: `/${name}` }],
          onDemand: true,
          tlsVerify: false,
        })),
      },
      search: { enable: true },
      ui: { enable: true },
    },
  };
  writeFileSync(join(host.configDirectory, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  for (const [command, ...words] of [host.service.stop, host.service.start]) execFileSync(command as string, words);
  await waitForHttp(`${registryUrl}/readyz`);
}
