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

/** What a stack makes in Authentik; what is bound goes with it. */
const COLLECTIONS = [
  "core/applications/?superuser_full_list=true&",
  "providers/oauth2/?",
  "core/groups/?",
  "core/users/?",
  "core/tokens/?",
  "flows/instances/?",
  "stages/identification/?",
  "stages/password/?",
  "stages/user_login/?",
];

/** @throws naming what is in Authentik under that name still */
export async function requireNothingLeft(authentik: AuthentikAccess, name: string): Promise<void> {
  const left: string[] = [];
  for (const path of COLLECTIONS) {
    const { results } = await ask<{ results: Named[] }>(authentik, "GET", `${path}search=${name}`);
    const names = results.flatMap((found) => [found.name, found.username, found.identifier]);
    const own = names.filter((found) => found?.includes(name));
    left.push(...own.map((found) => `${path.replace(/\?.*/, "")} ${found}`));
  }
  if (left.length === 0) return;
  throw new Error(`left behind in Authentik at ${authentik.url}, to be deleted there by hand: ${left.join(", ")}`);
}

interface Named {
  name?: string;
  username?: string;
  identifier?: string;
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
    // A real one's connections do not outlive what a test does between two questions.
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", connection: "close" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Authentik answered ${answer.status} to ${method} ${path}: ${text.slice(0, 300)}`);
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}
