/** What one release of Authentik does otherwise than the one before, as far as it touches a registry's login. */
export interface Release {
  version: string;
  /** A client names the grant types it may use, a redirect URI what it is for, an application whether it is listed. */
  knowsGrantTypes: boolean;
  /** `X-Forwarded-*` counts only from a trusted proxy; before, from everybody. */
  asksWhoForwards: boolean;
}

const RELEASES: Record<string, Release> = {
  "2026.2": { version: "2026.2.2", knowsGrantTypes: false, asksWhoForwards: false },
  "2026.5": { version: "2026.5.0", knowsGrantTypes: true, asksWhoForwards: false },
  "2026.8": { version: "2026.8.0", knowsGrantTypes: true, asksWhoForwards: true },
};

export const OLDEST = "2026.2";

/** @throws for a release that is none of these */
export function releaseOf(name: string): Release {
  const release = RELEASES[name];
  if (release) return release;
  throw new Error(`there is no stand-in for Authentik ${name}: one of ${Object.keys(RELEASES).join(", ")}`);
}

/** In the order in which the migration of 2026.5 gives them to every client it finds. */
export const GRANT_TYPES = [
  "authorization_code",
  "hybrid",
  "implicit",
  "client_credentials",
  "password",
  "urn:ietf:params:oauth:grant-type:device_code",
  "refresh_token",
];
