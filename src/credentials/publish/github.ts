import { OperatorError } from "../../operator/error";
import type { GithubDestination } from "../../settings/publish";
import { call, type ForgeApi } from "./forge-api";
import { type Publisher, secretsPublisher } from "./publisher";

/**
 * Actions secrets of a repository or an organization on GitHub (REST API version 2022-11-28): each value is sealed to the
 * owner's public key (libsodium's sealed box) and PUT with that key's id; answers 201, 204.
 */
export function github(destination: GithubDestination, token: string): Publisher {
  const { repository, organization, secrets, visibility } = destination;
  const api: ForgeApi = {
    kind: "GitHub",
    url: apiUrl(destination.url),
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
    },
    tokenName: destination.token,
    owner: repository ? `repository ${repository}` : `organization ${organization}`,
    scope: repository
      ? "the repository permission Secrets: write (a classic token: the scope repo)"
      : "the organization permission Secrets: write (a classic token: the scope admin:org)",
  };
  const path = repository ? `repos/${repository}/actions/secrets` : `orgs/${organization}/actions/secrets`;
  return secretsPublisher(secrets, {
    put: async (name, value) => {
      const { key, key_id } = await publicKey(api, path);
      const encrypted_value = await seal(value, key);
      const body = { encrypted_value, key_id, ...(organization ? { visibility } : {}) };
      return call(api, "PUT", `${path}/${name}`, body);
    },
    remove: (name) => call(api, "DELETE", `${path}/${name}`, undefined, [404]),
  });
}

/** github.com and its data-residency hosts have the API on a host of its own, an Enterprise Server under /api/v3. */
export function apiUrl(url: string): string {
  const { protocol, host } = new URL(url);
  return host === "github.com" || host.endsWith(".ghe.com") ? `${protocol}//api.${host}` : `${url}/api/v3`;
}

interface PublicKey {
  /** base64 */
  key: string;
  key_id: string;
}

async function publicKey(api: ForgeApi, path: string): Promise<PublicKey> {
  const response = await call(api, "GET", `${path}/public-key`);
  try {
    const { key, key_id } = (await response.json()) as PublicKey;
    if (Buffer.from(key, "base64").length === 32) return { key, key_id };
  } catch {
    // Said below.
  }
  throw new OperatorError(`${api.kind} at ${api.url} gave no public key to seal secrets with: check \`url\``);
}

async function seal(value: string, key: string): Promise<string> {
  // Loaded here, for it takes longer than all the rest of the program.
  const { default: sodium } = await import("libsodium-wrappers");
  await sodium.ready;
  const sealed = sodium.crypto_box_seal(value, Buffer.from(key, "base64"));
  return Buffer.from(sealed).toString("base64");
}
