import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identity } from "../../src/zot/authorizer";
import { RegistryError, sendError, sendJson } from "./distribution/errors";
import { fromUi } from "./identity/authentication";
import type { Registry } from "./registry";

/* How zot refuses (zot 2.1.20, authFail and AuthzFail): after failDelay seconds, with a challenge unless the UI asks. */

async function delay(registry: Registry): Promise<void> {
  const seconds = registry.config.http.auth.failDelay ?? 0;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function challenge({ config }: Registry, request: IncomingMessage, response: ServerResponse): void {
  if (!fromUi(request)) {
    response.setHeader(
      "WWW-Authenticate",
      `Basic realm=${JSON.stringify(config.http.realm || "Authorization Required")}`,
    );
  }
}

/** Nobody proved to be anybody: 401, one error object and not a list of them. */
export async function refuseAuthentication(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.headers.authorization || fromUi(request)) await delay(registry);
  challenge(registry, request, response);
  sendJson(response, 401, new RegistryError(401, "UNAUTHORIZED").body());
}

/** The identity may not: 403 with the condition's message, or 401 for an anonymous one. */
export async function refuseAuthorization(
  registry: Registry,
  identity: Identity,
  request: IncomingMessage,
  response: ServerResponse,
  reason?: string,
): Promise<void> {
  await delay(registry);
  challenge(registry, request, response);
  const refusal =
    identity.kind === "user"
      ? new RegistryError(403, "DENIED", reason ? { reason } : {})
      : new RegistryError(401, "UNAUTHORIZED");
  sendError(response, refusal);
}
