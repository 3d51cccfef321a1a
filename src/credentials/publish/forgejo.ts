import type { ForgejoDestination } from "../../settings/publish";
import { call, type ForgeApi } from "./forge-api";
import { type Publisher, secretsPublisher } from "./publisher";

/**
 * Actions secrets of a repository or an organization in Forgejo or Gitea: PUT and DELETE
 * /api/v1/repos/{owner}/{repo}/actions/secrets/{name} and /api/v1/orgs/{org}/actions/secrets/{name}; answers 201, 204.
 */
export function forgejo(destination: ForgejoDestination, token: string): Publisher {
  const { repository, organization, secrets } = destination;
  const api: ForgeApi = {
    kind: "Forgejo",
    url: `${destination.url}/api/v1`,
    headers: { authorization: `token ${token}`, accept: "application/json" },
    tokenName: destination.token,
    owner: repository ? `repository ${repository}` : `organization ${organization}`,
    scope: repository ? "the scope write:repository" : "the scope write:organization",
  };
  const path = repository ? `repos/${repository}/actions/secrets` : `orgs/${organization}/actions/secrets`;
  return secretsPublisher(secrets, {
    put: (name, value) => call(api, "PUT", `${path}/${name}`, { data: value }),
    remove: (name) => call(api, "DELETE", `${path}/${name}`, undefined, [404]),
  });
}
