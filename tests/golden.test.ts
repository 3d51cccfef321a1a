import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type * as Pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

const PROJECT = resolve(__dirname, "..");
// The program is loaded as Pulumi loads it: through the hook that Pulumi.yaml names, by node's own require.
const load = createRequire(__filename);

interface Resource {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** A key as `bin/key.ts mint` prints it. */
const MINTED = {
  uuid: "uuid-of-key",
  label: "harden-zot prod:0123456789ab zot-ci cdef01234567 #1",
  period: 1,
  apiKey: "zak_made-up",
  createdAt: "2100-01-01T00:00:00Z",
  expiresAt: "2100-04-01T00:00:00Z",
  superseded: [],
};

const TENURE = { owner: "prod:0123456789ab", life: "cdef01234567" };

/** What the state holds of the run before: without an owner in it each run would make another. */
const LAST_STATE = {
  "urn:pulumi:prod::harden-zot::harden-zot:credentials:CiKey$command:local:Command::zot-ci-tenure": {
    type: "command:local:Command",
    outputs: { stdout: JSON.stringify(TENURE) },
  },
};

/** What commands print, by how their names end. */
const PRINTED: [ending: string, object][] = [
  ["-key", MINTED],
  ["-tenure", TENURE],
];

/** What the providers would answer, made from the names alone so that the snapshot is the same every time. */
const COMPUTED: Record<string, (name: string) => object> = {
  "random:index/randomPassword:RandomPassword": (name) => ({ result: `random-${name}` }),
  "authentik:index/application:Application": () => ({ uuid: "uuid-of-application" }),
  "authentik:index/token:Token": (name) => ({ key: `key-of-${name}` }),
  "authentik:index/flow:Flow": () => ({ uuid: "uuid-of-flow" }),
  "command:local:Command": (name) => ({
    stdout: JSON.stringify(PRINTED.find(([ending]) => name.endsWith(ending))?.[1] ?? {}),
  }),
};

/** Of the name alone, and a number, since Authentik's are. */
const idOf = (name: string) => String(Number.parseInt(createHash("sha256").update(name).digest("hex").slice(0, 6), 16));

/** The hosts and the Authentik of the production stack are nobody's to ask from a test. */
function keepAwayFromProduction(): void {
  const fake = (path: string, exports: object) => {
    const file = resolve(PROJECT, path);
    load.cache[file] = { id: file, filename: file, loaded: true, exports } as unknown as NodeJS.Module;
  };
  fake("src/host/observe.ts", {
    observe: async ({ name }: { name: string }) => ({
      kind: "installed",
      status: { ...{ heal: 0, drift: [], trouble: [], original: "yes" }, ...TENURE, place: name, applied: name },
    }),
  });
  fake("src/identity/preflight.ts", { preflight: async () => ({ lacksGrantTypes: false }) });
}

async function instantiate(stack: string): Promise<{ resources: Resource[]; outputs: Record<string, unknown> }> {
  load("../loader.js");
  const pulumi = load("@pulumi/pulumi") as typeof Pulumi;
  const resources: Resource[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (Object.keys(inputs).length > 0) resources.push({ type, name, inputs });
        return { id: idOf(name), state: { ...inputs, ...COMPUTED[type]?.(name) } };
      },
      call: ({ token, inputs }) => ({
        ...inputs,
        id: `id-from-${token.split(":").at(-1)}`,
        ids: ["openid", "email", "profile"],
        outputs: LAST_STATE,
      }),
    },
    "harden-zot",
    stack,
    false,
    "organization",
  );
  const { config } = parse(readFileSync(resolve(PROJECT, `Pulumi.${stack}.yaml`), "utf8"));
  const asStored = ([key, value]: [string, unknown]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ];
  pulumi.runtime.setAllConfig(Object.fromEntries(Object.entries(config).map(asStored)));
  process.env.AUTHENTIK_TOKEN = "not-a-token";
  process.env.SSH_AUTH_SOCK = "/nonexistent";
  keepAwayFromProduction();
  const program = load(resolve(PROJECT, "index.ts")) as () => Promise<object>;
  const outputs = await new Promise<Record<string, unknown>>((settle, fail) => {
    program().then((result) => pulumi.output(result as Record<string, unknown>).apply(settle), fail);
  });
  // Internal to the SDK, and the only way to know that every resource has been registered.
  await (pulumi.runtime as unknown as { waitForRPCs: () => Promise<void> }).waitForRPCs();
  return { resources, outputs };
}

describe("the production stack, every resource under mocks", () => {
  let stack: Awaited<ReturnType<typeof instantiate>>;
  beforeAll(async () => {
    stack = await instantiate("prod");
  });

  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const withoutLongText = ({ type, name, inputs }: Resource) => {
    if (name.endsWith("-agent")) return { type, name, inputs: { ...inputs, stdin: "(installs agent.sh)" } };
    if (name === "verification") return { type, name, inputs: { ...inputs, stdin: "(what is verified, with what)" } };
    if (name.endsWith("-config")) return { type, name, inputs: { ...inputs, stdin: "(prod-config.json)" } };
    return { type, name, inputs };
  };

  it("is what was reviewed (vitest -u after a change that is meant)", async () => {
    const byName = (a: Resource, b: Resource) => (`${a.type}${a.name}` < `${b.type}${b.name}` ? -1 : 1);
    const resources = stack.resources.sort(byName).map(withoutLongText);
    await expect(json(resources)).toMatchFileSnapshot("golden/prod-resources.json");
  });

  it("delivers exactly this config.json", async () => {
    const config = stack.resources.find((resource) => resource.name.endsWith("-config"))?.inputs.stdin;
    await expect(config).toMatchFileSnapshot("golden/prod-config.json");
  });

  it("gives these outputs, the key in the secret ones alone", async () => {
    const { ciDockerConfig, ciSecrets, ...plain } = stack.outputs;
    const asOfToday = (name: string, value: unknown) => (name === "daysLeft" ? "(days from today)" : value);
    await expect(`${JSON.stringify(plain, asOfToday, 2)}\n`).toMatchFileSnapshot("golden/prod-outputs.json");
    expect(JSON.stringify(plain)).not.toContain(MINTED.apiKey);
    expect(ciSecrets).toEqual({ "zot-ci": { apiKey: MINTED.apiKey, dockerConfigJson: ciDockerConfig } });
    const auth = Buffer.from(`zot-ci:${MINTED.apiKey}`).toString("base64");
    expect(JSON.parse(ciDockerConfig as string)).toEqual({ auths: { "registry.ops.eblu.me": { auth } } });
  });

  it("has no secret in config.json, nor in a command line", () => {
    const secrets = [
      "random-client-secret",
      "random-session-hash-key",
      "random-session-encrypt-key",
      "not-a-token",
      "key-of-zot-ci-app-password",
      MINTED.apiKey,
    ];
    for (const { inputs } of stack.resources.filter(({ type }) => type.startsWith("command:"))) {
      const shown = [
        inputs.create,
        inputs.update,
        inputs.delete,
        String(inputs.stdin).startsWith("{\n") && inputs.stdin,
      ];
      for (const secret of secrets) expect(shown.join("\n")).not.toContain(secret);
    }
  });
});
