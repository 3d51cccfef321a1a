import { type TagRules, tagRulesAt } from "../config/compile";
import { PROBE_REPOSITORY } from "../config/testbed";
import { type Answer, type Client, type Credentials, describeAnswer } from "./client";
import { Skip } from "./finding";
import { type Blob, blob, digestOf, MANIFEST_TYPE, tinyImage } from "./image";
import { fixedTags } from "./tags";
import type { KeyHolder, Target } from "./target";

/** What is attacked, each with a tag and an image of its own, so that one broken rule spoils one check. */
const VICTIMS = ["overwrite", "by-digest", "delete", "replace"] as const;
export type Victim = (typeof VICTIMS)[number] | "mutable";

const CONTENT = "harden-zot: written by the verification of this registry";
const PROBE_BLOBS = tinyImage(CONTENT).blobs;
const manifestOf = (name: string) => tinyImage(CONTENT, name).manifest;

/** A blob that the reserved repository holds. */
export const SOME_BLOB = PROBE_BLOBS[0] as Blob;

/** How many contents are tried where earlier runs have left theirs. */
const CONTENTS = 16;

/** A tag of the reserved repository, with its manifest as it was found, to be put back if an attack succeeds. */
export interface Tagged {
  tag: string;
  manifest: Blob;
  /** Another image, to attack with. */
  other: Blob;
}

/**
 * The reserved repository and what is in it: one tiny image for every tag that is attacked, pushed once and found there
 * by every later run. So nothing accumulates, although nobody in CI may delete.
 */
export class Probe {
  readonly rules: TagRules;
  #victims: Promise<Map<Victim, Tagged>> | undefined;

  constructor(
    private readonly registry: Client,
    /** In whose name everything is tried. */
    readonly pusher: KeyHolder,
    { settings }: Target,
  ) {
    this.rules = tagRulesAt(PROBE_REPOSITORY, settings.access);
  }

  /** @param path under /v2/ */
  ask(method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.registry.ask(method, `/v2/${path}`, { as: this.pusher, headers });
  }

  /** @param reference tag, or digest with `?tag=NAME` */
  push(reference: string, { bytes }: Blob): Promise<Answer> {
    return this.registry.ask("PUT", `/v2/${PROBE_REPOSITORY}/manifests/${reference}`, {
      as: this.pusher,
      headers: { "content-type": MANIFEST_TYPE },
      body: new Uint8Array(bytes),
    });
  }

  delete(reference: string): Promise<Answer> {
    return this.ask("DELETE", `${PROBE_REPOSITORY}/manifests/${reference}`);
  }

  /** Uploads a blob in two steps, as clients do. @returns the last answer, 201 when it is in */
  async upload(repository: string, content: Blob): Promise<Answer> {
    const opened = await this.ask("POST", `${repository}/blobs/uploads/`);
    return opened.status === 202 ? this.finishUpload(opened, content) : opened;
  }

  /**
   * A blob that a repository does not hold: what was left there, by a run on a registry that was open or that links blobs, must
   * not answer for this one. The same content every time where nothing was left.
   * @throws Skip when all of them are there
   */
  async unseen(repository: string, content: string): Promise<Blob> {
    for (let number = 1; number <= CONTENTS; number++) {
      const one = blob(number === 1 ? content : `${content}, ${number}`);
      if ((await this.ask("GET", `${repository}/blobs/${one.digest}`)).status !== 200) return one;
    }
    throw new Skip(
      `${repository} holds what ${CONTENTS} earlier runs left there, until zot's garbage collection takes it away (harden-zot:registry.storage.gc)`,
    );
  }

  /** Takes a blob out again where that is allowed: on a registry that is open it would stay for the next run to find. */
  async takeOut(repository: string, { digest }: Blob): Promise<void> {
    await this.ask("DELETE", `${repository}/blobs/${digest}`);
  }

  finishUpload(opened: Answer, { digest, bytes }: Blob): Promise<Answer> {
    const location = new URL(opened.headers.get("location") ?? "", `${this.registry.base}/`);
    location.searchParams.set("digest", digest);
    return this.registry.ask("PUT", location.href, {
      as: this.pusher,
      headers: { "content-type": "application/octet-stream" },
      body: new Uint8Array(bytes),
    });
  }

  /**
   * What to attack, the repository filled first where it is not.
   * @throws Skip when the rules leave no tag for it; Error with the answer when it cannot be pushed
   */
  async victim(name: Victim): Promise<Tagged> {
    const found = (await this.fill()).get(name);
    if (found) return found;
    throw new Skip(
      name === "mutable"
        ? "no tag may move: harden-zot:access.tags.mutable is empty"
        : "harden-zot:access.tags.format allows too few tags to try this with",
    );
  }

  /** Sees to it that everything that is attacked is there. @throws Error with the answer when it cannot be pushed */
  fill(): Promise<Map<Victim, Tagged>> {
    this.#victims ??= this.pushMissing();
    return this.#victims;
  }

  private async pushMissing(): Promise<Map<Victim, Tagged>> {
    const tags = await fixedTags(this.rules);
    const named = [...VICTIMS.entries()].map(([index, name]): [Victim, string | undefined] => [name, tags[index]]);
    const wanted = [...named, ["mutable", this.rules.mutable[0]] as [Victim, string | undefined]];
    for (const content of PROBE_BLOBS) must(201, await this.upload(PROBE_REPOSITORY, content), "an upload");
    const there = await Promise.all(
      wanted.flatMap(([name, tag]) =>
        tag === undefined ? [] : [this.ensure(name, tag).then((tagged) => [name, tagged] as const)],
      ),
    );
    return new Map(there);
  }

  private async ensure(name: string, tag: string): Promise<Tagged> {
    const other = manifestOf(`not ${name}`);
    const found = await this.ask("GET", `${PROBE_REPOSITORY}/manifests/${tag}`, { accept: MANIFEST_TYPE });
    if (found.status === 200) {
      const bytes = Buffer.from(found.text);
      const manifest = { bytes, digest: digestOf(bytes) };
      return { tag, manifest, other: manifest.digest === other.digest ? manifestOf(name) : other };
    }
    must(404, found, `a pull of ${tag}`);
    const manifest = manifestOf(name);
    must(201, await this.push(tag, manifest), `a push of the new tag ${tag}`);
    return { tag, manifest, other };
  }
}

function must(expected: number, answer: Answer, what: string): void {
  if (answer.status !== expected) throw new Error(`${what} in ${PROBE_REPOSITORY}: ${describeAnswer(answer)}`);
}

/**
 * A content type that zot takes for no manifest. Whether the client may push is decided first; if so the answer is 415,
 * and either way nothing is written, not even the repository (zot 2.1.20).
 */
const NO_MANIFEST = "application/vnd.harden-zot.probe";

/** Asks whether a tag may be pushed, without pushing. 415: it may. */
export function dryPush(registry: Client, repository: string, tag: string, as?: Credentials): Promise<Answer> {
  return registry.ask("PUT", `/v2/${repository}/manifests/${tag}`, {
    ...(as ? { as } : {}),
    headers: { "content-type": NO_MANIFEST },
    body: "{}",
  });
}

export const MAY_PUSH = 415;
