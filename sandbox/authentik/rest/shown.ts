import type { Group, User } from "../model";
import type { Store } from "../store";

/** A group as other objects carry it. */
export const briefGroup = ({ pk, num_pk, name, is_superuser, attributes }: Group) => ({
  pk,
  num_pk,
  name,
  is_superuser,
  attributes,
});

export function showUser(store: Store, user: User): Record<string, unknown> {
  const { pk, username, name, is_active, last_login, date_joined, email, attributes, uid, path, type, uuid } = user;
  const groups = user.groups.map((group) => store.group(group)).filter((group) => group !== undefined);
  return {
    pk,
    username,
    name,
    is_active,
    last_login,
    date_joined,
    is_superuser: store.isSuperuser(user),
    groups: groups.map((group) => group.pk),
    groups_obj: groups.map(briefGroup),
    roles: [],
    roles_obj: [],
    email,
    avatar: avatar(name || username),
    attributes,
    uid,
    path,
    type,
    uuid,
    password_change_date: user.password_change_date,
    last_updated: user.last_updated,
  };
}

/** A user as a group carries it. */
export const briefUser = ({ pk, username, name, is_active, last_login, email, attributes, uid }: User) => ({
  pk,
  username,
  name,
  is_active,
  last_login,
  email,
  attributes,
  uid,
});

export function avatar(name: string): string {
  const initials = name
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
    .map((word) => word[0])
    .slice(0, 2)
    .join("")
    .toUpperCase();
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64px" height="64px" viewBox="0 0 64 64"><rect fill="#37a2c8" width="64" height="64" rx="32"/><text x="50%" y="50%" fill="#fff" text-anchor="middle" dy=".3em">${initials}</text></svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
}
