import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { adminChecks } from "../../sandbox/checks";
import { pullManifest } from "../../sandbox/distribution";
import type { Sandbox } from "../../sandbox/sandbox";
import { ApiKeys, withKey } from "../../src/credentials/api-keys";
import { basic, createFetch, type Fetch } from "../../src/http/http";
import { RESERVED_NAMESPACE } from "../../src/settings/vocabulary";
import { VERIFICATION } from "../../src/verify/checks";
import { digestOf } from "../../src/verify/image";
import { runChecks } from "../../src/verify/run";
import type { Login } from "./clients";
import { GUARDED, SEEDS } from "./images";
import { differences, type Found, type Known } from "./judge";
import type { Operator } from "./operator";
import type { Recorder } from "./recorder";
import { SLOW_IMAGE } from "./slow";

/** How many tags are read at the same time. */
const READERS = 4;

export interface EndCheck {
  title: string;
  seen: string;
  /** What is not as it should be. */
  wrong: string[];
}

/**
 * The end of a run, with every client gone: what must still be so.
 * @param login of the key that the stack hands out
 * @param slow seconds that a slow layer takes
 */
export async function endChecks(
  sandbox: Sandbox,
  operator: Operator,
  recorder: Recorder,
  login: Login,
  slow: number,
): Promise<EndCheck[]> {
  return [
    slowLayers(recorder, slow),
    await nothingLost(sandbox, recorder),
    await onlyNamedKeys(sandbox, operator.keys, login),
    await nothingToChange(sandbox),
    await verified(sandbox, operator),
    nothingLeftOver(sandbox),
  ];
}

/** At least one each way came through whole, which took as long as it was meant to. */
function slowLayers({ exchanges }: Recorder, slow: number): EndCheck {
  const actions = ["push a slow layer", "pull through a slow upstream"] as const;
  const whole = actions.map((wanted) =>
    exchanges.filter(
      ({ action, from, status, to }) =>
        action === wanted && (status === 200 || status === 201) && to - from >= 900 * slow,
    ),
  );
  return {
    title: `layers that take ${slow} s come through`,
    seen: actions.map((action, index) => `${action}: ${whole[index]?.length}`).join(", "),
    wrong: actions.filter((_, index) => whole[index]?.length === 0).map((action) => `${action}: none came through`),
  };
}

async function nothingLost(sandbox: Sandbox, recorder: Recorder): Promise<EndCheck> {
  const admin = await sandbox.adminSession();
  const asAdmin: Fetch = (url, init) =>
    admin.fetch(url, { ...init, headers: { ...(init?.headers as object), "x-zot-api-client": "zot-ui" } });
  const known = new Map<string, Known>();
  for (const { repository, tag, image } of [...SEEDS, GUARDED]) {
    known.set(`${repository}:${tag}`, { digest: image.manifest.digest, answered: true });
  }
  for (const [name, { answered, image }] of recorder.pushed) {
    known.set(name, { digest: image.manifest.digest, answered });
  }
  const found = await everyTag(sandbox.registryUrl, asAdmin);
  // The one that was there before, and what the caches bring along.
  const others = [sandbox.existing, sandbox.cached, SLOW_IMAGE].map(({ repository, tag }) => `${repository}:${tag}`);
  for (const name of others) found.delete(name);
  const doubtful = [...recorder.pushed.values()].filter(({ answered }) => !answered).length;
  return {
    title: "every tag answered 201 is there with its digest and its bytes, and no other",
    seen: `${found.size} tags; ${doubtful} pushes had been cut`,
    wrong: differences(known, found),
  };
}

/** All tags of all repositories, read to their last blob. */
async function everyTag(registry: string, asAdmin: Fetch): Promise<Map<string, Found>> {
  const ask = async (path: string) => (await asAdmin(`${registry}/v2/${path}`)).json();
  const { repositories } = (await ask("_catalog")) as { repositories: string[] };
  const names: [string, string][] = [];
  for (const repository of repositories.filter((name) => !name.startsWith(`${RESERVED_NAMESPACE}/`))) {
    const { tags } = (await ask(`${repository}/tags/list`)) as { tags: string[] | null };
    for (const tag of tags ?? []) names.push([repository, tag]);
  }
  const found = new Map<string, Found>();
  const read = async () => {
    for (let next = names.pop(); next; next = names.pop()) {
      found.set(next.join(":"), await readTag(registry, asAdmin, ...next));
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  return found;
}

interface Manifest {
  config: { digest: string };
  layers: { digest: string }[];
}

async function readTag(registry: string, asAdmin: Fetch, repository: string, tag: string): Promise<Found> {
  const answer = await pullManifest(registry, repository, tag, {}, asAdmin);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) return { digest: "unknown", broken: `its manifest is answered ${answer.status}` };
  const digest = digestOf(bytes);
  const { config, layers } = JSON.parse(String(bytes)) as Manifest;
  for (const blob of [config, ...layers]) {
    const read = await asAdmin(`${registry}/v2/${repository}/blobs/${blob.digest}`);
    const is = digestOf(Buffer.from(await read.arrayBuffer()));
    if (is !== blob.digest) return { digest, broken: `blob ${blob.digest} is answered ${read.status} with ${is}` };
  }
  return { digest };
}

interface Exported {
  deployment: { resources: { urn: string; outputs?: { stdout?: string } }[] };
}

/** What the account has is the key that the stack hands out and the one before. @param handedOut all keys there ever were */
async function onlyNamedKeys(sandbox: Sandbox, handedOut: string[], { apiKey, username }: Login): Promise<EndCheck> {
  const fetchOne = await createFetch();
  const listed = await new ApiKeys(sandbox.registryUrl, username, withKey(fetchOne, username, apiKey)).list();
  const { output } = await sandbox.stack.pulumi(["stack", "export", "--show-secrets"]);
  const { resources } = (JSON.parse(output) as Exported).deployment;
  const retired = resources.find(({ urn }) => urn.endsWith(`::${username}-retired-keys`));
  // Beside the keys it says whose they are.
  const named = Object.values(JSON.parse(String(retired?.outputs?.stdout)) as Record<string, string>).filter((value) =>
    /^[0-9a-f]{8}-/.test(value),
  );
  const alive: string[] = [];
  for (const key of handedOut) {
    const answer = await fetchOne(`${sandbox.registryUrl}/v2/`, { headers: { authorization: basic(username, key) } });
    if (answer.status === 200) alive.push(key);
  }
  const uuids = listed.map(({ uuid }) => uuid);
  return {
    title: "the keys alive are the one handed out and the one before it, and no other is on the account",
    seen: `${handedOut.length} keys made, ${alive.length} alive, ${listed.length} on the account`,
    wrong: [
      ...(uuids.toSorted().join() === named.toSorted().join()
        ? []
        : [`the stack names ${named}, the account has ${uuids}`]),
      ...(alive.join() === handedOut.slice(-2).join() ? [] : [`${alive.length} keys alive, not the last two`]),
      ...(handedOut.at(-1) === apiKey ? [] : ["the stack hands out a key that no rotation made"]),
    ],
  };
}

async function nothingToChange({ stack }: Sandbox): Promise<EndCheck> {
  const { code, output } = await stack.preview("--expect-no-changes");
  const steps = output.split("\n").filter((line) => /^ [~+-]/.test(line));
  return {
    title: "`pulumi preview` shows no change",
    seen: code === 0 ? "none" : `${steps.length} changes`,
    wrong: code === 0 ? [] : [`preview ended with exit code ${code}:\n${steps.join("\n")}`],
  };
}

async function verified(sandbox: Sandbox, operator: Operator): Promise<EndCheck> {
  const checks = [...VERIFICATION, ...adminChecks(sandbox.adminSession)];
  const results = await runChecks(checks, await sandbox.target(operator.settings()));
  const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
  return {
    title: "what `make verify` tries, and the login of an admin",
    seen: `${count("ok")} ok, ${count("warning")} warnings, ${count("skipped")} skipped, ${count("failed")} failed`,
    wrong: results.filter(({ outcome }) => outcome === "failed").map(({ id, seen }) => `${id}: ${seen}`),
  };
}

/** What docs/agent.md says the agent keeps, and nothing of a transaction. */
const AGENT_FILES = [
  "agent.sh",
  "original.json",
  "previous.json",
  "previous.record",
  "record",
  "secrets",
  "tenure",
  "version",
];

/** Where the configuration lies on a file system of its own. */
const LOST_AND_FOUND = "lost+found";

function nothingLeftOver({ host }: Sandbox): EndCheck {
  const below = (directory: string) => readdirSync(join(host.configDirectory, directory));
  const strange = [
    ...below(".").filter((name) => !["config.json", "harden-zot", LOST_AND_FOUND].includes(name)),
    ...below("harden-zot").filter((name) => !AGENT_FILES.includes(name)),
  ];
  const secrets = below("harden-zot/secrets");
  const files = ["config.json", "harden-zot/previous.json"].map((name) => join(host.configDirectory, name));
  const named = files.filter(existsSync).map((file) => readFileSync(file, "utf8"));
  const unnamed = secrets.filter((secret) => !named.some((config) => config.includes(secret)));
  return {
    title: "the agent left no temporary file on the host, and no secret that no configuration names",
    seen: `${below("harden-zot").length} names, ${secrets.length} secrets`,
    wrong: [...strange, ...unnamed].map((name) => `${name} was left`),
  };
}

/** Resident memory of the registry, in MB. */
export function memoryOf({ host }: Sandbox): number {
  const pid = readFileSync(join(host.configDirectory, "../zot.pid"), "utf8").trim();
  return Number(execFileSync("ps", ["-o", "rss=", "-p", pid], { encoding: "utf8" })) / 1024;
}
