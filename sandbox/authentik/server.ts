import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { html, json, notFound, Refusal, type Reply, type Request, Router, readRequest, redirect, send } from "./http";
import { describeCertificate } from "./keypair";
import { execute } from "./login/executor";
import type { Application, Provider, User } from "./model";
import { authorize, type Codes, endSession } from "./oidc/authorize";
import { keySet } from "./oidc/claims";
import { discovery } from "./oidc/discovery";
import { type Issued, token as tokenEndpoint, userinfo } from "./oidc/token";
import { flowPage, messagePage } from "./pages";
import { TRUSTED_PROXIES, within } from "./proxies";
import { OLDEST, releaseOf } from "./release";
import { page, serve } from "./rest/collection";
import { groups, tokens, users } from "./rest/core";
import { serveCoreActions, settleAdministrator, showMe } from "./rest/core-actions";
import { flowBindings, flows, stages } from "./rest/flows";
import { applications, providers, serveSetupUrls } from "./rest/oauth2";
import { expressionPolicies, policyBindings } from "./rest/policies";
import { Sessions } from "./sessions";
import { Store } from "./store";

export interface AuthentikOptions {
  /** `2026.2` (the default), `2026.5` or `2026.8`. */
  version?: string;
  /** Networks of proxies whose X-Forwarded-Proto counts from 2026.8 on; default: as Authentik's. */
  trustedProxies?: string[];
  /** Default 0: a free one. */
  port?: number;
  /** API token of the administrator, akadmin. */
  token: string;
  /** akadmin's password; without one nobody can log in as akadmin. */
  adminPassword?: string;
  /** JSON, 0600; read at start, written at every change. Default: nothing is kept. */
  stateFile?: string;
}

export interface Authentik {
  url: string;
  token: string;
  stop(): Promise<void>;
}

/** An Authentik as far as README.md says, on 127.0.0.1. Ready when the promise resolves. */
export async function startAuthentik({
  version = OLDEST,
  trustedProxies = TRUSTED_PROXIES,
  port = 0,
  token,
  adminPassword,
  stateFile,
}: AuthentikOptions): Promise<Authentik> {
  const release = releaseOf(version);
  const store = new Store(release, stateFile);
  const trusts = release.asksWhoForwards ? within(trustedProxies) : () => true;
  settleAdministrator(store, token, adminPassword);
  const router = routes(store, new Sessions(store));
  const server = createServer(async (message, response) => {
    let id = "";
    try {
      const request = await readRequest(message, trusts);
      id = request.id;
      send(response, await router.answer(request), id);
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      send(response, error instanceof Refusal ? error.reply : html(500, "Server Error"), id);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  // Started now, so that it is there when the first stack asks for it; nobody waits for it here.
  store.signingCertificate().catch((error) => console.error(error));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token, stop };
}

function routes(store: Store, sessions: Sessions): Router {
  const router = new Router();
  for (const kind of ["live", "ready"]) router.on("GET", `/-/health/${kind}/`, () => html(200, ""));
  serveOidc(router, store, sessions);
  servePages(router, store, sessions);
  const executor = (request: Request, slug: string) => execute(store, sessions, request, slug);
  router.on("GET", "/api/v3/flows/executor/:slug/", executor);
  router.on("POST", "/api/v3/flows/executor/:slug/", executor);
  router.on("GET", "/api/v3/core/users/me/", async (request) => {
    const session = request.headers.authorization ? null : sessions.userOf(await sessions.of(request));
    return json(200, showMe(store, session ?? bearer(store, request)));
  });
  const api = new Router();
  serveRest(api, store);
  router.under("/api/v3/", async (request) => {
    if (!store.isSuperuser(bearer(store, request))) {
      throw new Refusal(json(403, { detail: "You do not have permission to perform this action." }));
    }
    return await api.answer(request);
  });
  return router;
}

/** @throws Refusal 403: Authentik never answers 401 here */
function bearer(store: Store, { headers }: Request): User {
  const key = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
  if (key === undefined) throw new Refusal(json(403, { detail: "Authentication credentials were not provided." }));
  const user = store.user(store.tokenWithKey(key, "api")?.user ?? null);
  if (!user?.is_active) throw new Refusal(json(403, { detail: "Token invalid/expired" }));
  return user;
}

function serveRest(api: Router, store: Store): void {
  serveReadOnly(api, store);
  serveCoreActions(api, store);
  serveSetupUrls(api, store);
  serve(api, store, groups(store));
  serve(api, store, users(store));
  serve(api, store, tokens(store));
  serve(api, store, providers(store));
  serve(api, store, applications(store));
  serve(api, store, policyBindings(store));
  serve(api, store, expressionPolicies(store));
  serve(api, store, flows(store));
  serve(api, store, flowBindings(store));
  for (const collection of stages(store)) serve(api, store, collection);
}

function serveReadOnly(api: Router, store: Store): void {
  api.on("GET", "/api/v3/root/config/", () =>
    json(200, {
      error_reporting: {
        enabled: false,
        sentry_dsn: "",
        environment: "customer",
        send_pii: false,
        traces_sample_rate: 0.1,
      },
      capabilities: ["can_impersonate", "is_enterprise"],
      cache_timeout: 300,
      cache_timeout_flows: 300,
      cache_timeout_policies: 300,
    }),
  );
  api.on("GET", "/api/v3/admin/version/", () => {
    const { version } = store.release;
    const current = { version_current: version, version_latest: version, version_latest_valid: true, build_hash: "" };
    return json(200, { ...current, outdated: false, outpost_outdated: false });
  });
  serveCertificates(api, store);
  serveScopeMappings(api, store);
}

const CERTIFICATES = "/api/v3/crypto/certificatekeypairs/";

function serveCertificates(api: Router, store: Store): void {
  const find = async (pk: string) => {
    const pair = await store.signingCertificate();
    if (pair.pk !== pk) throw notFound("CertificateKeyPair");
    return pair;
  };
  api.on("GET", CERTIFICATES, async (request) => {
    const name = request.query.get("name");
    const pair = await store.signingCertificate();
    return json(200, page(name === null || name === pair.name ? [describeCertificate(pair)] : [], request));
  });
  api.on("GET", `${CERTIFICATES}:pk/`, async (_request, pk) => json(200, describeCertificate(await find(pk))));
  api.on("GET", `${CERTIFICATES}:pk/view_certificate/`, async (_request, pk) =>
    json(200, { data: (await find(pk)).certificate }),
  );
  api.on("GET", `${CERTIFICATES}:pk/view_private_key/`, async (_request, pk) =>
    json(200, { data: (await find(pk)).privateKey }),
  );
}

function serveScopeMappings(api: Router, store: Store): void {
  api.on("GET", "/api/v3/propertymappings/provider/scope/", (request) => {
    const all = store.state.scopeMappings;
    const managed = request.query.getAll("managed");
    const unknown = managed.find((name) => !all.some((mapping) => mapping.managed === name));
    if (unknown !== undefined) {
      const message = `Select a valid choice. ${unknown} is not one of the available choices.`;
      return json(400, { managed: [message] });
    }
    const scope = request.query.get("scope_name");
    const name = request.query.get("name");
    const found = all.filter(
      (mapping) =>
        (managed.length === 0 || managed.includes(mapping.managed)) &&
        (scope === null || mapping.scope_name === scope) &&
        (name === null || mapping.name === name),
    );
    const shown = found.map((mapping) => ({
      ...mapping,
      component: "ak-property-mapping-provider-scope-form",
      verbose_name: "Scope Mapping",
      verbose_name_plural: "Scope Mappings",
      meta_model_name: "authentik_providers_oauth2.scopemapping",
    }));
    return json(200, page(shown, request));
  });
}

function serveOidc(router: Router, store: Store, sessions: Sessions): void {
  const codes: Codes = new Map();
  const issued: Issued = new Map();
  const base = "/application/o";
  router.on("GET", `${base}/authorize/`, (request) => authorize(store, sessions, codes, request));
  router.on("POST", `${base}/token/`, (request) => tokenEndpoint(store, codes, issued, request));
  for (const method of ["GET", "POST"]) {
    router.on(method, `${base}/userinfo/`, (request) => userinfo(store, issued, request));
  }
  const find = (slug: string): { application: Application; provider: Provider } => {
    const application = store.state.applications.find((candidate) => candidate.slug === slug);
    const provider = store.provider(application?.provider ?? null);
    if (!application || !provider) throw new Refusal(html(404, messagePage("Not Found", "Not Found")));
    return { application, provider };
  };
  const providerOf = (slug: string) => find(slug).provider;
  router.on("GET", `${base}/:slug/.well-known/openid-configuration`, ({ origin }, slug) =>
    json(200, discovery(store, origin, slug, providerOf(slug))),
  );
  router.on("GET", `${base}/:slug/jwks/`, async (_request, slug) => json(200, await keySet(store, providerOf(slug))));
  router.on("GET", `${base}/:slug/end-session/`, (request, slug) =>
    endSession({ store, request, ...find(slug) }, sessions),
  );
}

function servePages(router: Router, store: Store, sessions: Sessions): void {
  router.on("GET", "/if/flow/:slug/", (_request, slug): Reply => {
    const flow = store.state.flows.find((candidate) => candidate.slug === slug);
    if (!flow) return html(404, messagePage("Not Found", "Not Found"));
    return html(200, flowPage(flow.title.replace("%(app)s", "the application"), slug));
  });
  router.on("GET", "/flows/-/cancel/", async (request) => {
    (await sessions.of(request)).plan = null;
    return redirect("/");
  });
  router.on("GET", "/", async (request) => {
    const user = sessions.userOf(await sessions.of(request));
    return user ? html(200, messagePage("My applications", user.username)) : redirect(LOGIN_PAGE);
  });
}

const LOGIN_PAGE = "/if/flow/default-authentication-flow/?next=%2F";
