import type { Group, Token, User } from "../model";
import { type Store, timestamp } from "../store";
import type { Collection } from "./collection";
import {
  bool,
  choice,
  type Fields,
  filledText,
  integer,
  list,
  nullable,
  object,
  reference,
  text,
  unique,
} from "./fields";
import { briefUser, showUser } from "./shown";

export function groups(store: Store): Collection<Group> {
  const { state } = store;
  return {
    path: "core/groups/",
    model: "Group",
    key: (group) => group.pk,
    rows: () => state.groups,
    show: (group, { query }) => {
      const users = store.members(group);
      return {
        pk: group.pk,
        num_pk: group.num_pk,
        name: group.name,
        is_superuser: group.is_superuser,
        parents: group.parents,
        parents_obj: null,
        users: users.map((user) => user.pk),
        users_obj: query.get("include_users") === "false" ? null : users.map(briefUser),
        attributes: group.attributes,
        roles: [],
        roles_obj: [],
        inherited_roles_obj: null,
        children: state.groups.filter((child) => child.parents.includes(group.pk)).map((child) => child.pk),
        children_obj: null,
      };
    },
    fields: (group): Fields => ({
      name: {
        required: true,
        accept: unique(
          filledText,
          (name) => state.groups.some((other) => other !== group && other.name === name),
          "Group with this name already exists.",
        ),
      },
      is_superuser: { accept: bool, initial: () => false },
      parents: { accept: list(reference((pk) => store.group(pk))), initial: () => [] },
      users: { accept: list(reference((pk) => store.user(pk))), initial: () => [] },
      attributes: { accept: object, initial: () => ({}) },
    }),
    create: ({ users, ...values }) => {
      const group = store.addGroup(values as unknown as Group);
      setMembers(store, group, users as number[]);
      return group;
    },
    update: (group, { users, ...values }) => {
      Object.assign(group, values);
      if (users !== undefined) setMembers(store, group, users as number[]);
    },
    remove: (group) => {
      setMembers(store, group, []);
      state.groups = state.groups.filter((other) => other !== group);
      for (const other of state.groups) other.parents = other.parents.filter((pk) => pk !== group.pk);
      state.policyBindings = state.policyBindings.filter((binding) => binding.group !== group.pk);
    },
    autocomplete: autocomplete("group", {
      name: { type: "str", nullable: false, options: null },
      is_superuser: { type: "bool", nullable: true, options: null },
    }),
  };
}

/** Makes these, and only these, the direct members. */
function setMembers(store: Store, group: Group, users: number[]): void {
  for (const user of store.state.users) {
    user.groups = user.groups.filter((pk) => pk !== group.pk);
    if (users.includes(user.pk)) user.groups.push(group.pk);
  }
}

const USER_TYPES = ["internal", "external", "service_account", "internal_service_account"];

export function users(store: Store): Collection<User> {
  const { state } = store;
  return {
    path: "core/users/",
    model: "User",
    key: (user) => user.pk,
    rows: () => state.users,
    show: (user) => showUser(store, user),
    fields: (user): Fields => ({
      username: {
        required: true,
        accept: unique(
          filledText,
          (username) => state.users.some((other) => other !== user && other.username === username),
          "This field must be unique.",
        ),
      },
      name: { required: true, accept: text },
      email: { accept: text },
      is_active: { accept: bool },
      type: { accept: choice(...USER_TYPES) },
      path: { accept: filledText },
      attributes: { accept: object },
      groups: { accept: list(reference((pk) => store.group(pk))) },
      last_login: { accept: nullable(text) },
    }),
    create: (values) => store.addUser(values as unknown as User),
    update: (user, values) => {
      Object.assign(user, values, { last_updated: timestamp() });
    },
    remove: (user) => {
      state.users = state.users.filter((other) => other !== user);
      state.tokens = state.tokens.filter((token) => token.user !== user.pk);
      state.policyBindings = state.policyBindings.filter((binding) => binding.user !== user.pk);
    },
    autocomplete: autocomplete("user", {
      username: { type: "str", nullable: false, options: null },
      name: { type: "str", nullable: false, options: null },
      email: { type: "str", nullable: false, options: null },
      path: { type: "str", nullable: false, options: null },
      is_active: { type: "bool", nullable: true, options: null },
      type: { type: "str", nullable: false, options: USER_TYPES },
    }),
  };
}

function autocomplete(model: string, fields: object): object {
  const attributes = {
    type: "relation",
    nullable: false,
    options: null,
    relation: `authentik_core.${model}_attributes`,
  };
  const name = `authentik_core.${model}`;
  return { current_model: name, models: { [name]: { ...fields, attributes } } };
}

const TOKEN_LIFETIME = 30 * 60 * 1000;

export function tokens(store: Store): Collection<Token> {
  const { state } = store;
  const inHalfAnHour = () => new Date(Date.now() + TOKEN_LIFETIME).toISOString().replace("Z", "000Z");
  return {
    path: "core/tokens/",
    model: "Token",
    key: (token) => token.identifier,
    rows: () => store.liveTokens(),
    show: ({ pk, identifier, intent, user, description, expires, expiring }) => ({
      pk,
      managed: null,
      identifier,
      intent,
      user,
      user_obj: showUser(store, store.user(user) as User),
      description,
      expires,
      expiring,
    }),
    fields: (token): Fields => ({
      identifier: {
        required: true,
        accept: unique(
          filledText,
          (identifier) => state.tokens.some((other) => other !== token && other.identifier === identifier),
          "Token with this identifier already exists.",
        ),
      },
      intent: { accept: choice("verification", "api", "recovery", "app_password"), initial: () => "api" },
      user: { accept: reference((pk) => store.user(pk)) },
      description: { accept: text },
      expires: { accept: nullable(text) },
      expiring: { accept: bool, initial: () => true },
    }),
    filters: { user__username: (token, value) => store.user(token.user)?.username === value },
    create: (values) => {
      const needed = values as unknown as Token;
      const user = needed.user ?? (state.users[0] as User).pk;
      // An app password that does not expire has no date; an API token keeps one that is not used.
      const dated = needed.expiring || needed.intent === "api";
      return store.addToken({ ...needed, user, expires: needed.expires ?? (dated ? inHalfAnHour() : null) });
    },
    update: (token, values) => {
      Object.assign(token, values);
      if (!token.expiring && token.intent === "app_password") token.expires = null;
    },
    remove: (token) => {
      state.tokens = state.tokens.filter((other) => other !== token);
    },
  };
}

export const userPk = { accept: integer, required: true };
