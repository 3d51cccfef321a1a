import { setTimeout as sleep } from "node:timers/promises";
import type { Client as SshClient } from "ssh2";
import { OperatorError } from "../operator/error";
import type { Tenure } from "../tenure";
import { Client, describeAnswer, openConnections } from "../verify/client";
import { ANY_MANIFEST } from "../verify/image";
import type { ZotConfig } from "../zot/types";
import { connected, MIDWAY, nameOf, run } from "./ssh";
import { call, type HostRequest, heard } from "./tenure";

/** What the check of a host's catalog is told, as a secret. */
export interface CatalogRequest extends HostRequest, Tenure {
  /** The URL that users know. */
  registry: string;
  /** PEM of certificate authorities to trust beside the usual ones. */
  ca?: string | undefined;
  /** Another number has it looked for once more. */
  heal: number;
}

/** How long a proxy may take to notice that zot is back, in ms. */
const PATIENCE = 30_000;

/** How many names a sentence holds; of the rest it says how many. */
const NAMED = 20;

/**
 * Right after a first hardening: whether every tag that the registry showed to anyone before is there, asked from outside and
 * without a login. Where one is gone, the host gets its configuration from before back. A host whose catalog was looked at
 * already has none noted down, and is left alone. What an earlier run noted down, which was cut off before it came to this, is told
 * and opens nothing: somebody may have deleted an image since.
 * @param running how long this run has been going on, in seconds; undefined where that is not known
 * @returns what was seen, in words
 * @throws OperatorError that names what is gone
 */
export async function keepCatalog(request: CatalogRequest, running?: number): Promise<{ catalog: string }> {
  return connected(
    request,
    async (client) => {
      const directory = `${request.configDirectory}/harden-zot`;
      const names = (await heard(client, request, `ls ${directory}`)).split("\n");
      if (!names.includes("catalog")) return { catalog: "nothing was noted down to look for" };
      const noted = parseCatalog(await heard(client, request, `cat ${directory}/catalog && date +%s`));
      const seen = await onDisk(client, request, await lookFor(noted, request));
      const ours = running !== undefined && noted.age <= running;
      if (seen.gone.length > 0 && ours) throw await putBack(client, request, seen.gone);
      await heard(client, request, `rm -f ${directory}/catalog`);
      if (seen.gone.length > 0) throw goneSince(request, seen.gone);
      return { catalog: describe(noted, seen, request.registry) };
    },
    MIDWAY,
  );
}

/** What the agent noted down (note_catalog). */
interface Noted {
  /** How long ago, in seconds. */
  age: number;
  /** Tags by repository. */
  tags: Map<string, string[]>;
  /** There was more than it notes down. */
  more: boolean;
}

/** @param text what was noted down, and a line with the host's time */
function parseCatalog(text: string): Noted {
  const lines = text.split("\n");
  const tags = new Map<string, string[]>();
  for (const [repository, tag] of lines.map((line) => line.split("\t") as [string, string?])) {
    if (tag !== undefined) tags.set(repository, [...(tags.get(repository) ?? []), tag]);
  }
  const [, at] = /^noted (\d+)$/.exec(lines[0] ?? "") ?? [];
  return { age: Number(lines.at(-2)) - Number(at), tags, more: lines.includes("more") };
}

interface Seen {
  /** What is gone, and how it was answered. */
  gone: string[];
  /** Repositories that anonymous clients may not read any more: nothing is known of them from outside. */
  untold: string[];
  /** Where on the host their files are; left out where nobody looked. */
  disk?: string;
}

const PLAIN = /^[A-Za-z0-9._/-]+$/;

/** Whether the files of what is not told from outside lie where zot has them by its configuration, on a disk of the host. */
async function onDisk(client: SshClient, request: CatalogRequest, seen: Seen): Promise<Seen> {
  const { configDirectory, service } = request;
  if (seen.untold.length === 0 || service.manager === "docker" || service.manager === "podman") return seen;
  const { storage } = JSON.parse(await heard(client, request, `cat ${configDirectory}/config.json`)) as ZotConfig;
  const files = seen.untold.map((name) => `${storage.rootDirectory}/${name}/index.json`);
  if (storage.storageDriver || storage.subPaths || !files.every((file) => PLAIN.test(file))) return seen;
  const there = (await run(client, `ls ${files.join(" ")}`)).stdout.split("\n");
  const gone = seen.untold.filter((_, index) => !there.includes(files[index] as string));
  return {
    gone: [...seen.gone, ...gone.map((name) => `${name} (not under ${storage.rootDirectory})`)],
    untold: seen.untold,
    disk: storage.rootDirectory,
  };
}

async function lookFor({ tags }: Noted, { registry, ca }: CatalogRequest): Promise<Seen> {
  const connections = openConnections(ca);
  const client = new Client(registry, connections);
  try {
    await answered(client, Date.now() + PATIENCE);
    const all = await Promise.all([...tags].map(([repository, tags]) => lookForOne(client, repository, tags)));
    return { gone: all.flatMap(({ gone }) => gone), untold: all.flatMap(({ untold }) => untold) };
  } finally {
    await connections.destroy();
  }
}

/** Waits for a proxy that saw zot go. Whatever it says in the end is what the repositories are answered too. */
async function answered(client: Client, deadline: number): Promise<void> {
  const status = await client.ask("GET", "/v2/").then(
    (answer) => answer.status,
    () => 503,
  );
  if (status < 500 || Date.now() > deadline) return;
  await sleep(250);
  await answered(client, deadline);
}

/** All its tags by their list, and the first image itself: one more request for each tag would reach a cache's upstream. */
async function lookForOne(client: Client, repository: string, tags: string[]): Promise<Seen> {
  const list = await ask(client, `${repository}/tags/list`, ({ name }) => name === repository);
  if (list.kind === "closed") return { gone: [], untold: [repository] };
  if (list.kind === "gone") return { gone: [`${repository} (${list.seen})`], untold: [] };
  const there = list.body.tags as string[] | null | undefined;
  const gone = tags
    .filter((tag) => !there?.includes(tag))
    .map((tag) => `${repository}:${tag} (not in its list of tags)`);
  if (gone.length > 0) return { gone, untold: [] };
  const image = await ask(client, `${repository}/manifests/${tags[0]}`, (body) => "schemaVersion" in body);
  if (image.kind === "closed") return { gone: [], untold: [repository] };
  return { gone: image.kind === "gone" ? [`${repository}:${tags[0]} (${image.seen})`] : [], untold: [] };
}

type Body = Record<string, unknown>;
type Told = { kind: "there"; body: Body } | { kind: "closed" } | { kind: "gone"; seen: string };

/**
 * A registry alone can say that something is gone, by an error code of the OCI distribution spec.
 * @param isIt whether that is what was asked for
 * @throws OperatorError for every other answer, as of a proxy, and for none: that is no loss, and opens nothing
 */
async function ask(client: Client, path: string, isIt: (body: Body) => boolean): Promise<Told> {
  const answer = await client.ask("GET", `/v2/${path}`, { headers: ANY_MANIFEST }).catch((error: Error) => error);
  const seen = answer instanceof Error ? answer.message : describeAnswer(answer);
  if (!(answer instanceof Error)) {
    const body = answer.status === 200 ? parsed(answer.text) : undefined;
    if (body && isIt(body)) return { kind: "there", body };
    if ([401, 403].includes(answer.status)) return { kind: "closed" };
    if (/^404 (NAME|MANIFEST)_UNKNOWN/.test(seen)) return { kind: "gone", seen };
  }
  throw new OperatorError(
    `hardened, and what the registry showed to anyone before cannot be asked for at ${client.base}/v2/${path} (${seen}): the host stays hardened. See that externalUrl leads to it, and run up again.`,
  );
}

function parsed(text: string): Body | undefined {
  try {
    return Object(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function putBack(client: SshClient, request: CatalogRequest, gone: string[]): Promise<OperatorError> {
  const { owner, life, registry } = request;
  const back = await call(client, request, "restore", { owner, life }).then(
    () => "The configuration from before is back and serving",
    (error: Error) =>
      `The configuration from before could not be put back (${error.message}), and the host stays hardened`,
  );
  return new OperatorError(
    `${nameOf(request)}: hardened, the registry at ${registry} does not have what it showed to anyone before: ${some(gone)}. ${back}. Compare storage.rootDirectory and storage.subPaths of the settings with that configuration, and see that ${registry} (externalUrl) leads to this host; then run up again.`,
  );
}

function goneSince(request: CatalogRequest, gone: string[]): OperatorError {
  return new OperatorError(
    `${nameOf(request)}: an earlier run hardened it and was cut off; the registry at ${request.registry} does not have what it showed to anyone before that run: ${some(gone)}. The host stays hardened. If nobody deleted it since, compare storage.rootDirectory and storage.subPaths of the settings with ${request.configDirectory}/harden-zot/original.json. The next up does not ask again.`,
  );
}

function describe({ tags, more }: Noted, { untold, disk }: Seen, registry: string): string {
  if (tags.size === 0) return "not told: the registry showed no image to anyone before";
  const asked = [...tags].filter(([repository]) => !untold.includes(repository));
  const count = asked.reduce((sum, [, tags]) => sum + tags.length, 0);
  return [
    `${count} tags of ${asked.length} repositories that anyone could see before are there, asked for at ${registry} without a login`,
    ...(untold.length > 0
      ? [
          `not told, since anonymous clients may not read them now${disk ? ` (their files are under ${disk})` : ""}: ${some(untold)}`,
        ]
      : []),
    ...(more ? ["there are more than are asked for (500 repositories, 2000 tags), and nothing is known of those"] : []),
  ].join("; ");
}

function some(names: string[]): string {
  const rest = names.length - NAMED;
  return names.slice(0, NAMED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
