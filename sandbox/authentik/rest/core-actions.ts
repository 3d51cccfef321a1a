import { randomUUID } from "node:crypto";
import { passes } from "../access";
import { invalid, json, noContent, notFound, type Request, type Router } from "../http";
import type { User } from "../model";
import type { Store } from "../store";
import { findRow } from "./collection";
import { groups, tokens, userPk, users } from "./core";
import { bool, filledText, readFields, unique } from "./fields";
import { avatar } from "./shown";

/** Everything under /core/ that is not create, read, update or delete. Routed before the collections. */
export function serveCoreActions(router: Router, store: Store): void {
  serveTokenKeys(router, store);
  serveMembership(router, store);
  router.on("POST", "/api/v3/core/users/service_account/", (request) => createServiceAccount(store, request));
  router.on("POST", "/api/v3/core/users/:pk/set_password/", (request, pk) => {
    const user = findRow(users(store), pk);
    const { password } = readFields({ password: { accept: filledText, required: true } }, request.body, "create");
    store.setPassword(user, password as string);
    store.save();
    return noContent;
  });
  router.on("GET", "/api/v3/core/applications/:slug/check_access/", (request, slug) => {
    const application = store.state.applications.find((candidate) => candidate.slug === slug);
    if (!application) throw notFound("Application");
    const user = store.user(Number(request.query.get("for_user")));
    if (!user) throw invalid({ for_user: ["User not found"] });
    const passing = passes(store, [application.pk], application.policy_engine_mode, user);
    return json(200, { passing, messages: [], log_messages: [] });
  });
}

function serveTokenKeys(router: Router, store: Store): void {
  router.on("GET", "/api/v3/core/tokens/:identifier/view_key/", (_request, identifier) =>
    json(200, { key: findRow(tokens(store), identifier).key }),
  );
  router.on("POST", "/api/v3/core/tokens/:identifier/set_key/", (request, identifier) => {
    const token = findRow(tokens(store), identifier);
    const { key } = readFields({ key: { accept: filledText, required: true } }, request.body, "create");
    token.key = key as string;
    store.save();
    return noContent;
  });
}

function serveMembership(router: Router, store: Store): void {
  const change = (join: boolean) => (request: Request, key: string) => {
    const group = findRow(groups(store), key);
    const { pk } = readFields({ pk: userPk }, request.body, "create");
    const user = findRow(users(store), String(pk));
    user.groups = user.groups.filter((other) => other !== group.pk);
    if (join) user.groups.push(group.pk);
    store.save();
    return noContent;
  };
  router.on("POST", "/api/v3/core/groups/:pk/add_user/", change(true));
  router.on("POST", "/api/v3/core/groups/:pk/remove_user/", change(false));
}

const SERVICE_ACCOUNT_DAYS = 360;

/** Answers 200, not 201; the token is an app password under `service-account-<name>-password`. */
function createServiceAccount(store: Store, request: Request) {
  const taken = (name: string) => store.state.users.some((user) => user.username === name);
  const { name, create_group, expiring } = readFields(
    {
      name: { required: true, accept: unique(filledText, taken, "This field must be unique.") },
      create_group: { accept: bool, initial: () => false },
      expiring: { accept: bool, initial: () => true },
    },
    request.body,
    "create",
  ) as { name: string; create_group: boolean; expiring: boolean };
  const user = store.addUser({
    username: name,
    name,
    type: "service_account",
    path: "goauthentik.io/service-accounts",
    attributes: { "goauthentik.io/user/token-expires": expiring },
  });
  const group = create_group ? store.addGroup({ name }) : undefined;
  if (group) user.groups.push(group.pk);
  const token = store.addToken({
    identifier: `service-account-${name}-password`,
    intent: "app_password",
    user: user.pk,
    expiring,
    expires: new Date(Date.now() + SERVICE_ACCOUNT_DAYS * 86_400_000).toISOString().replace("Z", "000Z"),
  });
  store.save();
  const answer = { username: name, user_uid: user.uid, user_pk: user.pk, token: token.key };
  return json(200, group ? { ...answer, group_pk: group.pk } : answer);
}

/** `/core/users/me/`: for an API token, and for a session, where it says whether a login went through. */
export function showMe(store: Store, user: User): object {
  const { pk, username, name, is_active, email, uid, type } = user;
  return {
    user: {
      pk,
      username,
      name,
      is_active,
      is_superuser: store.isSuperuser(user),
      groups: user.groups.map((group) => ({ name: store.group(group)?.name, pk: group })),
      roles: [],
      email,
      avatar: avatar(name || username),
      uid,
      settings: {},
      type,
      system_permissions: [],
    },
  };
}

/** The administrator of the default blueprints, in "authentik Admins", with the API token the server is started with. */
export function settleAdministrator(store: Store, token: string, password: string | undefined): void {
  const known = store.state.users.find((user) => user.username === "akadmin");
  const group =
    store.state.groups.find((candidate) => candidate.name === "authentik Admins") ??
    store.addGroup({ name: "authentik Admins", is_superuser: true });
  const admin = known ?? store.addUser({ username: "akadmin", name: "authentik Default Admin", groups: [group.pk] });
  if (password) store.setPassword(admin, password);
  store.state.tokens = store.state.tokens.filter((other) => other.identifier !== BOOTSTRAP_TOKEN);
  store.addToken({
    pk: randomUUID(),
    identifier: BOOTSTRAP_TOKEN,
    intent: "api",
    user: admin.pk,
    expiring: false,
    key: token,
  });
  store.save();
}

const BOOTSTRAP_TOKEN = "authentik-bootstrap-token";
