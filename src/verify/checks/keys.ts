import type { Check } from "../check";
import { type Client, type Credentials, describeAnswer } from "../client";
import { type Finding, failed, ok, Skip, skipped, warning } from "../finding";
import type { KeyHolder } from "../target";
import type { Verification } from "../verification";

/** What the key is called that a run mints and revokes. */
const PROBE_KEY_LABEL = "harden-zot verification, revoked at once";
/** Should the run die in between, in ms. */
const PROBE_KEY_LIFE = 10 * 60_000;
const DAY = 86_400_000;

const API_KEYS = "/zot/auth/apikey";

export const KEY_CHECKS: Check[] = [
  {
    id: "key-works",
    title: "the key of every CI identity opens the registry",
    expected: "200",
    after: ["ready"],
    observe: keyWorks,
  },
  {
    id: "key-other-user",
    title: "a key with another user's name",
    expected: "401",
    after: ["key-works"],
    observe: keyOfAnother,
  },
  {
    id: "key-revoked",
    title: "a revoked key",
    expected: "200 before, 401 after",
    writes: true,
    after: ["key-works"],
    observe: keyRevoked,
  },
  {
    id: "key-anonymous",
    title: "API keys without credentials",
    expected: "401 or 500, and no key",
    after: ["ready"],
    observe: keysWithoutCredentials,
  },
  {
    id: "key-expiry",
    title: "no key is near its end",
    expected: "rotated in time",
    observe: keyExpiry,
  },
  {
    id: "key-strays",
    title: "no key that the stack did not make",
    expected: "none",
    after: ["key-works"],
    observe: strays,
  },
];

async function keyWorks(verification: Verification): Promise<Finding> {
  const holders = verification.keyHolders();
  const answers = await Promise.all(
    holders.map(async (as) => ({ as, answer: await verification.registry.ask("GET", "/v2/", { as }) })),
  );
  const refused = answers.filter(({ answer }) => answer.status !== 200);
  if (refused.length === 0) return ok(`200 for ${holders.map(({ username }) => username).join(", ")}`);
  return failed(
    refused.map(({ as, answer }) => `${as.username}: ${describeAnswer(answer)}`).join(", "),
    "the key was revoked, or has expired, or zot's database was lost",
    "pulumi up mints another",
  );
}

async function keyOfAnother(verification: Verification): Promise<Finding> {
  const names = verification.target.identities.map(({ username }) => username);
  const attempts = verification.keyHolders().flatMap(({ username, apiKey }) =>
    [...names.filter((name) => name !== username), `${username}x`, username.toUpperCase()].map((name) => ({
      username: name,
      apiKey,
    })),
  );
  const answers = await Promise.all(
    attempts.map(async (as) => ({ as, answer: await verification.registry.ask("GET", "/v2/", { as }) })),
  );
  const taken = answers.filter(({ answer }) => answer.status !== 401);
  if (taken.length === 0) return ok(`401 for ${attempts.length} names`);
  return failed(
    taken.map(({ as, answer }) => `${as.username}: ${describeAnswer(answer)}`).join(", "),
    "whoever holds a key can take another name",
    "this is not zot 2.1.20's behaviour: what answers there?",
  );
}

interface ListedKey {
  uuid: string;
  label: string;
  expirationDate: string;
  isExpired: boolean;
}

/** A key can mint and revoke others of its owner (zot 2.1.20). */
async function keyRevoked(verification: Verification): Promise<Finding> {
  const [holder] = verification.keyHolders() as [KeyHolder];
  const { registry } = verification;
  await revokeLeftOver(registry, holder);
  const expirationDate = new Date(Date.now() + PROBE_KEY_LIFE).toISOString();
  const minted = await registry.ask("POST", API_KEYS, {
    as: holder,
    body: JSON.stringify({ label: PROBE_KEY_LABEL, scopes: [], expirationDate }),
  });
  if (minted.status !== 201) return skipped(`a key may not mint another here: ${describeAnswer(minted)}`);
  const { apiKey, uuid } = JSON.parse(minted.text) as { apiKey: string; uuid: string };
  const as = { username: holder.username, apiKey };
  const before = await registry.ask("GET", "/v2/", { as });
  const revoked = await registry.ask("DELETE", `${API_KEYS}?id=${uuid}`, { as: holder });
  const after = await registry.ask("GET", "/v2/", { as });
  const seen = `${before.status} before, ${after.status} after`;
  if (before.status === 200 && revoked.status === 200 && after.status === 401) return ok(seen);
  return failed(
    `${seen} (revoked: ${revoked.status})`,
    "a key that leaked could not be taken back",
    "is that one registry, or several behind one address that do not share their database?",
  );
}

/** Of a run that died. */
async function revokeLeftOver(registry: Client, as: KeyHolder): Promise<void> {
  const leftOver = (await listKeys(registry, as)).filter(({ label }) => label === PROBE_KEY_LABEL);
  await Promise.all(leftOver.map(({ uuid }) => registry.ask("DELETE", `${API_KEYS}?id=${uuid}`, { as })));
}

/** @throws when the registry does not list them */
async function listKeys(registry: Client, as: Credentials): Promise<ListedKey[]> {
  const answer = await registry.ask("GET", API_KEYS, { as });
  if (answer.status !== 200) throw new Error(`the keys of ${as.username} are not listed: ${describeAnswer(answer)}`);
  return (JSON.parse(answer.text) as { apiKeys: ListedKey[] | null }).apiKeys ?? [];
}

/** zot 2.1.20 answers 500 where anonymous may read something, and 401 otherwise. */
async function keysWithoutCredentials({ registry, target }: Verification): Promise<Finding> {
  const answers = await Promise.all([
    registry.ask("GET", API_KEYS),
    ...(target.readOnly ? [] : [registry.ask("POST", API_KEYS, { body: '{"label":"anonymous","scopes":[]}' })]),
  ]);
  const statuses = answers.map(({ status }) => status).join(" to GET, ") + (answers.length > 1 ? " to POST" : "");
  if (answers.some(({ status }) => status === 404)) {
    return failed(statuses, "the registry runs without API keys (http.auth.apikey)", "pulumi up");
  }
  if (answers.every(({ status, text }) => [401, 403, 500].includes(status) && !/apiKey/i.test(text)))
    return ok(statuses);
  return failed(statuses, "API keys are shown or made without credentials", "close the path to the proxy; report it");
}

/**
 * A key is rotated by the next `up` after its rotation is due; half-way from there to its end, that `up` is overdue.
 */
async function keyExpiry({ target }: Verification): Promise<Finding> {
  const dated = target.identities.filter(({ expiresAt }) => expiresAt !== undefined);
  if (dated.length === 0) throw new Skip("no key: the stack hands out none");
  const rows = dated.map(({ username, expiresAt = "", key }) => {
    const left = Date.parse(expiresAt) - Date.now();
    const spare = key.expiresAfter - key.rotateAfter;
    return { left, text: `${username}: ${(left / DAY).toFixed(1)} days`, due: left < spare, overdue: left < spare / 2 };
  });
  const seen = rows.map(({ text }) => text).join(", ");
  if (rows.some(({ overdue }) => overdue)) {
    return failed(seen, "pulumi up has not run, or failed, since the rotation was due", "pulumi up rotates it");
  }
  return rows.some(({ due }) => due)
    ? warning(seen, "its rotation is due", "the next pulumi up rotates it")
    : ok(`${seen} left`);
}

async function strays(verification: Verification): Promise<Finding> {
  const holders = verification.keyHolders().filter(({ keyLabels }) => keyLabels !== undefined);
  if (holders.length === 0) throw new Skip("how the stack labels its keys is not known");
  const lists = await Promise.all(
    holders.map(async (holder) => {
      const keys = await listKeys(verification.registry, holder);
      return keys
        .filter(
          ({ label, isExpired }) =>
            !isExpired && label !== PROBE_KEY_LABEL && !holder.keyLabels?.some((own) => label.startsWith(own)),
        )
        .map(({ label, uuid }) => `${holder.username}: ${JSON.stringify(label)} (${uuid})`);
    }),
  );
  const found = lists.flat();
  if (found.length === 0) return ok("none");
  return warning(
    found.join(", "),
    "somebody made a key of a CI account by hand; no rotation ever ends it",
    "find out who uses it; an administrator of the account can revoke it (DELETE /zot/auth/apikey?id=...)",
  );
}
