import { isDeepStrictEqual } from "node:util";
import { type Properties, secret, UNKNOWN, type Value } from "../wire";
import { type Api, NotFound } from "./api";
import { type Attribute, KINDS, type Kind } from "./kinds";

/** `authentik:index/group:Group` -> Group. @throws for a type that is not known here */
export function kindOf(type: string): { kind: Kind; idProperty: string } {
  const name = type.split(":")[2] ?? "";
  const kind = KINDS[name];
  if (!kind) throw new Error(`the stand-in of Authentik's provider knows no ${type}`);
  return { kind, idProperty: `${name[0]?.toLowerCase()}${name.slice(1)}Id` };
}

/** What the resource is to be: the program's word, else what the server decided, else the provider's default. */
export function plan(kind: Kind, inputs: Properties, outputs: Properties | undefined): Properties {
  const planned: Properties = {};
  for (const [name, attribute] of Object.entries(kind.attributes)) {
    const value = planAttribute(attribute, inputs[name], outputs, name);
    if (value !== undefined) planned[name] = value;
  }
  return planned;
}

function planAttribute(attribute: Attribute, input: Value | undefined, outputs: Properties | undefined, name: string) {
  // A list with an unknown in it is unknown as a whole.
  if (Array.isArray(input) && input.includes(UNKNOWN)) return UNKNOWN;
  if (input !== undefined) return input;
  if (attribute.computed || attribute.output) return outputs ? outputs[name] : UNKNOWN;
  return attribute.default;
}

/** Names of the properties whose value would change. */
export function changed(kind: Kind, inputs: Properties, outputs: Properties): string[] {
  const planned = plan(kind, inputs, outputs);
  return Object.entries(kind.attributes)
    .filter(([name, attribute]) => !attribute.output && !same(attribute, outputs[name], planned[name]))
    .map(([name]) => name);
}

/** Equal JSON is equal, however it is written; a missing value is an empty one; an expression may end in a newline. */
function same(attribute: Attribute, before: Value | undefined, after: Value | undefined): boolean {
  return isDeepStrictEqual(comparable(attribute, before), comparable(attribute, after));
}

function comparable(attribute: Attribute, value: Value | undefined): unknown {
  const given = value ?? emptyOf(attribute);
  if (typeof given !== "string") return given;
  return attribute.type === "json" && given !== UNKNOWN ? JSON.parse(given) : given.replace(/\n$/, "");
}

function emptyOf({ type }: Attribute): Value {
  return { string: "", number: 0, boolean: false, list: [], json: "{}" }[type];
}

/** The whole object, as every POST and PUT sends it. */
function body(kind: Kind, planned: Properties): Properties {
  const sent: Properties = {};
  for (const [name, attribute] of Object.entries(kind.attributes)) {
    if (attribute.output || attribute.local) continue;
    const value = planned[name] ?? emptyOf(attribute);
    const isEmpty = isDeepStrictEqual(value, emptyOf(attribute));
    if (isEmpty && attribute.empty === "omitted") continue;
    const given = isEmpty && attribute.empty === "null" ? null : value;
    sent[attribute.api ?? snake(name)] = attribute.type === "json" ? JSON.parse(given as string) : given;
  }
  if (planned.expires) sent.expires = planned.expires; // only a token has it
  return sent;
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export async function createObject(api: Api, type: string, inputs: Properties) {
  const { kind } = kindOf(type);
  const planned = plan(kind, inputs, {});
  const created = await api.post(kind.collection, body(kind, planned));
  const id = String(created[kind.key]);
  if (planned.password) await api.post(`${kind.collection}${id}/set_password/`, { password: planned.password });
  return { id, outputs: await readObject(api, type, id, planned) };
}

/** PUT of the whole object, as it is to be: what another resource changed meanwhile is put back. */
export async function updateObject(api: Api, type: string, id: string, inputs: Properties, outputs: Properties) {
  const { kind } = kindOf(type);
  const planned = plan(kind, inputs, outputs);
  const updated = await api.put(`${kind.collection}${id}/`, body(kind, planned));
  return readObject(api, type, String(updated[kind.key]), planned);
}

export async function deleteObject(api: Api, type: string, id: string): Promise<void> {
  await api.delete(`${kindOf(type).kind.collection}${id}/`).catch(unlessGone);
}

/** @param known what is stored or planned: it orders lists and gives what the server does not tell */
export async function readObject(api: Api, type: string, id: string, known: Properties): Promise<Properties> {
  const { kind, idProperty } = kindOf(type);
  const answer = await api.get(`${kind.collection}${id}/${kind.query ? `?${kind.query}` : ""}`);
  const outputs: Properties = { [idProperty]: String(answer[kind.key]) };
  for (const [name, attribute] of Object.entries(kind.attributes)) {
    const value = attribute.local ? known[name] : shown(attribute, answer[attribute.api ?? snake(name)], known[name]);
    if (value !== undefined) outputs[name] = attribute.secret && value ? secret(value) : value;
  }
  if (type.endsWith(":Token")) Object.assign(outputs, await tokenDetails(api, kind, id, answer, known));
  return outputs;
}

function shown(attribute: Attribute, answered: Value | undefined, known: Value | undefined): Value | undefined {
  const value = answered ?? emptyOf(attribute);
  if (attribute.type === "json") return typeof value === "string" ? value : sortedJson(value);
  if (!Array.isArray(value)) return value;
  if (value.length === 0 && known === undefined && !attribute.computed) return undefined;
  return inKnownOrder(value, Array.isArray(known) ? known : []);
}

/** The server's order means nothing: what was known stays where it was, what is new comes last. */
function inKnownOrder(values: Value[], known: Value[]): Value[] {
  const has = (list: Value[], item: Value) => list.some((other) => isDeepStrictEqual(other, item));
  return [...known.filter((item) => has(values, item)), ...values.filter((item) => !has(known, item))];
}

function sortedJson(value: Value): string {
  return JSON.stringify(value, (_, inner) =>
    inner && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

async function tokenDetails(api: Api, kind: Kind, id: string, answer: Properties, known: Properties) {
  const details: Properties = {};
  if (typeof answer.expires === "string")
    details.expiresIn = Math.trunc((Date.parse(answer.expires) - Date.now()) / 1000);
  if (known.retrieveKey === true) {
    const { key } = await api.get(`${kind.collection}${id}/view_key/`);
    details.key = secret(key as Value);
  }
  return details;
}

function unlessGone(error: unknown): void {
  if (!(error instanceof NotFound)) throw error;
}
