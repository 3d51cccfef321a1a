import { sampleName } from "../../config/patterns";
import { PROBE_REPOSITORY } from "../../config/testbed";
import type { Check } from "../check";
import { describeAnswer } from "../client";
import { type Finding, failed, ok } from "../finding";
import { ANY_MANIFEST } from "../image";
import { dryPush } from "../probe";
import type { Image } from "../target";
import type { Verification } from "../verification";

const RULES = "see who may do what: make access STACK=...; then pulumi up, which puts the rules in force";

export const ANONYMOUS_CHECKS: Check[] = [
  {
    id: "ready",
    title: "the registry is ready",
    expected: "200",
    observe: async ({ registry }) => {
      const answer = await registry.ask("GET", "/readyz");
      if (answer.status === 200) return ok("200");
      return failed(
        describeAnswer(answer),
        "zot, or the proxy in front of it, is down",
        "look at zot's log on the host",
      );
    },
  },
  {
    id: "anonymous-catalog",
    title: "anonymous clients see what they may pull, and nothing else",
    expected: "only what the rules open",
    after: ["ready"],
    observe: anonymousCatalog,
  },
  {
    id: "anonymous-pull",
    title: "anonymous pull",
    expected: "200, or 401 where nothing is open to anonymous",
    after: ["ready"],
    observe: anonymousPull,
  },
  {
    id: "closed-to-anonymous",
    title: "what is not open to anonymous is closed",
    expected: "401",
    after: ["ready"],
    observe: closedToAnonymous,
  },
  {
    id: "anonymous-push",
    title: "push without credentials",
    expected: "401",
    writes: true,
    after: ["ready"],
    observe: anonymousPush,
  },
  {
    id: "wrong-password",
    title: "a wrong password is refused, even to read",
    expected: "401",
    after: ["ready"],
    observe: async ({ registry }) => {
      const answer = await registry.ask("GET", "/v2/", { as: { username: "admin", apiKey: "zak_wrong" } });
      if (answer.status === 401) return ok("401");
      return failed(describeAnswer(answer), "credentials are not looked at", "is http.auth in force? pulumi up");
    },
  },
];

const opensSomething = ({ target }: Verification) => target.settings.access.anonymous.includes("read");

async function anonymousCatalog(verification: Verification): Promise<Finding> {
  const { registry, authorizer } = verification;
  const answer = await registry.ask("GET", "/v2/_catalog");
  if (!opensSomething(verification)) {
    if (answer.status === 401) return ok("401: nothing is open to anonymous");
    return failed(describeAnswer(answer), "anonymous clients are let in, and no rule opens anything to them", RULES);
  }
  if (answer.status !== 200) return failed(describeAnswer(answer), "anonymous clients are not let in", RULES);
  const shown = await verification.catalog();
  const hidden = shown.filter((name) => !authorizer.readable({ kind: "anonymous" }, name));
  if (hidden.length === 0) return ok(`${shown.length} repositories, all open to anonymous`);
  return failed(`shows ${some(hidden)}`, "the rules in force are wider than those of the settings", RULES);
}

async function anonymousPull(verification: Verification): Promise<Finding> {
  const { registry } = verification;
  const image = await imageToPull(verification);
  if (image === undefined) return pullOfNothing(verification);
  const name = `${image.repository}:${image.tag}`;
  const manifest = await registry.ask("GET", `/v2/${image.repository}/manifests/${image.tag}`, {
    headers: ANY_MANIFEST,
  });
  if (manifest.status !== 200) {
    return failed(
      `${name}: ${describeAnswer(manifest)}`,
      "anonymous clients may not read, or the image is damaged",
      RULES,
    );
  }
  const digest = firstBlob(manifest.text);
  const blob =
    digest &&
    (await registry.ask("GET", `/v2/${image.repository}/blobs/${digest}`, { headers: { range: "bytes=0-0" } }));
  if (!blob || blob.status === 200 || blob.status === 206) return ok(`${name}: 200`);
  return failed(`${name}: manifest 200, blob ${describeAnswer(blob)}`, "the image's blobs cannot be read", RULES);
}

/** An index names manifests and no config; its parts are not followed. */
function firstBlob(manifest: string): string | undefined {
  return (JSON.parse(manifest) as { config?: { digest?: string } }).config?.digest;
}

/** What the target names, else the first image of the catalog that no cache has to ask its upstream for. */
async function imageToPull(verification: Verification): Promise<Image | undefined> {
  const { existing, settings } = verification.target;
  if (existing) return existing;
  const caches = settings.registry.pullThrough.map(({ name }) => `${name}/`);
  for (const repository of (await verification.catalog()).slice(0, 20)) {
    if (caches.some((cache) => repository.startsWith(cache))) continue;
    const image = await verification.firstImage(repository);
    if (image) return image;
  }
  return undefined;
}

/** In an empty registry: an image that is not there is 404 to those who may pull, and 401 to all others. */
async function pullOfNothing(verification: Verification): Promise<Finding> {
  const { registry, target, authorizer } = verification;
  const names = target.settings.access.public.map((pattern) => `${sampleName(pattern)}/harden-zot-none`);
  const repository = names.find((name) => authorizer.readable({ kind: "anonymous" }, name)) ?? PROBE_REPOSITORY;
  const expected = authorizer.readable({ kind: "anonymous" }, repository) ? 404 : 401;
  const answer = await registry.ask("GET", `/v2/${repository}/manifests/none`);
  const seen = `nothing to pull; ${repository}: ${describeAnswer(answer)}`;
  return answer.status === expected ? ok(seen) : failed(seen, `${expected} was expected by the rules`, RULES);
}

async function closedToAnonymous({ registry, target, authorizer }: Verification): Promise<Finding> {
  const names = [PROBE_REPOSITORY, ...target.settings.access.private.map(sampleName)];
  const closed = names.filter((name) => !authorizer.readable({ kind: "anonymous" }, name));
  const answers = await Promise.all(
    closed.map(async (name) => [name, await registry.ask("GET", `/v2/${name}/tags/list`)] as const),
  );
  const open = answers.filter(([, { status }]) => status !== 401);
  if (open.length === 0) return ok(`401 for ${some(closed)}`);
  return failed(
    open.map(([name, answer]) => `${name}: ${describeAnswer(answer)}`).join(", "),
    "anonymous clients may read what the rules close",
    RULES,
  );
}

/** In the reserved repository for real, and elsewhere without writing. */
async function anonymousPush({ registry, target }: Verification): Promise<Finding> {
  const elsewhere = [...new Set(target.settings.ci.flatMap(({ repositories }) => repositories.map(sampleName)))];
  const answers = await Promise.all([
    registry.ask("POST", `/v2/${PROBE_REPOSITORY}/blobs/uploads/`),
    ...[PROBE_REPOSITORY, ...elsewhere].map((name) => dryPush(registry, name, "v0.0.0-0000000")),
  ]);
  const taken = answers.find(({ status }) => status !== 401);
  if (taken === undefined) return ok("401");
  return failed(describeAnswer(taken), "anyone who reaches the registry may push", RULES);
}

function some(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}
