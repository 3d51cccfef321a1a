import { OperatorError } from "../operator/error";
import { foreign } from "../operator/foreign";

/** One answer of Authentik's flow executor, as far as a login reads it (Authentik 2026.2.2). */
export interface Challenge {
  component: string;
  /** xak-flow-redirect */
  to?: string;
  /** ak-stage-consent */
  token?: string;
  /** ak-stage-identification: the password is asked on the same page */
  password_fields?: boolean;
  error_message?: string | null;
  request_id?: string;
  response_errors?: Record<string, { string: string; code: string }[]>;
}

export interface Credentials {
  username: string;
  password: string;
}

export type Move = { post: Record<string, string> } | { goTo: string };

/**
 * What to do about a challenge.
 * @param flow slug of the flow that asks, for the error
 * @param answered components answered so far in this login, in earlier flows too
 * @throws OperatorError naming the component; never the password
 */
export function answer(challenge: Challenge, credentials: Credentials, flow: string, answered: string[]): Move {
  const { component } = challenge;
  const { username, password } = credentials;
  const refusals = Object.values(challenge.response_errors ?? {}).flat();
  const said = foreign(refusals.map((error) => error.string).join("; "), password);
  if (refusals.length > 0) throw rejected(foreign(component, password), said, username, flow);
  switch (component) {
    case "xak-flow-redirect":
      return { goTo: challenge.to ?? "/" };
    case "ak-stage-identification":
      if (answered.includes("ak-stage-password")) throw notLoggedIn(username, flow);
      return { post: { component, uid_field: username, ...(challenge.password_fields ? { password } : {}) } };
    case "ak-stage-password":
      return { post: { component, password } };
    case "ak-stage-consent":
      return { post: { component, token: challenge.token ?? "" } };
    default:
      throw unanswerable(challenge, credentials, flow);
  }
}

function rejected(component: string, said: string, username: string, flow: string): OperatorError {
  return new OperatorError(
    `Authentik refused the login of ${username} at stage ${component} of flow ${flow}: ${said}. It says the same of an unknown user, of a wrong or expired password, and of a password of a kind the stage does not take (an app password needs the backend authentik.core.auth.TokenBackend): find out which it is`,
  );
}

function notLoggedIn(username: string, flow: string): OperatorError {
  return new OperatorError(
    `Authentik took the password of ${username} and did not log it in; it asks again with flow ${flow}. The login stage of the flow before is bound to a group that ${username} is not in: add it to the group, or use another flow`,
  );
}

function unanswerable(challenge: Challenge, { username, password }: Credentials, flow: string): OperatorError {
  const shown = (text?: string | null) => foreign(text ?? "", password);
  const [component, error_message, request_id] = [
    shown(challenge.component),
    shown(challenge.error_message),
    shown(challenge.request_id),
  ];
  const at = `flow ${flow}, component ${component}`;
  if (component === "ak-stage-access-denied") {
    return new OperatorError(
      `Authentik denied ${username} the login (${at}): ${error_message || "no reason given"}. Check the policies bound to the flow, and whether the account is active`,
    );
  }
  if (component === "ak-stage-flow-error") {
    return new OperatorError(`Authentik failed in the login of ${username} (${at}); its log has request ${request_id}`);
  }
  if (component.startsWith("ak-stage-authenticator")) {
    return new OperatorError(
      `Authentik asks ${username} for a second factor (${at}), which a program cannot give: log in with a flow of identification, password and user login alone, as this stack declares one for CI accounts`,
    );
  }
  return new OperatorError(
    `Authentik shows ${username} a stage that a program cannot answer (${at}): take that stage out, or use a flow of identification, password and user login`,
  );
}

/** Slug of a flow page, undefined for any other path. */
export function flowSlug(path: string): string | undefined {
  const slug = /^\/if\/flow\/([^/]+)\/$/.exec(path)?.[1];
  return slug === undefined ? undefined : decodeURIComponent(slug);
}

/**
 * What is wrong when Authentik ends a login on a page of its own instead of sending us on.
 * The pages carry no code, so their headings tell them apart.
 */
export function explainPage(status: number, page: string, at: string, username: string): OperatorError {
  if (/Request has been denied|Permission denied/.test(page)) {
    return new OperatorError(
      `Authentik logged ${username} in and denied it the registry: it is in none of the groups bound to the application. Add it to one of them (Applications, Policy / Group / User Bindings)`,
    );
  }
  if (page.includes("Redirect URI Error")) {
    return new OperatorError(
      `Authentik does not know the registry's redirect URI (${at} answered ${status}): it must be <externalUrl>/zot/auth/callback/oidc byte for byte, in zot's config and in Authentik's provider alike`,
    );
  }
  if (page.includes("Client ID Error")) {
    return new OperatorError(
      `Authentik does not know the registry's client id, or its provider has no application (${at} answered ${status}): compare zot's credentials file with the provider in Authentik`,
    );
  }
  return new OperatorError(
    `${at} answered ${status} in the middle of the login of ${username}, where a redirect was expected`,
  );
}
