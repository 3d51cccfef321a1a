import { OperatorError } from "../settings/errors";
import { ApiKeys, type FreshKey, type ListedKey, withKey } from "./api-keys";
import { createFetch, type Fetch } from "./http";
import { login } from "./login";

/** How a CI account gets a session of the registry. */
interface KeyLogin {
  /** externalUrl of the registry. */
  registryUrl: string;
  username: string;
  /** Its app password in Authentik. */
  password: string;
  /** Slug of the login flow for CI accounts. */
  flowSlug: string;
  /** PEM of certificate authorities to trust beside the usual ones. */
  ca?: string;
}

export interface MintRequest extends KeyLogin {
  /** What the labels of this identity's keys begin with. */
  owner: string;
  /** Number of the rotation, from 1. */
  period: number;
  /** ms. */
  expiresAfter: number;
  /** The account's group. zot notes the groups down at login, so in another group it takes another login. */
  group: string;
  /** Any text; another one asks for another key. */
  rotate?: string;
}

/** What a mint prints, and the stack keeps as a secret. */
export interface MintedKey {
  uuid: string;
  label: string;
  period: number;
  apiKey: string;
  /** RFC 3339. */
  createdAt: string;
  /** RFC 3339. */
  expiresAt: string;
  /** What was asked for with it. */
  rotate?: string;
  /** Keys of the same owner that were there already: uuids. */
  superseded: string[];
}

export interface RetireRequest extends KeyLogin {
  owner: string;
  /** uuid of the key that has been published. */
  current: string;
  /** Whether running jobs keep the key before. */
  keepPrevious: boolean;
}

/** The keys that are left; uuids. */
export interface Kept {
  current: string;
  previous?: string;
}

export interface RevokeRequest extends KeyLogin {
  owner: string;
}

/**
 * Logs in, makes a key and proves it. Leaves every other key alone: what used them may still do so.
 * @throws OperatorError; the key that could not be proved is gone again
 */
export async function mint(request: MintRequest): Promise<MintedKey> {
  const { expiresAfter, owner, period, rotate } = request;
  const { keys, fetch } = await session(request);
  const superseded = (await keys.list()).filter(belongsTo(owner)).map(({ uuid }) => uuid);
  const fresh = await keys.mint(`${owner}${period}`, new Date(Date.now() + expiresAfter));
  try {
    await prove(request, fresh, fetch);
  } catch (error) {
    await keys.revoke(fresh.uuid);
    throw error;
  }
  const { apiKey, createdAt, expirationDate: expiresAt, label, uuid } = fresh;
  return { uuid, label, period, apiKey, createdAt, expiresAt, ...(rotate ? { rotate } : {}), superseded };
}

/** The key opens the registry, and as the user it was made for: it is asked which keys its owner has. */
async function prove({ registryUrl, username }: KeyLogin, { apiKey, uuid }: FreshKey, fetch: Fetch): Promise<void> {
  const asUser = withKey(fetch, username, apiKey);
  const { status } = await asUser(`${registryUrl}/v2/`);
  const own = status === 200 ? await new ApiKeys(registryUrl, username, asUser).list() : [];
  if (own.some((key) => key.uuid === uuid)) return;
  throw new OperatorError(
    `The registry at ${registryUrl} made an API key for ${username} and answers ${status} to it at /v2/${status === 200 ? " as to somebody else" : ""}: is that one registry, or several behind one address that do not share their database? The key was revoked again.`,
  );
}

/**
 * After the current key has been published: revokes the owner's others, but for the one that was current before.
 * @param before what the last run left, if any
 */
export async function retire(request: RetireRequest, before?: Kept): Promise<Kept> {
  const { current, keepPrevious, owner } = request;
  const previous = before?.current === current ? before.previous : before?.current;
  const kept: Kept = { current, ...(previous && keepPrevious ? { previous } : {}) };
  const { keys } = await session(request);
  const unneeded = ({ uuid }: ListedKey) => uuid !== kept.current && uuid !== kept.previous;
  await revokeAll(keys, (await keys.list()).filter(belongsTo(owner)).filter(unneeded));
  return kept;
}

/** Revokes every key of the owner. */
export async function revoke(request: RevokeRequest): Promise<void> {
  const { keys } = await session(request);
  await revokeAll(keys, (await keys.list()).filter(belongsTo(request.owner)));
}

async function revokeAll(keys: ApiKeys, unneeded: ListedKey[]): Promise<void> {
  for (const { uuid } of unneeded) await keys.revoke(uuid);
}

const belongsTo =
  (owner: string) =>
  ({ label }: ListedKey) =>
    label.startsWith(owner);

/** @returns the keys of the account, over a session, and a fetch without one */
async function session(request: KeyLogin): Promise<{ keys: ApiKeys; fetch: Fetch }> {
  const { ca, password, registryUrl, username } = request;
  const opened = await login({ registryUrl, username, password, flowSlug: request.flowSlug, ...(ca ? { ca } : {}) });
  if (opened.username !== username) {
    throw new OperatorError(
      `The registry takes the account ${username} for ${opened.username}: the user name is to come from preferred_username (http.auth.openid.providers.oidc.claimMapping in its config)`,
    );
  }
  return { keys: new ApiKeys(registryUrl, username, opened.fetch), fetch: await createFetch(ca) };
}
