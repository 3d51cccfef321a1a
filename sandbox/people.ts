import { randomBytes } from "node:crypto";

export interface AuthentikAccess {
  url: string;
  token: string;
}

/** A person of the sandbox, with a password to log in with. */
export interface Person {
  username: string;
  password: string;
}

/** What `settleAdmin` made there. */
export interface Settled {
  group: string;
  user: number;
}

/** Lays down what an Authentik of somebody else's would hold already: an admins' group with one person in it. */
export async function settleAdmin(
  authentik: AuthentikAccess,
  group: string,
): Promise<{ admin: Person; settled: Settled }> {
  const admin: Person = { username: `${group}-ada`, password: randomBytes(18).toString("base64url") };
  const created = await ask<{ pk: string }>(authentik, "POST", "core/groups/", { name: group });
  const user = await ask<{ pk: number }>(authentik, "POST", "core/users/", {
    username: admin.username,
    name: "Ada Admin",
    email: `${admin.username}@example.test`,
    type: "internal",
    groups: [created.pk],
  });
  await ask(authentik, "POST", `core/users/${user.pk}/set_password/`, { password: admin.password });
  return { admin, settled: { group: created.pk, user: user.pk } };
}

export async function unsettleAdmin(authentik: AuthentikAccess, { group, user }: Settled): Promise<void> {
  await ask(authentik, "DELETE", `core/users/${user}/`);
  await ask(authentik, "DELETE", `core/groups/${group}/`);
}

/** One call of Authentik's REST API. @throws with the answer when it is not a success */
export async function ask<Answer>(
  { url, token }: AuthentikAccess,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const answer = await fetch(`${url}/api/v3/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Authentik answered ${answer.status} to ${method} ${path}: ${text.slice(0, 300)}`);
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}
