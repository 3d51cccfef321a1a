import { randomBytes } from "node:crypto";
import type { Log } from "../log";
import type { DeleteRequest, DiffRequest, Provider, ReadRequest, UpdateRequest } from "../provider";
import { serve } from "../server";
import { type Properties, revealAll, UNKNOWN } from "../wire";
import { Api, NotFound } from "./api";
import { LOOKUPS } from "./data-sources";
import { ignoring } from "./ignore";
import { changed, createObject, deleteObject, kindOf, plan, readObject, updateObject } from "./resource";

/** What a pulumi plugin `terraform-provider` 1.2.0, given Authentik's provider 2026.5.0, does with sdks/authentik. */
class AuthentikProvider implements Provider {
  readonly version = "1.2.0";
  private client: Api | undefined;

  parameterize(value: Buffer) {
    const { remote } = JSON.parse(value.toString()) as { remote?: { url: string; version: string } };
    if (remote?.url !== "registry.opentofu.org/goauthentik/authentik")
      throw new Error(
        `the stand-in of terraform-provider serves Authentik alone, not ${remote?.url ?? "a local provider"}`,
      );
    return { name: "authentik", version: remote.version };
  }

  checkConfig(config: Properties) {
    const missing = (["token", "url"] as const).filter((name) => !setting(config, name));
    const failures = missing.map((property) => ({
      property,
      reason: `could not validate provider configuration: Missing required argument. The argument "${property}" is required, but no definition was found.. Check \`pulumi config get authentik:${property}\`.`,
    }));
    return { inputs: config, failures };
  }

  async configure(config: Properties) {
    if (config.url === UNKNOWN || config.token === UNKNOWN) return; // nothing can be asked in this preview
    this.client = new Api({
      url: setting(config, "url") ?? "",
      token: setting(config, "token") ?? "",
      headers: typeof config.headers === "string" ? JSON.parse(config.headers) : {},
      insecure: String(config.insecure ?? process.env.AUTHENTIK_INSECURE) === "true",
    });
    await this.client.get("/root/config/").catch(() => {}); // the provider asks and does not mind
  }

  async invoke(token: string, args: Properties, log: Log) {
    const lookup = LOOKUPS[token.split(":")[2] ?? ""];
    if (!lookup) throw new Error(`the stand-in of Authentik's provider knows no ${token}`);
    return this.explained(log, () => lookup(this.api, revealAll(args)));
  }

  check({ type, name }: { type: string; name: string }, inputs: Properties, oldInputs: Properties) {
    const { kind } = kindOf(type);
    if (!("name" in kind.attributes) || inputs.name !== undefined) return { inputs, failures: [] };
    return {
      inputs: { ...inputs, name: oldInputs.name ?? `${name}-${randomBytes(4).toString("hex").slice(1)}` },
      failures: [],
    };
  }

  /** Nothing here is ever replaced: keys, slugs and names change in place. */
  diff({ type, inputs, oldOutputs, ignoreChanges }: DiffRequest) {
    const wanted = ignoring(ignoreChanges, inputs, oldOutputs);
    return changed(kindOf(type).kind, wanted, oldOutputs).map((path) => ({ path, kind: "update" as const }));
  }

  async create({ type, inputs, preview }: { type: string; inputs: Properties; preview: boolean }, log: Log) {
    const { kind, idProperty } = kindOf(type);
    if (preview) return { id: "", outputs: { ...plan(kind, inputs, undefined), [idProperty]: UNKNOWN } };
    return this.explained(log, () => createObject(this.api, type, inputs));
  }

  async read({ type, id, inputs, outputs }: ReadRequest, log: Log) {
    const { kind, idProperty } = kindOf(type);
    try {
      const known = idIn(type, outputs) ?? id;
      const found = await this.explained(log, () => readObject(this.api, type, known, outputs));
      const given = Object.keys(inputs).length > 0;
      const names = given
        ? Object.keys(inputs)
        : Object.keys(kind.attributes).filter((name) => !kind.attributes[name]?.output);
      const current = revealAll(found);
      const drifted = new Set(changed(kind, inputs, current));
      const value = (name: string) => (given && !drifted.has(name) ? inputs[name] : current[name]);
      const kept = names.flatMap((name) => (value(name) === undefined ? [] : [[name, value(name)]]));
      return { inputs: Object.fromEntries(kept) as Properties, outputs: { [idProperty]: id, ...found } };
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  async update({ type, id, inputs, oldOutputs, ignoreChanges, preview }: UpdateRequest, log: Log) {
    const wanted = ignoring(ignoreChanges, inputs, oldOutputs);
    if (preview) return { ...oldOutputs, ...plan(kindOf(type).kind, wanted, oldOutputs) };
    const known = idIn(type, oldOutputs) ?? id;
    return this.explained(log, () => updateObject(this.api, type, known, wanted, oldOutputs));
  }

  async delete({ type, id, outputs }: DeleteRequest, log: Log) {
    await this.explained(log, () => deleteObject(this.api, type, idIn(type, outputs) ?? id));
  }

  private get api(): Api {
    if (!this.client) throw new Error("the provider's url or token is not known yet");
    return this.client;
  }

  /** The bridge logs an error before it returns it, so even one that the program catches fails the operation. */
  private async explained<T>(log: Log, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NotFound) throw error;
      const { message } = error as Error;
      await log.error(`[ERROR] : ${message}`);
      throw new Error(`${message}: `);
    }
  }
}

/** After a rename the engine still has the old ID; the bridge goes by the one in the state. */
function idIn(type: string, outputs: Properties): string | undefined {
  const known = outputs[kindOf(type).idProperty];
  return typeof known === "string" ? known : undefined;
}

function setting(config: Properties, name: "url" | "token"): string | undefined {
  const given = revealAll(config)[name];
  return typeof given === "string" ? given : process.env[`AUTHENTIK_${name.toUpperCase()}`];
}

serve(new AuthentikProvider());
