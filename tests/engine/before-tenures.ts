import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../../sandbox/sandbox";
import { ApiKeys, withKey } from "../../src/credentials/api-keys";
import type { MintedKey } from "../../src/credentials/key-requests";

type Properties = Record<string, unknown>;

interface StateResource {
  urn: string;
  inputs?: Properties;
  outputs?: Properties;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
  ignoreChanges?: string[];
}

const OLD_PROGRAM = "node --require ./loader.js src/credentials/main.ts";
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

const secret = (value: string) => ({ ...SECRET, plaintext: JSON.stringify(value) });
const reveal = (value: unknown) => JSON.parse((value as { plaintext: string }).plaintext) as string;
const nameOf = ({ urn }: StateResource) => urn.split("::").at(-1) as string;

/**
 * The stack's state as the program left it until November 2026 (d64bc02): no tenures, keys labelled with the stack's name,
 * and a `-key` that revokes. Keys with such labels take the place of those that the stack has.
 * @returns the keys in the order of the identities, and a file for `pulumi stack import`
 */
export async function beforeTenures(sandbox: Sandbox, stackName: string, identities: string[]) {
  const { output } = await sandbox.stack.pulumi(["stack", "export", "--show-secrets"]);
  const state = JSON.parse(output) as { deployment: { resources: StateResource[] } };
  const isTenure = ({ urn }: StateResource) => identities.some((name) => urn.endsWith(`::${name}-tenure`));
  const tenures = state.deployment.resources.filter(isTenure).map(({ urn }) => urn);
  const resources = state.deployment.resources.filter((resource) => !isTenure(resource));
  for (const resource of resources) forget(resource, tenures);
  const find = (name: string) => resources.find((resource) => nameOf(resource) === name) as StateResource;
  const keys: string[] = [];
  for (const name of identities) {
    const label = `harden-zot ${stackName} ${name} #`;
    const minted = await mintAnew(sandbox, name, label, reveal(find(`${name}-key`).outputs?.stdout));
    becomeOldKey(find(`${name}-key`), label, minted);
    becomeOldRetiredKeys(find(`${name}-retired-keys`), minted);
    keys.push(minted.apiKey);
  }
  const file = join(sandbox.directory, "before-tenures.json");
  writeFileSync(file, JSON.stringify({ ...state, deployment: { ...state.deployment, resources } }), { mode: 0o600 });
  return { keys, file };
}

function forget(resource: StateResource, tenures: string[]): void {
  const others = (urns: string[] = []) => urns.filter((urn) => !tenures.includes(urn));
  resource.dependencies = others(resource.dependencies);
  for (const [property, urns] of Object.entries(resource.propertyDependencies ?? {}))
    Object.assign(resource.propertyDependencies as object, { [property]: others(urns) });
}

/** @param held what the stack's `-key` printed @returns a key with the old label in its place */
async function mintAnew(sandbox: Sandbox, name: string, label: string, held: string): Promise<MintedKey> {
  const before = JSON.parse(held) as MintedKey;
  const keysWith = (apiKey: string) => new ApiKeys(sandbox.registryUrl, name, withKey(fetch as never, name, apiKey));
  const expires = new Date(before.expiresAt);
  const { apiKey, createdAt, uuid } = await keysWith(before.apiKey).mint(`${label}${before.period}`, expires);
  for (const key of await keysWith(apiKey).list())
    if (key.label.startsWith("harden-zot") && key.uuid !== uuid) await keysWith(apiKey).revoke(key.uuid);
  return { ...before, uuid, label: `${label}${before.period}`, apiKey, createdAt, superseded: [] };
}

function becomeOldKey(resource: StateResource, label: string, minted: MintedKey): void {
  for (const properties of [resource.inputs, resource.outputs] as Properties[]) {
    const request = JSON.parse(reveal(properties.stdin));
    Object.assign(properties, {
      create: `${OLD_PROGRAM} mint`,
      delete: `${OLD_PROGRAM} revoke`,
      stdin: secret(JSON.stringify({ ...request, owner: label })),
    });
  }
  Object.assign(resource.outputs as Properties, { stdout: secret(JSON.stringify(minted)) });
  delete resource.ignoreChanges;
}

function becomeOldRetiredKeys(resource: StateResource, { uuid }: MintedKey): void {
  const kept = JSON.stringify({ current: uuid });
  for (const properties of [resource.inputs, resource.outputs] as Properties[])
    Object.assign(properties, { create: "cat", stdin: secret(kept) });
  Object.assign(resource.outputs as Properties, { stdout: kept });
}
