import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, it } from "vitest";
import { destination } from "../../settings/publish";
import { publishKey } from "./resource";

interface Made {
  name: string;
  inputs: Record<string, unknown>;
}
let made: Made[];

beforeEach(async () => {
  made = [];
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      made.push({ name, inputs });
      return { id: name, state: inputs };
    },
    call: ({ inputs }) => inputs,
  });
  pulumi.runtime.setAllConfig({ "harden-zot:forgejoToken": "token-of-the-forge" }, ["harden-zot:forgejoToken"]);
});

const forgejo = { url: "https://forge.example.test", repository: "team/app", token: "forgejoToken" };
const handover = pulumi.output({ registry: "r.test", username: "zot-ci", apiKey: "zak_0", expiresAt: "x" });
const publish = (forge: object) => publishKey("zot-ci", [destination.parse({ forgejo: forge })], handover);
const settled = (output: pulumi.Output<unknown>) => new Promise<unknown>((settle) => output.apply(settle));

it("hands token and key to the program on a secret stdin, and nowhere else", async () => {
  const [command] = publish(forgejo);
  if (!command) throw new Error("nothing was made");
  await settled(command.urn);
  expect(await pulumi.isSecret(command.stdin)).toBe(true);
  expect(made.map(({ name }) => name)).toEqual(["zot-ci-publish-forge.example.test/team/app"]);
  const { stdin: _, ...others } = made[0]?.inputs ?? {};
  expect(JSON.stringify(others)).not.toMatch(/zak_0|token-of-the-forge/);
  expect(others).toMatchObject({ triggers: ["ZOT_API_KEY"], logging: "none", addPreviousOutputInEnv: false });
  const stdin = JSON.parse((await settled(command.stdin)) as string);
  expect(stdin).toMatchObject({ token: "token-of-the-forge", handover: { apiKey: "zak_0" } });
});

it("says which secret the stack lacks", () => {
  expect(() => publish({ ...forgejo, token: "otherToken" })).toThrow(
    /names the secret otherToken .*pulumi config set --secret harden-zot:otherToken/,
  );
});

it("refuses a token that lies in the stack file in plain", () => {
  pulumi.runtime.setAllConfig({ "harden-zot:forgejoToken": "token-of-the-forge" });
  expect(() => publish(forgejo)).toThrow(
    /^harden-zot:forgejoToken is an API token and lies in the stack file in plain: revoke it there, make another, and set the new one with `pulumi config set --secret harden-zot:forgejoToken`\.$/,
  );
});
