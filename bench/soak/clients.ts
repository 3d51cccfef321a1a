import { setTimeout as sleep } from "node:timers/promises";
import { pushImage } from "../../sandbox/distribution";
import { basic, type Fetch } from "../../src/http/http";
import { digestOf, MANIFEST_TYPE } from "../../src/verify/image";
import type { Image } from "../../src/verify/target";
import { GUARDED, imageOf, SEEDS, type Seed } from "./images";
import type { Action } from "./judge";
import type { Recorder } from "./recorder";
import { SLOW_IMAGE, trickle } from "./slow";

/** Milliseconds from one round to the next, of one worker; a slow answer makes it fewer, never more at once. */
const PULL_PERIOD = 250;
const PUSH_PERIOD = 700;
const PULLERS = 2;
const JOB_RUNNERS = 2;
/** Versions that a job pushes with the key it began with. */
const PUSHES = 10;

/** What a CI job has to log in with. */
export interface Login {
  username: string;
  apiKey: string;
}

export interface Surroundings {
  registry: string;
  recorder: Recorder;
  /** Found in the pull-through cache. */
  cached: Image;
  /** Seconds that a slow layer takes. */
  slow: number;
  /** What the stack hands out now. */
  login: () => Promise<Login>;
}

/** One client's requests to the registry, each recorded under what it is meant to do. */
export class Client {
  constructor(
    private readonly around: Surroundings,
    private readonly login?: Login,
  ) {}

  private get headers(): Record<string, string> {
    return this.login ? { authorization: basic(this.login.username, this.login.apiKey) } : {};
  }

  /** Manifest by tag and by digest, and every blob; bytes that are not what their digest says are recorded. */
  async pull({ repository, tag, image }: Seed): Promise<void> {
    await this.get("pull a manifest by its tag", `${repository}/manifests/${tag}`, image.manifest.digest);
    const { digest } = image.manifest;
    await this.get("pull a manifest by its digest", `${repository}/manifests/${digest}`, digest);
    for (const { digest } of image.blobs) await this.get("pull a blob", `${repository}/blobs/${digest}`, digest);
  }

  /** @returns its status; undefined when no answer came */
  async get(action: Action, path: string, digest?: string, seconds?: number): Promise<number | undefined> {
    const { recorder, registry } = this.around;
    const headers = { ...this.headers, accept: MANIFEST_TYPE };
    const answer = await answered(recorder.fetchAs(action, seconds)(`${registry}/v2/${path}`, { headers }));
    if (answer?.status === 200 && digest !== undefined) {
      if (digestOf(Buffer.from(await answer.arrayBuffer())) !== digest) recorder.note(action, "wrong bytes");
    }
    return answer?.status;
  }

  /** A push of an image nobody has pushed before. @returns its status; undefined when no answer came */
  push(action: Action, repository: string, tag: string): Promise<number | undefined> {
    return this.pushBy(this.around.recorder.fetchAs(action), repository, tag);
  }

  /** The same, with a layer that takes its time. */
  pushSlowly(repository: string, tag: string): Promise<number | undefined> {
    const { recorder, slow } = this.around;
    const [, { digest }] = imageOf(`${repository}:${tag}`).blobs as [unknown, { digest: string }];
    const send = recorder.fetchAs("push a slow layer", slow);
    return this.pushBy(
      (url, init) =>
        url.includes(encodeURIComponent(digest)) && init?.body instanceof Uint8Array
          ? send(url, slowly(init, init.body, slow))
          : send(url, init),
      repository,
      tag,
    );
  }

  private async pushBy(send: Fetch, repository: string, tag: string): Promise<number | undefined> {
    const { recorder, registry } = this.around;
    const image = imageOf(`${repository}:${tag}`);
    let begun = false;
    const answer = await answered(
      pushImage(registry, repository, tag, image, this.headers, (url, init) => {
        begun ||= url.includes("/manifests/");
        return send(url, init);
      }),
    );
    if (answer?.status === 201 || (answer === undefined && begun)) {
      recorder.push({ repository, tag, image, answered: answer !== undefined });
    }
    return answer?.status;
  }

  /** A manifest of its own under a tag that is there, or may not be. */
  async putManifest(action: Action, repository: string, tag: string): Promise<void> {
    const { recorder, registry } = this.around;
    const { bytes } = imageOf(`${action}: ${repository}:${tag}`).manifest;
    const headers = { ...this.headers, "content-type": MANIFEST_TYPE };
    const url = `${registry}/v2/${repository}/manifests/${tag}`;
    await answered(recorder.fetchAs(action)(url, { method: "PUT", headers, body: new Uint8Array(bytes) }));
  }
}

/** zot reads the body of a PUT by its length alone. */
const slowly = (init: RequestInit, body: Uint8Array, seconds: number) =>
  ({
    ...init,
    headers: { ...(init.headers as object), "content-length": String(body.length) },
    body: trickle(body, seconds),
    duplex: "half",
  }) as RequestInit;

/** That none came is in the record already. */
const answered = (request: Promise<Response>): Promise<Response | undefined> => request.catch(() => undefined);

interface Job {
  apiKey: string;
  done: Promise<void>;
}

/** A fixed number of workers, each at a fixed rate, until they are stopped. */
export class Load {
  #stopping = false;
  readonly #workers: Promise<void>[] = [];
  readonly #jobs = new Map<number, Job>();

  constructor(private readonly around: Surroundings) {}

  start(): void {
    const anonymous = new Client(this.around);
    for (let worker = 0; worker < PULLERS; worker++) {
      this.work(PULL_PERIOD, (round) => anonymous.pull(this.pick(PULLERS * round + worker)));
    }
    this.work(PULL_PERIOD, () => anonymous.get("pull from guarded/", `${GUARDED.repository}/manifests/${GUARDED.tag}`));
    const { cached } = this.around;
    this.work(4 * PULL_PERIOD, async (round) => {
      await anonymous.get("pull through the cache", `${cached.repository}/manifests/${cached.tag}`);
      await anonymous.push("push", round % 2 === 0 ? "team/app" : "anyone/app", `v6.6.${round}-0000000`);
    });
    this.work(PULL_PERIOD, () => this.pullSlowly(anonymous));
    this.work(PUSH_PERIOD, (round) => this.pushSlowly(round));
    for (let runner = 0; runner < JOB_RUNNERS; runner++) this.work(PUSH_PERIOD, (round) => this.job(runner, round));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers);
  }

  /** Waits for jobs that began with another key than this. */
  async finished(apiKey: string): Promise<void> {
    await Promise.all([...this.#jobs.values()].map((job) => (job.apiKey === apiKey ? undefined : job.done)));
  }

  private work(period: number, round: (number: number) => Promise<unknown>): void {
    const run = async () => {
      for (let number = 0; !this.#stopping; number++) {
        const began = performance.now();
        await round(number);
        await sleep(Math.max(0, period - (performance.now() - began)));
      }
    };
    this.#workers.push(run());
  }

  /** In turn what was there from the beginning, and what CI pushed last. */
  private pick(round: number): Seed {
    const seed = SEEDS[round % SEEDS.length] as Seed;
    return (round % 2 === 0 ? undefined : this.around.recorder.recent(round)) ?? seed;
  }

  /** Slow until it came whole, which fills the cache. */
  private async pullSlowly(client: Client): Promise<void> {
    const path = `${SLOW_IMAGE.repository}/manifests/${SLOW_IMAGE.tag}`;
    await client.get("pull through a slow upstream", path, undefined, this.around.slow);
  }

  private async pushSlowly(round: number): Promise<void> {
    const login = await this.around.login().catch(() => undefined);
    if (login) await new Client(this.around, login).pushSlowly("team/slow", `v4.0.${round}-abcdef0`);
  }

  /** As CI works: one login at its start, and that to its end. */
  private async job(runner: number, round: number): Promise<void> {
    // Where that fails it is in the record.
    const login = await this.around.login().catch(() => undefined);
    if (!login) return;
    const done = this.steps(new Client(this.around, login), `team/app-${runner}`, `${runner}.${round}`);
    this.#jobs.set(runner, { apiKey: login.apiKey, done });
    await done;
  }

  private async steps(ci: Client, repository: string, version: string): Promise<void> {
    const tag = (step: number) => `v${version}.${step}-${step.toString(16).padStart(7, "0")}`;
    for (let step = 0; step < PUSHES; step++) {
      const began = performance.now();
      const status = await ci.push("push a new version", repository, tag(step));
      if (status === 201) await ci.putManifest("overwrite a version", repository, tag(step));
      await sleep(Math.max(0, PUSH_PERIOD - (performance.now() - began)));
    }
    await ci.putManifest("push a tag of another form", repository, "newest");
    await ci.push("push to another's path", "other/app", tag(0));
    await ci.push("push into the cache", this.around.cached.repository, tag(0));
    await ci.push("push to extra/", "extra/app", tag(0));
  }
}
