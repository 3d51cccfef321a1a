import type { Dispatcher } from "undici";
import { type Authorizer, createAuthorizer } from "../zot/authorizer";
import { type Answer, Client, openConnections } from "./client";
import { Skip } from "./finding";
import { Probe } from "./probe";
import type { Image, KeyHolder, Target } from "./target";

/** One run: the target, and what several checks need and one request can tell. */
export class Verification {
  readonly registry: Client;
  readonly authorizer: Authorizer;
  #discovery: Promise<Answer> | undefined;
  #management: Promise<Answer> | undefined;
  #catalog: Promise<string[]> | undefined;
  #probe: Probe | undefined;

  readonly #connections: Dispatcher;

  constructor(readonly target: Target) {
    this.#connections = openConnections(target.ca);
    this.registry = new Client(target.registry, this.#connections);
    this.authorizer = createAuthorizer(target.config);
  }

  /** Ends the connections. */
  close(): Promise<void> {
    return this.#connections.destroy();
  }

  /** The issuer's discovery document, as it answered. */
  discovery(): Promise<Answer> {
    this.#discovery ??= new Client(this.target.issuer, this.#connections).ask(
      "GET",
      `${this.target.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`,
    );
    return this.#discovery;
  }

  /** What zot tells anyone about itself; 404 without the search extension. */
  management(): Promise<Answer> {
    this.#management ??= this.registry.ask("GET", "/v2/_zot/ext/mgmt");
    return this.#management;
  }

  /** Repositories that anonymous clients are shown. */
  catalog(): Promise<string[]> {
    this.#catalog ??= this.registry
      .ask("GET", "/v2/_catalog")
      .then(({ status, text }) => (status === 200 ? ((JSON.parse(text).repositories ?? []) as string[]) : []));
    return this.#catalog;
  }

  /** Some tag of a repository, as anonymous clients see it. */
  async firstImage(repository: string): Promise<Image | undefined> {
    const { status, text } = await this.registry.ask("GET", `/v2/${repository}/tags/list`);
    const [tag] = status === 200 ? ((JSON.parse(text) as { tags: string[] | null }).tags ?? []) : [];
    return tag === undefined ? undefined : { repository, tag };
  }

  /** @throws Skip when the stack has no key at all */
  keyHolders(): KeyHolder[] {
    const { identities } = this.target;
    const holders = identities.filter((identity): identity is KeyHolder => identity.apiKey !== undefined);
    if (holders.length > 0) return holders;
    throw new Skip(identities.length === 0 ? "no CI identity in the settings" : "no key: the stack hands out none");
  }

  /**
   * The reserved repository, as an identity that may push sees it.
   * @throws Skip when no such identity has a key
   */
  probe(): Probe {
    this.#probe ??= new Probe(this.registry, this.pusher(), this.target);
    return this.#probe;
  }

  private pusher(): KeyHolder {
    const byRole = (role: string) => this.keyHolders().find((holder) => holder.role === role);
    const pusher = byRole("publisher") ?? byRole("maintainer");
    if (pusher) return pusher;
    throw new Skip("no key of a publisher or maintainer");
  }
}
