import type { ConditionRequest } from "./cel";
import { answerTo, type Holder, permissionsFor } from "./handlers";
import { type LoadedAccessControl, type LoadedConfig, loadConfig } from "./load";
import { type Ask, compilePolicies, type PolicyEngine, type Subject, type Verdict } from "./policy";
import type { HttpRequest } from "./request";
import { type RepositoryRoute, type Route, routeOf } from "./routes";
import type { RegistryState } from "./state";
import type { Action, ZotConfig } from "./types";
import { supports } from "./versions";

export type Identity =
  | { kind: "anonymous" }
  | { kind: "wrong-credentials" }
  /** An Authorization header of another scheme than Basic, or one that is no Basic. */
  | { kind: "other-scheme" }
  | {
      kind: "user";
      name: string;
      /** From the OpenID provider at the last login. An htpasswd user's groups are those of accessControl.groups. */
      groups: readonly string[];
      via: "htpasswd" | "apikey" | "session";
    };

/** One permission, asked of accessControl alone. */
interface Question {
  repository: string;
  action: Action;
  /** Tag or digest; left out for what has none (blob uploads, blobs, tag lists). */
  reference?: string;
  request?: Partial<HttpRequest>;
}

export type Decision = { rule?: string; headers?: Record<string, string>; ambiguous?: readonly string[] } & (
  | {
      allowed: true;
      /** What zot answers, given the state; 404 where nothing is there. From can() always 200. */
      status: number;
      code?: string;
    }
  | {
      allowed: false;
      status: number;
      /** OCI error code. */
      code: string;
      /** Message of the condition that refused. */
      reason?: string;
    }
);

export interface Authorizer {
  /** What accessControl says about one permission, authentication having been passed. */
  can(identity: Identity, question: Question): Decision;
  /**
   * What zot answers to a request, as far as credentials, rules and the given state decide it; bodies and upload
   * sessions are taken to be in order. `ambiguous` names patterns of equal length between which zot picks at random
   * and which would answer differently.
   */
  decide(identity: Identity, request: HttpRequest, state: RegistryState): Decision;
  /** Whether the catalog lists the repository; conditions do not count there. */
  readable(identity: Identity, repository: string): boolean;
}

interface AuthorizerOptions {
  /** Which zot answers; default 2.1.20 (pkg/api/authn.go, authz.go, routes.go of that release). */
  zot?: string;
  /** What `req.time` is; default the clock. */
  now?: () => Date;
}

/**
 * Compiles a configuration to answer as zot would.
 * @throws ConditionError when a condition does not compile: zot does not load such a configuration
 * @throws RangeError for bearer authentication
 */
export function createAuthorizer(config: ZotConfig, options: AuthorizerOptions = {}): Authorizer {
  const { zot = "2.1.20", now = () => new Date() } = options;
  const loaded = loadConfig(config);
  return new ZotAuthorizer(loaded, loaded.accessControl && compilePolicies(loaded.accessControl), zot, now);
}

type Recognized = Exclude<Identity, { kind: "other-scheme" }>;

const NOBODY: Subject = { name: "", groups: [] };

class ZotAuthorizer implements Authorizer {
  readonly #anonymousMayAsk: boolean;
  readonly #anonymousMetrics: boolean;
  readonly #mixed: boolean;

  constructor(
    readonly config: LoadedConfig,
    readonly policies: PolicyEngine | undefined,
    readonly zot: string,
    readonly now: () => Date,
  ) {
    const { accessControl } = config;
    const groups = [...(accessControl?.repositories.values() ?? [])];
    this.#anonymousMayAsk = groups.some((group) => group.anonymousPolicy.length > 0);
    this.#anonymousMetrics = accessControl?.metrics.anonymousPolicy.includes("read") === true;
    this.#mixed = this.#anonymousMayAsk && accessControl !== undefined && servesAuthenticated(accessControl);
  }

  can(given: Identity, { repository, action, reference = "", request = {} }: Question): Decision {
    const identity = this.#recognized(given);
    const subject = this.#subject(identity);
    if (subject === undefined) return this.#unauthenticated(identity);
    const method = request.method ?? METHODS[action];
    return this.#permit(identity, subject, { method, path: "", ...request }, action, repository, reference);
  }

  readable(identity: Identity, repository: string): boolean {
    const subject = this.#subject(this.#recognized(identity));
    return subject !== undefined && this.#mayOptimistically(subject, "read", repository);
  }

  decide(given: Identity, request: HttpRequest, state: RegistryState): Decision {
    const identity = this.#recognized(given);
    const route = routeOf(request.method, request.path, this.config);
    switch (route.kind) {
      case "health":
      case "page":
      case "logout":
      case "options":
        return { allowed: true, status: route.kind === "options" ? 204 : 200 };
      case "login":
        return { allowed: true, status: 302 };
      case "redirect":
        return { allowed: true, status: 301, headers: { Location: route.to } };
      case "not-found":
        return { allowed: true, status: 404 };
      case "method-not-allowed":
        return { allowed: true, status: 405 };
    }
    const subject = this.#authenticate(identity, request, route);
    if (subject === undefined) return this.#unauthenticated(identity);
    if ("repository" in route) return this.#repositoryRoute(identity, subject, request, route, state);
    if (route.kind === "catalog") return this.#catalog(subject, state);
    return this.#plainRoute(identity, subject, request, route.kind);
  }

  /** Combined authentication reads past a header that is none of its own. */
  #recognized(identity: Identity): Recognized {
    if (identity.kind !== "other-scheme") return identity;
    return { kind: supports(this.zot, "combined authentication") ? "anonymous" : "wrong-credentials" };
  }

  /** undefined: the credentials are not accepted. */
  #subject(identity: Recognized): Subject | undefined {
    if (!this.config.authentication) return NOBODY;
    if (identity.kind === "wrong-credentials") return undefined;
    if (identity.kind === "anonymous") return this.#anonymousMayAsk ? NOBODY : undefined;
    const groups = identity.via === "htpasswd" ? (this.policies?.groupsOf(identity.name) ?? []) : identity.groups;
    return { name: identity.name, groups };
  }

  #authenticate(identity: Recognized, request: HttpRequest, route: Route): Subject | undefined {
    if (identity.kind !== "anonymous" || !this.config.authentication) return this.#subject(identity);
    const open = request.path === "/v2/_zot/ext/mgmt" || (route.kind === "metrics" && this.#anonymousMetrics);
    if (!open && !this.#anonymousMayAsk) return undefined;
    // Docker takes a 200 on /v2/ for "needs no credentials" and would never send them.
    const refusesDocker = this.#mixed && this.config.basicCredentials && route.kind === "ping";
    return refusesDocker && isDocker(request.userAgent ?? "") ? undefined : NOBODY;
  }

  #catalog(subject: Subject, state: RegistryState): Decision {
    const ties = new Set<string>();
    for (const repository of state.keys()) this.#mayOptimistically(subject, "read", repository, ties);
    return withTies({ allowed: true, status: 200 }, ties);
  }

  #plainRoute(
    identity: Identity,
    subject: Subject,
    request: HttpRequest,
    kind: Exclude<Route, RepositoryRoute>["kind"],
  ): Decision {
    if (kind === "metrics") return this.#metrics(identity, subject);
    if (kind === "ping" && this.config.authentication && !isBrowser(identity)) {
      const bare = { headers: { "WWW-Authenticate": `basic realm=${this.config.realm}` } };
      const challenge = supports(this.zot, "combined authentication") ? this.#challenge(identity) : bare;
      return { allowed: true, status: 200, ...challenge };
    }
    if (kind === "api-key") return apiKeyAnswer(subject, request);
    return { allowed: true, status: 200 };
  }

  #metrics(identity: Identity, subject: Subject): Decision {
    const { accessControl } = this.config;
    if (accessControl === undefined) return { allowed: true, status: 200 };
    const [rule, granted] =
      subject.name === ""
        ? ["metrics.anonymousPolicy", this.#anonymousMetrics]
        : ["metrics.users", accessControl.metrics.users.includes(subject.name)];
    return granted ? { allowed: true, status: 200, rule } : this.#denied(identity, subject, { granted: false, rule });
  }

  #repositoryRoute(
    identity: Identity,
    subject: Subject,
    request: HttpRequest,
    route: RepositoryRoute,
    state: RegistryState,
  ): Decision {
    const permission = permissionsFor(request.method, route, state).reduce<Decision | undefined>(
      (soFar, [action, reference]) =>
        soFar?.allowed === false
          ? soFar
          : merged(soFar, this.#permit(identity, subject, request, action, route.repository, reference)),
      undefined,
    );
    if (permission?.allowed === false) return permission;
    const ties = new Set(permission?.ambiguous);
    const holder: Holder = {
      state,
      dedupe: this.config.dedupe,
      linksBlobs: this.config.dedupe && !supports(this.zot, "blob reads that create nothing"),
      checksDigests: supports(this.zot, "blob reads that create nothing"),
      authorization: this.policies !== undefined,
      may: (action, repository) => this.#mayOptimistically(subject, action, repository, ties),
    };
    return withTies({ ...permission, allowed: true, ...answerTo(request, route, holder) }, ties);
  }

  #permit(
    identity: Identity,
    subject: Subject,
    request: HttpRequest,
    action: Action,
    repository: string,
    reference: string,
  ): Decision {
    if (this.policies === undefined) return { allowed: true, status: 200, rule: "no accessControl" };
    const ask: Ask = {
      subject,
      action,
      repository,
      reference,
      request: () => this.#conditionRequest(subject, request, action, repository, reference),
    };
    const { verdict, others } = this.policies.ask(ask);
    const decision: Decision = verdict.granted
      ? { allowed: true, status: 200, rule: verdict.rule }
      : this.#denied(identity, subject, verdict);
    const differs = others.some((other) => other.granted !== verdict.granted || other.reason !== verdict.reason);
    return differs ? { ...decision, ambiguous: this.policies.patternsFor(repository) } : decision;
  }

  #conditionRequest(
    subject: Subject,
    request: HttpRequest,
    action: Action,
    repository: string,
    reference: string,
  ): ConditionRequest {
    const referenceType = reference === "" ? "" : reference.includes(":") ? "digest" : "tag";
    const { now, policies } = this;
    return {
      get time() {
        return now();
      },
      method: request.method,
      userAgent: request.userAgent ?? "",
      action,
      repository,
      reference,
      referenceType,
      tag: referenceType === "tag" ? reference : "",
      digest: referenceType === "digest" ? reference : "",
      user: { username: subject.name, groups: subject.groups },
      auth: { anonymous: subject.name === "", admin: policies?.isAdmin(subject) === true },
      client: { ip: request.clientIp ?? "127.0.0.1", forwardedFor: request.forwardedFor ?? [] },
      tls: { enabled: request.tlsVersion !== undefined, version: request.tlsVersion ?? "" },
      claims: {},
    };
  }

  /** Notes the patterns if zot's answer depends on which of them it happens to take. */
  #mayOptimistically(subject: Subject, action: Action, repository: string, ties?: Set<string>): boolean {
    if (this.policies === undefined) return action !== "detectManifestCollision";
    const { granted, tied } = this.policies.askOptimistically(subject, action, repository);
    if (tied) for (const pattern of this.policies.patternsFor(repository)) ties?.add(pattern);
    return granted;
  }

  #unauthenticated(identity: Identity): Decision {
    return { allowed: false, status: 401, code: "UNAUTHORIZED", rule: "http.auth", ...this.#challenge(identity) };
  }

  #denied(identity: Identity, subject: Subject, { rule, reason }: Verdict): Decision {
    const challenge = this.#challenge(identity);
    if (subject.name === "") return { allowed: false, status: 401, code: "UNAUTHORIZED", rule, ...challenge };
    return { allowed: false, status: 403, code: "DENIED", rule, ...(reason ? { reason } : {}), ...challenge };
  }

  /** zot sends none to its own UI, which would make the browser ask for a password. */
  #challenge(identity: Identity): { headers?: Record<string, string> } {
    if (isBrowser(identity)) return {};
    const realm = JSON.stringify(this.config.realm || "Authorization Required");
    return { headers: { "WWW-Authenticate": `Basic realm=${realm}` } };
  }
}

const METHODS: Record<Action, string> = {
  read: "GET",
  create: "PUT",
  update: "PUT",
  delete: "DELETE",
  detectManifestCollision: "DELETE",
};

const isBrowser = (identity: Identity) => identity.kind === "user" && identity.via === "session";
const isDocker = (userAgent: string) => userAgent.includes("Docker-Client") || userAgent.startsWith("docker/");

function apiKeyAnswer(subject: Subject, request: HttpRequest): Decision {
  // zot 2.1.20 lets an anonymous client through here if it may read anything, and then fails to find its keys.
  if (subject.name === "") return { allowed: false, status: 500, code: "" };
  if (request.method === "DELETE" && !/[?&]id=/.test(request.path)) return { allowed: true, status: 400 };
  return { allowed: true, status: request.method === "POST" ? 201 : 200 };
}

/** zot: !ContainsOnlyAnonymousPolicy. */
function servesAuthenticated({ adminPolicy, repositories }: LoadedAccessControl): boolean {
  const speaks = (policy: { actions: readonly string[]; users: readonly string[] }) =>
    policy.actions.length + policy.users.length > 0;
  return (
    speaks(adminPolicy) ||
    [...repositories.values()].some((group) => group.defaultPolicy.length > 0 || group.policies.some(speaks))
  );
}

function withTies(decision: Decision, ties: ReadonlySet<string>): Decision {
  return ties.size === 0 ? decision : { ...decision, ambiguous: [...ties] };
}

function merged(before: Decision | undefined, next: Decision): Decision {
  return before?.ambiguous === undefined || next.ambiguous !== undefined
    ? next
    : { ...next, ambiguous: before.ambiguous };
}
