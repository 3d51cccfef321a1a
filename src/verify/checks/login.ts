import { connect, type PeerCertificate, rootCertificates, type TLSSocket } from "node:tls";
import { explainIssuer } from "../../identity/issuer";
import { isLoopback } from "../../settings/loopback";
import type { Check } from "../check";
import { describeAnswer } from "../client";
import { type Finding, failed, ok, skipped, warning } from "../finding";
import type { Verification } from "../verification";

/** zot's OIDC library takes an ID token that was issued up to 5 s in the future (zot 2.1.20, issuedAtOffset). */
const MOST_SKEW = 5000;
/** The Date header counts whole seconds. */
const RESOLUTION = 1000;
const DAY = 86_400_000;
/** A certificate that ends sooner is not renewed in time by itself, as ACME clients renew a month ahead. */
const CERTIFICATE_SPARE = 14 * DAY;

export const LOGIN_CHECKS: Check[] = [
  {
    id: "issuer",
    title: "the issuer answers, and calls itself what zot expects",
    expected: "its issuer, byte for byte",
    observe: issuer,
  },
  {
    id: "oidc-login",
    title: "a login is offered and goes to the issuer as this client",
    expected: "302 to the issuer",
    after: ["ready", "issuer"],
    observe: oidcLogin,
  },
  {
    id: "login-cookies",
    title: "cookies of the login: Secure, HttpOnly, SameSite",
    expected: "as strict as zot can",
    after: ["ready", "oidc-login"],
    observe: loginCookies,
  },
  { id: "tls", title: "TLS on the external URL", expected: "TLS 1.2 or later, valid for 14 days", observe: tls },
  {
    id: "clock",
    title: "the clocks of registry, issuer and this machine agree",
    expected: "within 5 s",
    after: ["ready", "issuer"],
    observe: clock,
  },
];

async function issuer(verification: Verification): Promise<Finding> {
  const { issuer: expected } = verification.target;
  const answer = await verification.discovery();
  if (answer.status !== 200) {
    return failed(
      describeAnswer(answer),
      "Authentik is down, or has no application of that slug; a restarted zot would not come up",
      "look at Authentik, and at harden-zot:identity.slug",
    );
  }
  const { issuer: seen } = JSON.parse(answer.text) as Discovery;
  if (seen === expected) return ok(expected);
  const { cause, remedy } = explainIssuer(String(seen), expected);
  return failed(
    String(seen),
    `zot compares byte for byte with ${expected} and would not start again: ${cause}`,
    remedy,
  );
}

async function oidcLogin(verification: Verification): Promise<Finding> {
  const { target } = verification;
  const answer = await startLogin(verification);
  const location = answer.headers.get("location");
  if (answer.status !== 302 || !location) {
    return failed(describeAnswer(answer), "the registry runs without http.auth.openid", "pulumi up");
  }
  const to = new URL(location);
  const { authorization_endpoint: endpoint = "" } = JSON.parse((await verification.discovery()).text) as Discovery;
  const asked = {
    client_id: target.settings.identity.clientId,
    redirect_uri: target.redirectUri,
    response_type: "code",
  };
  const differing = [
    ...(to.origin + to.pathname === endpoint ? [] : [`goes to ${to.origin}${to.pathname}, not ${endpoint}`]),
    ...Object.entries(asked)
      .filter(([key, value]) => to.searchParams.get(key) !== value)
      .map(([key, value]) => `${key} is ${to.searchParams.get(key)}, not ${value}`),
    ...(to.searchParams.get("scope")?.split(" ").includes("openid") ? [] : ["scope lacks openid"]),
  ];
  if (differing.length === 0) return ok(`302 to ${endpoint}`);
  return failed(differing.join("; "), "zot runs with other OpenID settings than the stack's", "pulumi up");
}

interface Discovery {
  issuer?: string;
  authorization_endpoint?: string;
}

const startLogin = ({ registry }: Verification) => registry.ask("GET", "/zot/auth/login?provider=oidc");

/** What zot 2.1.20 can: SameSite on `state` alone; Secure on the session's only with TLS or secureSession. */
async function loginCookies(verification: Verification): Promise<Finding> {
  const cookies = (await startLogin(verification)).headers.getSetCookie();
  const secure = verification.target.registry.startsWith("https:") ? ["Secure"] : [];
  const wanted: Record<string, string[]> = {
    state: ["Secure", "HttpOnly", "SameSite=Lax"],
    statecookie: ["HttpOnly", ...secure],
  };
  const lacking = Object.entries(wanted).flatMap(([name, flags]) => {
    const cookie = cookies.find((line) => line.startsWith(`${name}=`));
    if (cookie === undefined) return [`no cookie ${name}`];
    const given = cookie.toLowerCase().split(/;\s*/);
    return flags.filter((flag) => !given.includes(flag.toLowerCase())).map((flag) => `${name} lacks ${flag}`);
  });
  if (lacking.length === 0) return ok(secure.length > 0 ? "Secure, HttpOnly, SameSite=Lax" : "HttpOnly, SameSite=Lax");
  return failed(
    lacking.join(", "),
    "a proxy rewrites cookies, or zot does not know that it is behind TLS (http.auth.secureSession)",
    "pulumi up, and take cookie rules out of the proxy",
  );
}

async function clock(verification: Verification): Promise<Finding> {
  const [registry, provider] = await Promise.all([
    verification.registry.ask("GET", "/livez"),
    verification.discovery(),
  ]);
  const ahead = [registry, provider].map(({ headers, at }) => {
    const date = Date.parse(headers.get("date") ?? "");
    // The middle of the second that the header names.
    return Number.isNaN(date) ? undefined : date + RESOLUTION / 2 - at;
  });
  const [ours, theirs] = ahead;
  if (ours === undefined || theirs === undefined) return skipped("an answer without a Date header");
  const apart = Math.abs(ours - theirs);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const seen = `registry ${seconds(ours)}, issuer ${seconds(theirs)} ahead of this machine`;
  if (apart > MOST_SKEW + RESOLUTION) {
    return failed(seen, "zot refuses ID tokens issued in its future", "run NTP on both hosts");
  }
  if (Math.max(Math.abs(ours), Math.abs(theirs)) <= MOST_SKEW + RESOLUTION) return ok(seen);
  return warning(seen, "expiry dates of keys are computed here", "run NTP on this machine");
}

async function tls({ target }: Verification): Promise<Finding> {
  const { protocol, hostname, port } = new URL(target.registry);
  if (protocol !== "https:") {
    if (isLoopback(hostname)) return skipped("plain http on loopback");
    return failed(
      "plain http",
      "passwords and API keys travel readably, and no browser keeps zot's login cookie",
      "put a proxy with TLS in front, and make its URL the externalUrl",
    );
  }
  const at = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 443), ca: target.ca };
  const { version, certificate } = await handshake(at, {});
  const left = Date.parse(certificate.valid_to) - Date.now();
  const seen = `${version}, valid until ${certificate.valid_to}`;
  // Without the lower security level our own side would refuse before the server can.
  const old = await handshake(at, { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }).catch(
    () => undefined,
  );
  if (old)
    return failed(`takes ${old.version}`, "the proxy allows TLS versions that are broken", "allow TLS 1.2 and later");
  if (left > CERTIFICATE_SPARE) return ok(seen);
  return failed(seen, "the certificate is not being renewed", "look at the proxy's ACME log");
}

interface Place {
  host: string;
  port: number;
  ca: string | undefined;
}

/** @throws when the certificate is not trusted, or no TLS version is shared */
function handshake(
  { host, port, ca }: Place,
  options: object,
): Promise<{ version: string; certificate: PeerCertificate }> {
  const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  return new Promise((settle, fail) => {
    const socket: TLSSocket = connect({ host, port, ...servername, ...trusted, ...options }, () => {
      settle({ version: socket.getProtocol() ?? "", certificate: socket.getPeerCertificate() });
      socket.end();
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no TLS handshake with ${host}:${port} within 10 s`)));
    socket.on("error", fail);
  });
}
