/** How a CI account gets a session of the registry. */
export interface KeyLogin {
  /** externalUrl of the registry. */
  registryUrl: string;
  username: string;
  /** Its app password in Authentik. */
  password: string;
  /** authentik:url, so that the password goes nowhere else. Requests of states from before 28 November 2026 lack it. */
  issuer?: string;
  /** Slug of the login flow for CI accounts. */
  flowSlug: string;
  /** PEM of certificate authorities to trust beside the usual ones. */
  ca?: string;
}

export interface MintRequest extends KeyLogin {
  /** What the key's label begins with. Old states have it under this name, and another one would ask for another key. */
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
  /** Whether it was asked for with one. */
  issuer?: string;
  /** What was asked for with it. */
  rotate?: string;
  /** Keys with such a label that were there already: uuids. */
  superseded: string[];
}

export interface RetireRequest extends KeyLogin {
  /** What the labels of this identity's keys begin with. */
  labels: string[];
  /** Of the tenure that the current key is made under. */
  life: string;
  /** uuid of the key that has been published. */
  current: string;
  /** Whether running jobs keep the key before. */
  keepPrevious: boolean;
}

/** The keys that are left; uuids. */
export interface Kept {
  current: string;
  previous?: string;
  /** Of the tenure that the current key was made under, or inherited by. */
  life?: string;
}

export interface RevokeRequest extends KeyLogin {
  owner: string;
}
