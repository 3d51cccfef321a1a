import { LINKED_REPOSITORY, PROBE_REPOSITORY, SEALED_REPOSITORY } from "../../config/testbed";
import { longestTransfers } from "../../config/timeouts";
import type { Check } from "../check";
import { type Answer, describeAnswer } from "../client";
import { type Finding, failed, ok, Skip, skipped, warning } from "../finding";
import { dryPush, MAY_PUSH, type Probe, SOME_BLOB, type Tagged } from "../probe";
import { freshTag, misshapenTag } from "../tags";
import type { Verification } from "../verification";

const IMMUTABLE = "the tag is not immutable: who deploys by it can be given other content";
const RULES = "pulumi up puts the rules in force; make access STACK=... shows which one decides";

export const TAG_CHECKS: Check[] = [
  {
    id: "push",
    title: "push of a new version tag with a key",
    expected: "taken",
    writes: true,
    after: ["key-works"],
    observe: push,
  },
  { ...attacked("wrong-form", "push of a tag of the wrong form"), observe: wrongForm },
  { ...attacked("overwrite", "overwrite of a version tag"), observe: overwrite },
  {
    ...attacked("overwrite-mutable", "overwrite of a tag that may move, such as latest"),
    expected: "403 to a publisher, 201 to a maintainer",
    observe: overwriteMutable,
  },
  { ...attacked("overwrite-by-digest", "overwrite by PUT <digest>?tag=<existing>"), observe: overwriteByDigest },
  { ...attacked("delete", "delete of a tag"), observe: deleteTag },
  { ...attacked("delete-replace", "delete of an image, and another in its place"), observe: deleteAndReplace },
  { ...attacked("cache-push", "push into every pull-through cache"), after: ["key-works"], observe: cachePush },
  {
    ...attacked("mount-unreadable", "mount of a blob from a repository one may not read"),
    expected: "no blob",
    observe: mountUnreadable,
  },
  {
    ...attacked("head-creates", "HEAD for a blob creates no repository"),
    expected: "404",
    observe: headCreates,
  },
];

function attacked(id: string, title: string) {
  return { id, title, expected: "403", writes: true as const, after: ["push"] };
}

/** Uploads and a pull for real; the new tag itself is only asked for, since it would stay for ever. */
async function push(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const filled = await probe.fill().catch((error: Error) => error);
  if (filled instanceof Error) {
    return failed(filled.message, `${probe.pusher.username} may not push where every publisher may`, RULES);
  }
  const tag = await freshTag(probe.rules);
  if (tag === undefined) return skipped("harden-zot:access.tags.format allows too few tags to try this with");
  const answer = await dryPush(verification.registry, PROBE_REPOSITORY, tag, probe.pusher);
  const seen = `${probe.pusher.username}: ${filled.size} tags in place, a new one such as ${tag} would be taken`;
  if (answer.status === MAY_PUSH) return timely(seen, longestTransfers(verification.target.config).upload);
  return failed(`${tag}: ${describeAnswer(answer)}`, "a tag of the form that the settings ask for is refused", RULES);
}

/** By the settings: nothing is sent for that long. */
function timely(seen: string, milliseconds: number): Finding {
  const time = milliseconds % 60_000 === 0 ? `${milliseconds / 60_000} min` : `${milliseconds / 1000} s`;
  const megabytes = Math.round(milliseconds * MEGABYTES_PER_MS);
  const longest = `${seen}; by the settings a layer may take ${time}, ${megabytes} MB at 10 Mbit/s`;
  if (milliseconds > 60_000) return ok(longest);
  return warning(
    longest,
    "zot cuts an upload that takes longer, without an answer, and so a pull from a slow upstream",
    "set harden-zot:registry.timeouts to 30m, its default",
  );
}

/** At 10 Mbit/s. */
const MEGABYTES_PER_MS = 0.00125;

async function wrongForm(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const tag = misshapenTag(probe.rules);
  if (tag === undefined) throw new Skip("harden-zot:access.tags.format takes any tag");
  const answer = await dryPush(verification.registry, PROBE_REPOSITORY, tag, probe.pusher);
  if (answer.status === 403) return ok(describeAnswer(answer));
  return failed(`${tag}: ${dryAnswer(answer)}`, "tags of any form are taken", RULES);
}

const dryAnswer = (answer: Answer) => (answer.status === MAY_PUSH ? "would be taken" : describeAnswer(answer));

async function overwrite(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const victim = await probe.victim("overwrite");
  return judged(probe, victim, await probe.push(victim.tag, victim.other));
}

async function overwriteMutable(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const victim = await probe.victim("mutable");
  if (probe.pusher.role === "publisher") return judged(probe, victim, await probe.push(victim.tag, victim.other));
  // The same image again: it needs the same permission, and nothing moves.
  const answer = await probe.push(victim.tag, victim.manifest);
  if (answer.status === 201) return ok(`201: a maintainer may move ${victim.tag}`);
  return failed(describeAnswer(answer), `a maintainer may not move ${victim.tag}`, RULES);
}

async function overwriteByDigest(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const victim = await probe.victim("by-digest");
  return judged(probe, victim, await probe.push(`${victim.other.digest}?tag=${victim.tag}`, victim.other));
}

async function deleteTag(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const victim = await probe.victim("delete");
  return judged(probe, victim, await probe.delete(victim.tag));
}

async function deleteAndReplace(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const victim = await probe.victim("replace");
  const deleted = await probe.delete(victim.manifest.digest);
  if (deleted.status === 403) return ok(describeAnswer(deleted));
  const replaced = await probe.push(victim.tag, victim.other);
  return letThrough(probe, victim, `delete ${deleted.status}, push of another image ${replaced.status}`);
}

async function judged(probe: Probe, victim: Tagged, answer: Answer): Promise<Finding> {
  const seen = describeAnswer(answer);
  return answer.status === 403 ? ok(seen) : letThrough(probe, victim, seen);
}

/** What was let through is put back, as far as the same hole allows. */
async function letThrough(probe: Probe, { tag, manifest }: Tagged, what: string): Promise<Finding> {
  const back = await probe.push(tag, manifest);
  const state = back.status === 201 ? "put back" : `now other than before (putting it back: ${describeAnswer(back)})`;
  return failed(`${PROBE_REPOSITORY}:${tag}: ${what}; ${state}`, IMMUTABLE, RULES);
}

async function cachePush(verification: Verification): Promise<Finding> {
  const { target, registry } = verification;
  const caches = target.settings.registry.pullThrough.map(({ name }) => name);
  if (caches.length === 0) throw new Skip("no pull-through cache in the settings");
  const attempts = verification.keyHolders().flatMap((as) => caches.map((cache) => ({ as, cache })));
  const answers = await Promise.all(
    attempts.map(async ({ as, cache }) => ({
      who: `${as.username} into ${cache}`,
      answer: await dryPush(registry, `${cache}/harden-zot/probe`, "latest", as),
    })),
  );
  const taken = answers.filter(({ answer }) => answer.status !== 403);
  if (taken.length === 0) return ok(`403 for ${caches.join(", ")}`);
  return failed(
    taken.map(({ who, answer }) => `${who}: ${dryAnswer(answer)}`).join(", "),
    "what is pushed there is served as if it came from upstream",
    RULES,
  );
}

/** The dedupe cache of zot knows every blob; it must not hand out those of a repository that the client cannot read. */
async function mountUnreadable(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const sealed = await probe.unseen(PROBE_REPOSITORY, "harden-zot: a blob that its writer may not read");
  const stored = await probe.upload(SEALED_REPOSITORY, sealed);
  if (stored.status !== 201) throw new Skip(`${SEALED_REPOSITORY} takes no blob: ${describeAnswer(stored)}`);
  const mounted = await probe.ask(
    "POST",
    `${PROBE_REPOSITORY}/blobs/uploads/?mount=${sealed.digest}&from=${SEALED_REPOSITORY}`,
  );
  // Refused, it is an upload that waits for its content: it is given some that is there already.
  if (mounted.status === 202) await probe.finishUpload(mounted, SOME_BLOB);
  const readings = await Promise.all(
    [PROBE_REPOSITORY, SEALED_REPOSITORY].map((name) => probe.ask("GET", `${name}/blobs/${sealed.digest}`)),
  );
  if (readings[0]?.status === 200) await probe.takeOut(PROBE_REPOSITORY, sealed);
  const seen = `mount ${mounted.status}, then GET ${readings.map(({ status }) => status).join(" and ")}`;
  if (mounted.status === 202 && readings.every(({ status }) => status !== 200)) return ok(seen);
  return failed(
    seen,
    "who knows a digest can read a blob of any repository",
    "see whether the other checks say that the registry is open; if not, upgrade zot, or set harden-zot:registry.storage.dedupe: false",
  );
}

async function headCreates(verification: Verification): Promise<Finding> {
  const probe = verification.probe();
  const known = await probe.unseen(LINKED_REPOSITORY, "harden-zot: a blob that is in another repository");
  const stored = await probe.upload(PROBE_REPOSITORY, known);
  if (stored.status !== 201) throw new Skip(`${PROBE_REPOSITORY} takes no blob: ${describeAnswer(stored)}`);
  const answer = await probe.ask("HEAD", `${LINKED_REPOSITORY}/blobs/${known.digest}`);
  if (answer.status === 404) return ok("404");
  await probe.takeOut(LINKED_REPOSITORY, known);
  const seen = `${answer.status}: the blob is now in ${LINKED_REPOSITORY}`;
  if (answer.status !== 200)
    return failed(describeAnswer(answer), `${probe.pusher.username} may not read there`, RULES);
  return warning(
    seen,
    "storage.dedupe is on: a HEAD for a known digest, also an anonymous one, creates an empty repository of any name one may read",
    "set harden-zot:registry.storage.dedupe: false, at the price of disk space, or live with empty repositories in the catalog",
  );
}
