import { randomBytes } from "node:crypto";
import { startAuthentik } from "../../sandbox/authentik/server";
import { type AuthentikAccess, ask } from "../../sandbox/people";

/** The Authentik that a test runs against: with AUTHENTIK_URL and AUTHENTIK_TOKEN that server, else a stand-in of its own. */
export async function authentikUnderTest(): Promise<AuthentikAccess & { real: boolean; stop: () => Promise<void> }> {
  const { AUTHENTIK_URL: url, AUTHENTIK_TOKEN: token } = process.env;
  if (url && token) return { url: url.replace(/\/+$/, ""), token, real: true, stop: async () => {} };
  const { stop, ...access } = await startAuthentik({ token: randomBytes(12).toString("hex") });
  return { url: access.url, token: access.token, real: false, stop };
}

interface Named {
  username: string;
  pk: number;
}

/** People, a registry's client and a flow for CI accounts, all under one random suffix. */
export interface World {
  slug: string;
  clientId: string;
  clientSecret: string;
  providerPk: number;
  bindingPk: string;
  /** Group bound to the application. */
  users: string;
  usersPk: string;
  /** Has an ordinary password. */
  alice: Named & { password: string };
  /** A service account of the group, with an app password and an API token. */
  bot: Named & { appPassword: string; apiToken: string; loginPassword: string };
  /** A service account of no group. */
  outsider: Named & { appPassword: string };
  /** A login flow with the token backend alone, its login stage bound to the group. */
  ciFlow: string;
  destroy: () => Promise<void>;
}

/** What the world's client may use; Authentik before 2026.5 does not ask. */
const GRANT_TYPES = ["authorization_code", "client_credentials", "password"];

/**
 * Lays it all down through the REST API; `destroy` takes all of it away again.
 * @param changes of the registry's client
 */
export async function createWorld(
  authentik: AuthentikAccess,
  redirectUri: string,
  changes: object = {},
): Promise<World> {
  const suffix = randomBytes(4).toString("hex");
  const undo: string[] = [];
  const post = async <Answer>(path: string, body: object, key: (answer: Answer) => string | number) => {
    const answer = await ask<Answer>(authentik, "POST", path, body);
    undo.push(`${path}${key(answer)}/`);
    return answer;
  };
  const byPk = (answer: { pk: string | number }) => answer.pk;
  const group = await post<{ pk: string; name: string }>("core/groups/", { name: `zot-users-${suffix}` }, byPk);
  const account = async (name: string, extra: object) => {
    const body = { username: `${name}-${suffix}`, name, path: "users", ...extra };
    return await post<{ pk: number; username: string }>("core/users/", body, byPk);
  };
  const token = async (user: Named, intent: string) => {
    const identifier = `${user.username}-${intent}`;
    await post<{ identifier: string }>(
      "core/tokens/",
      { identifier, user: user.pk, intent, expiring: false },
      (answer) => answer.identifier,
    );
    return (await ask<{ key: string }>(authentik, "GET", `core/tokens/${identifier}/view_key/`)).key;
  };
  const password = async (user: Named) => {
    const chosen = randomBytes(12).toString("hex");
    await ask(authentik, "POST", `core/users/${user.pk}/set_password/`, { password: chosen });
    return chosen;
  };
  const email = `alice-${suffix}@example.test`;
  const alice = await account("alice", { email, type: "internal", groups: [group.pk] });
  const bot = await account("deploy-bot", { type: "service_account", groups: [group.pk] });
  const outsider = await account("outsider-bot", { type: "service_account" });
  const client = await createClient(authentik, post, { suffix, group: group.pk, redirectUri, changes });
  return {
    ...client,
    users: group.name,
    usersPk: group.pk,
    alice: { ...alice, password: await password(alice) },
    bot: {
      ...bot,
      appPassword: await token(bot, "app_password"),
      apiToken: await token(bot, "api"),
      loginPassword: await password(bot),
    },
    outsider: { ...outsider, appPassword: await token(outsider, "app_password") },
    ciFlow: await createCiFlow(post, suffix, group.pk),
    destroy: async () => {
      for (const path of undo.reverse()) await ask(authentik, "DELETE", path).catch(() => undefined);
    },
  };
}

type Post = <Answer>(path: string, body: object, key: (answer: Answer) => string | number) => Promise<Answer>;

const byPk = (answer: { pk: string | number }) => answer.pk;

async function createClient(
  authentik: AuthentikAccess,
  post: Post,
  { suffix, group, redirectUri, changes }: { suffix: string; group: string; redirectUri: string; changes: object },
): Promise<Pick<World, "slug" | "clientId" | "clientSecret" | "providerPk" | "bindingPk">> {
  const first = async (path: string) =>
    (await ask<{ results: { pk: string }[] }>(authentik, "GET", path)).results.map(({ pk }) => pk);
  const flow = async (slug: string) => (await first(`flows/instances/?slug=${slug}`))[0];
  const managed = ["openid", "email", "profile"].map(
    (scope) => `managed=${encodeURIComponent(`goauthentik.io/providers/oauth2/scope-${scope}`)}`,
  );
  const clientSecret = randomBytes(16).toString("hex");
  const clientId = `zot-${suffix}`;
  const body = {
    name: clientId,
    authorization_flow: await flow("default-provider-authorization-implicit-consent"),
    invalidation_flow: await flow("default-provider-invalidation-flow"),
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [{ matching_mode: "strict", url: redirectUri }],
    property_mappings: await first(`propertymappings/provider/scope/?${managed.join("&")}`),
    signing_key: (await first("crypto/certificatekeypairs/?name=authentik+Self-signed+Certificate"))[0],
    grant_types: GRANT_TYPES,
    ...changes,
  };
  const provider = await post<{ pk: number }>("providers/oauth2/", body, byPk);
  const application = await post<{ pk: string; slug: string }>(
    "core/applications/",
    { name: "Zot registry", slug: clientId, provider: provider.pk, meta_launch_url: "http://127.0.0.1:5999/" },
    (answer) => answer.slug,
  );
  const binding = await post<{ pk: string }>("policies/bindings/", { target: application.pk, group, order: 0 }, byPk);
  return { slug: clientId, clientId, clientSecret, providerPk: provider.pk, bindingPk: binding.pk };
}

/** As docs/facts.md, a login flow for CI accounts alone. @returns its slug */
async function createCiFlow(post: Post, suffix: string, group: string): Promise<string> {
  const slug = `ci-login-${suffix}`;
  const common = { name: slug, title: "CI login" };
  const flow = await post<{ pk: string; slug: string }>(
    "flows/instances/",
    { ...common, slug, designation: "authentication", authentication: "none" },
    (answer) => answer.slug,
  );
  const stages = [
    await post<{ pk: string }>("stages/identification/", { name: `${slug}-id`, user_fields: ["username"] }, byPk),
    await post<{ pk: string }>(
      "stages/password/",
      { name: `${slug}-password`, backends: ["authentik.core.auth.TokenBackend"] },
      byPk,
    ),
    await post<{ pk: string }>("stages/user_login/", { name: `${slug}-login`, session_duration: "minutes=5" }, byPk),
  ];
  let last = "";
  for (const [order, stage] of stages.entries()) {
    const body = { target: flow.pk, stage: stage.pk, order, evaluate_on_plan: false, re_evaluate_policies: true };
    last = (await post<{ pk: string; policybindingmodel_ptr_id: string }>("flows/bindings/", body, byPk))
      .policybindingmodel_ptr_id;
  }
  await post("policies/bindings/", { target: last, group, order: 0 }, byPk);
  return slug;
}
