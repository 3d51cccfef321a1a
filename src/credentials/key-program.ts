import { createFetch, type Fetch } from "../http/http";
import { OperatorError } from "../operator/error";
import { ApiKeys, type FreshKey, type ListedKey, withKey } from "./api-keys";
import type { Kept, KeyLogin, MintedKey, MintRequest, RetireRequest, RevokeRequest } from "./key-requests";
import { type KeyTenure, labelsOfLife, labelsOfOwner } from "./labels";
import { login } from "./login";

/**
 * Logs in, makes a key and proves it. Leaves every other key alone: what used them may still do so.
 * @throws OperatorError; the key that could not be proved is gone again
 */
export async function mint(request: MintRequest): Promise<MintedKey> {
  const { expiresAfter, issuer, owner, period, rotate } = request;
  const { keys, fetch } = await session(request);
  const superseded = (await keys.list()).filter(labelled([owner])).map(({ uuid }) => uuid);
  const fresh = await keys.mint(`${owner}${period}`, new Date(Date.now() + expiresAfter));
  try {
    await prove(request, fresh, fetch);
  } catch (error) {
    await keys.revoke(fresh.uuid);
    throw error;
  }
  const { apiKey, createdAt, expirationDate: expiresAt, label, uuid } = fresh;
  const asked = { ...(issuer ? { issuer } : {}), ...(rotate ? { rotate } : {}) };
  return { uuid, label, period, apiKey, createdAt, expiresAt, ...asked, superseded };
}

/** The key opens the registry, and as the user it was made for: it is asked which keys its owner has. */
export async function prove(
  { registryUrl, username }: KeyLogin,
  { apiKey, uuid }: FreshKey,
  fetch: Fetch,
): Promise<void> {
  const asUser = withKey(fetch, username, apiKey);
  const { status } = await asUser(`${registryUrl}/v2/`);
  const own = status === 200 ? await new ApiKeys(registryUrl, username, asUser).list() : [];
  if (own.some((key) => key.uuid === uuid)) return;
  throw new OperatorError(
    `The registry at ${registryUrl} made an API key for ${username} and answers ${status} to it at /v2/${status === 200 ? " as to somebody else" : ""}: is that one registry, or several behind one address that do not share their database? The key was revoked again.`,
  );
}

/**
 * After the current key has been published: revokes the identity's others, but for the one that running jobs have. They are
 * known by their labels, and as what this stack kept until now.
 * @param before what the last run left, if any
 */
export async function retire(request: RetireRequest, before?: Kept): Promise<Kept> {
  const { current, keepPrevious, labels, life } = request;
  const { keys } = await session(request);
  const known = [before?.current, before?.previous];
  const others = (await keys.list())
    .filter((key) => labelled(labels)(key) || known.includes(key.uuid))
    .filter(({ uuid }) => uuid !== current);
  const previous = keepPrevious ? keyBefore(others, current, before) : undefined;
  await revokeAll(
    keys,
    others.filter(({ uuid }) => uuid !== previous),
  );
  return { current, ...(previous ? { previous } : {}), life };
}

/** @returns what was current before; the newest where that is not known, or gone as in an old copy of the state */
function keyBefore(others: ListedKey[], current: string, before?: Kept): string | undefined {
  const noted = before?.current === current ? before.previous : before?.current;
  if (before && noted === undefined) return undefined;
  if (others.some(({ uuid }) => uuid === noted)) return noted;
  const newestFirst = others.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  return newestFirst[0]?.uuid;
}

/**
 * Revokes the keys of a tenure, and where the stack is destroyed those of every other of the same owner.
 * @returns what was left alone, in words
 */
export async function end(request: KeyLogin, tenure: KeyTenure, destroyed: boolean): Promise<string | undefined> {
  const { username } = request;
  const { keys } = await session(request);
  const ours = (await keys.list()).filter(labelled(labelsOfOwner(tenure, username)));
  const ended = destroyed ? ours : ours.filter(labelled(labelsOfLife(tenure, username)));
  await revokeAll(keys, ended);
  const left = ours.length - ended.length;
  if (left === 0) return undefined;
  return `${username}: ${left === 1 ? "an API key was" : `${left} API keys were`} left alone, made by what has replaced this`;
}

/** Revokes every key of a label. */
export async function revoke(request: RevokeRequest): Promise<void> {
  const { keys } = await session(request);
  await revokeAll(keys, (await keys.list()).filter(labelled([request.owner])));
}

async function revokeAll(keys: ApiKeys, unneeded: ListedKey[]): Promise<void> {
  for (const { uuid } of unneeded) await keys.revoke(uuid);
}

const labelled =
  (beginnings: string[]) =>
  ({ label }: ListedKey) =>
    beginnings.some((beginning) => label.startsWith(beginning));

/** @returns the keys of the account, over a session, and a fetch without one */
async function session(request: KeyLogin): Promise<{ keys: ApiKeys; fetch: Fetch }> {
  const { ca, registryUrl, username } = request;
  const opened = await login(request);
  if (opened.username !== username) {
    throw new OperatorError(
      `The registry takes the account ${username} for ${opened.username}: the user name is to come from preferred_username (http.auth.openid.providers.oidc.claimMapping in its config)`,
    );
  }
  return { keys: new ApiKeys(registryUrl, username, opened.fetch), fetch: await createFetch(ca) };
}
