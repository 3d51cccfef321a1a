import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pushImage } from "../../sandbox/distribution";
import { type Registry, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import { type Run, Stack } from "../../sandbox/stack";
import { ApiKeys, withKey } from "../../src/credentials/api-keys";
import { basic, type Fetch } from "../../src/http/http";
import { tinyImage } from "../../src/verify/image";
import { Watch } from "./watch";

/** What the operator has written into the stack's settings. */
interface Wanted {
  /** What each host is called; the second may not be there. */
  hosts: { name: string; address: string }[];
  identities: string[];
  rotation: number;
  keepPrevious: boolean;
}

/** A registry or two, a stack, and what was promised about them. */
export class World {
  readonly wanted: Wanted;
  /** Whether the stack is up, and so the registries of its hosts are to be closed. */
  standing = true;
  /** Whether the host lost what the agent kept, with the configuration from before. */
  readonly lost = new Set<Registry>();
  readonly exports: { text: string; wanted: string }[] = [];
  readonly #leaked: [identity: string, key: string][] = [];
  readonly #open: string[];
  #stackName = "sandbox";
  #second: Stack | undefined;
  #stranger = "";

  private constructor(
    readonly sandbox: Sandbox,
    readonly watch: Watch,
  ) {
    const { address } = sandbox.host.ssh;
    this.wanted = {
      hosts: [{ name: "registry-host", address }],
      identities: [IDENTITIES[0]],
      rotation: 0,
      keepPrevious: true,
    };
    this.#open = sandbox.registries.map((registry) => readFileSync(configOf(registry), "utf8"));
  }

  /** Hardened, and attacked from then on. */
  static async create(): Promise<World> {
    const sandbox = await startSandbox(() => {}, 2);
    const world = new World(sandbox, new Watch(sandbox.registries.map(({ url }) => url)));
    try {
      await world.settle();
      const [identity, key] = (await world.keys())[0] as [string, string];
      const mine = new ApiKeys(sandbox.registryUrl, identity, withKey(fetch as Fetch, identity, key));
      world.#stranger = (await mine.mint("made by hand", new Date(Date.now() + 86_400_000))).apiKey;
      return world;
    } catch (error) {
      await world.end();
      throw error;
    }
  }

  async end(): Promise<void> {
    await this.watch.end();
    await this.sandbox.stop();
  }

  get stack(): Stack {
    return this.sandbox.stack;
  }

  get firstHost(): Wanted["hosts"][0] {
    return this.wanted.hosts[0] as Wanted["hosts"][0];
  }

  /** Registries that the stack delivers to by its settings. */
  get delivered(): Registry[] {
    return this.sandbox.registries.slice(0, this.wanted.hosts.length);
  }

  file(registry: Registry, name: string): string {
    return join(registry.host.configDirectory, name);
  }

  /** Writes what is wanted into the stack's settings. */
  configure(): void {
    const settings = this.sandbox.settings();
    const { hosts, identities, keepPrevious, rotation } = this.wanted;
    const entries = settings["harden-zot:hosts"] as object[];
    settings["harden-zot:hosts"] = hosts.map((host, index) => ({ ...entries[index], ...host }));
    settings["harden-zot:ci"] = identities.map((name) => ({
      ...{ name, group: `${name}s`, repositories: [`${name}/**`] },
      ...(rotation > 0 ? { key: { rotate: `number ${rotation}`, keepPrevious } } : {}),
    }));
    this.stack.configure(settings);
  }

  /** As an operator goes on after anything: `up`, until nothing is left to do. @throws when it does not come to that */
  async settle(): Promise<void> {
    this.configure();
    for (const registry of this.sandbox.registries.slice(this.wanted.hosts.length)) this.watch.farewell(registry.url);
    await this.expect(await this.up());
    for (const { url } of this.delivered) this.watch.guard(url);
    this.standing = true;
    const { code, output } = await this.stack.preview("--expect-no-changes");
    if (code !== 0) throw new Error(`it is not settled after an up:\n${output}`);
  }

  /** An engine that was killed leaves its lock, which the operator takes away. */
  async up(): Promise<Run> {
    const run = await this.stack.up();
    if (!/currently locked/.test(run.output)) return run;
    await this.expect(await this.stack.pulumi(["cancel", "--yes"]));
    return this.stack.up();
  }

  expect({ code, output }: Run): void {
    if (code !== 0) throw new Error(`pulumi ended with ${code}:\n${output}`);
  }

  /** What the outputs hand out. */
  async keys(): Promise<[identity: string, key: string][]> {
    const { ciSecrets = {} } = await this.stack.outputs("--show-secrets");
    return Object.entries(ciSecrets as Record<string, { apiKey: string }>).map(([name, { apiKey }]) => [name, apiKey]);
  }

  /** As docs/rotation.md says. */
  async declareLeaked(): Promise<void> {
    const leaked = await this.keys();
    this.wanted.rotation++;
    this.wanted.keepPrevious = false;
    await this.settle();
    this.#leaked.push(...leaked);
    this.wanted.keepPrevious = true;
  }

  async rename(): Promise<void> {
    this.#stackName = this.#stackName === "sandbox" ? "renamed" : "sandbox";
    await this.stack.rename(this.#stackName);
  }

  /** A stack of somebody else, with the same host in its settings. */
  async secondStack(): Promise<Stack> {
    if (!this.#second) {
      const directory = join(this.sandbox.directory, "second");
      mkdirSync(directory);
      this.#second = new Stack({ ...this.sandbox.stackOptions, directory });
      await this.#second.create(this.sandbox.settings());
    }
    return this.#second;
  }

  /** Says farewell to all, and sees that they are as they were before. */
  async destroy(): Promise<void> {
    for (const { url } of this.delivered) this.watch.farewell(url);
    for (const registry of this.lost) {
      writeFileSync(this.file(registry, "harden-zot/original.json"), this.#openOf(registry));
    }
    this.lost.clear();
    this.standing = false;
    this.exports.splice(0);
    this.expect(await this.stack.destroy());
    for (const registry of this.delivered) {
      if (readFileSync(configOf(registry), "utf8") !== this.#openOf(registry))
        throw new Error(`${registry.name} did not get back the configuration from before`);
      await pushImage(registry.url, "team/app", "v1.0.0-abcdef0", tinyImage("existing"));
    }
  }

  lose(registry: Registry): void {
    rmSync(this.file(registry, "harden-zot"), { recursive: true });
    this.lost.add(registry);
  }

  /** Said by the settings of today, of a state from before: whether it can be gone back to. */
  snapshotOfWanted(): string {
    const { hosts, identities } = this.wanted;
    return JSON.stringify({ hosts: hosts.length, identities });
  }

  /** Seen from outside, in words. */
  async brokenPromises(): Promise<string[]> {
    const broken = this.watch.breaches.splice(0);
    if (!this.standing) return broken;
    for (const [name, key] of await this.keys()) {
      const status = await this.#login(name, key);
      if (status !== 200) broken.push(`the key of ${name} in the outputs is answered ${status}`);
    }
    for (const [name, key] of this.#leaked) {
      if ((await this.#login(name, key)) === 200) broken.push(`a leaked key of ${name} still works`);
    }
    const stranger = this.#stranger ? await this.#login(IDENTITIES[0], this.#stranger) : 200;
    if (this.wanted.identities.includes(IDENTITIES[0]) && stranger !== 200)
      broken.push(`a key that a person made is answered ${stranger}`);
    return broken;
  }

  #openOf(registry: Registry): string {
    return this.#open[this.sandbox.registries.indexOf(registry)] as string;
  }

  async #login(name: string, key: string): Promise<number> {
    const { status } = await fetch(`${this.sandbox.registryUrl}/v2/`, { headers: { authorization: basic(name, key) } });
    return status;
  }
}

/** The first is always there. */
export const IDENTITIES = ["zot-sandbox-ci", "zot-sandbox-app"] as const;

const configOf = ({ host }: Registry) => join(host.configDirectory, "config.json");
