import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Provider } from "../provider";
import { serve } from "../server";
import { equal, type Properties, revealAll, secret, UNKNOWN, type Value } from "../wire";

interface Kind {
  defaults: Properties;
  /** What only creation tells. */
  computed: string[];
  secrets: string[];
  /** @param inputs with the defaults, nothing secret */
  create: (inputs: Properties) => Promise<{ id: string } & Properties> | ({ id: string } & Properties);
}

const STRING_DEFAULTS = {
  ...{ lower: true, upper: true, numeric: true, number: true, special: true },
  ...{ minLower: 0, minUpper: 0, minNumeric: 0, minSpecial: 0 },
};

const KINDS: Record<string, Kind> = {
  "random:index/randomPassword:RandomPassword": {
    defaults: STRING_DEFAULTS,
    computed: ["result", "bcryptHash"],
    secrets: ["result", "bcryptHash"],
    create: async (inputs) => {
      const result = characters(inputs as unknown as StringInputs);
      const { hash } = await import("bcryptjs"); // a preview does without
      return { id: "none", result, bcryptHash: await hash(result, 10) };
    },
  },
  "random:index/randomString:RandomString": {
    defaults: STRING_DEFAULTS,
    computed: ["result"],
    secrets: [],
    create: (inputs) => {
      const result = characters(inputs as unknown as StringInputs);
      return { id: result, result };
    },
  },
  "random:index/randomId:RandomId": {
    defaults: {},
    computed: ["b64Std", "b64Url", "dec", "hex"],
    secrets: [],
    create: ({ byteLength, prefix }) => identifier(byteLength as number, (prefix as string | undefined) ?? ""),
  },
  "random:index/randomUuid:RandomUuid": {
    defaults: {},
    computed: ["result"],
    secrets: [],
    create: () => {
      const result = randomUUID();
      return { id: result, result };
    },
  },
  "random:index/randomInteger:RandomInteger": {
    defaults: {},
    computed: ["result"],
    secrets: [],
    create: ({ min, max }) => {
      const result = randomInt(min as number, (max as number) + 1);
      return { id: String(result), result };
    },
  },
};

/** Stands in for pulumi-resource-random 4.21.2: what is created stays; any other input, keepers included, replaces it. */
const provider: Provider = {
  version: "4.21.2",
  check: ({ type }, inputs) => ({
    inputs,
    failures: KINDS[type] ? [] : [{ property: "", reason: `the stand-in of pulumi-resource-random knows no ${type}` }],
  }),
  diff: ({ type, oldOutputs, inputs }) => {
    const { defaults, computed } = kind(type);
    const wanted: Properties = { ...defaults, ...inputs };
    return Object.keys({ ...oldOutputs, ...wanted })
      .filter((name) => !computed.includes(name) && name !== "id")
      .filter((name) => !equal(oldOutputs[name] ?? null, wanted[name] ?? null))
      .map((path) => ({ path, kind: "update", replace: true }));
  },
  create: async ({ type, inputs, preview }) => {
    const { defaults, computed, secrets, create } = kind(type);
    const wanted: Properties = { ...defaults, ...inputs };
    if (preview) return { id: "", outputs: { ...wanted, ...unknowns(["id", ...computed]) } };
    const created = await create(revealAll(wanted));
    const hidden = Object.fromEntries(secrets.map((name) => [name, secret(created[name] as Value)]));
    return { id: created.id, outputs: { ...wanted, ...created, ...hidden } };
  },
  read: async ({ type, inputs, outputs }) => {
    const hidden = Object.fromEntries(kind(type).secrets.map((name) => [name, secret(outputs[name] as Value)]));
    return { inputs, outputs: { ...outputs, ...hidden } };
  },
  update: async () => {
    throw new Error("a random value is replaced, never updated");
  },
  delete: async () => {},
};

function kind(type: string): Kind {
  const found = KINDS[type];
  if (!found) throw new Error(`unknown resource type ${type}`);
  return found;
}

const unknowns = (names: string[]): Properties => Object.fromEntries(names.map((name) => [name, UNKNOWN]));

interface StringInputs {
  length: number;
  lower: boolean;
  upper: boolean;
  numeric: boolean;
  special: boolean;
  minLower: number;
  minUpper: number;
  minNumeric: number;
  minSpecial: number;
  overrideSpecial?: string;
}

/** At least so many of each kind, the rest of any kind allowed, in random order. */
function characters(inputs: StringInputs): string {
  const special = inputs.overrideSpecial || "!@#$%&*()-_=+[]{}<>:?";
  const sets = [
    { set: "abcdefghijklmnopqrstuvwxyz", allowed: inputs.lower, least: inputs.minLower },
    { set: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", allowed: inputs.upper, least: inputs.minUpper },
    { set: "0123456789", allowed: inputs.numeric, least: inputs.minNumeric },
    { set: special, allowed: inputs.special, least: inputs.minSpecial },
  ];
  const any = sets.map(({ set, allowed }) => (allowed ? set : "")).join("");
  if (!any) throw new Error("the character set specified is empty");
  const result = sets.flatMap(({ set, least }) => pick(set, least));
  return shuffled([...result, ...pick(any, inputs.length - result.length)]).join("");
}

const pick = (set: string, count: number) =>
  Array.from({ length: Math.max(count, 0) }, () => set[randomInt(set.length)] as string);

function shuffled(items: string[]): string[] {
  for (let index = items.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [items[index], items[other]] = [items[other] as string, items[index] as string];
  }
  return items;
}

function identifier(byteLength: number, prefix: string) {
  const bytes = randomBytes(byteLength);
  const hex = bytes.toString("hex");
  const id = bytes.toString("base64url");
  return {
    id,
    b64Url: prefix + id,
    b64Std: prefix + bytes.toString("base64"),
    hex: prefix + hex,
    dec: prefix + BigInt(`0x${hex}`).toString(),
  };
}

serve(provider);
