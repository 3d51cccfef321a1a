import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Properties, reveal, revealAll, secret, UNKNOWN } from "../../sandbox/pulumi/plugins/wire";
import { authentikUnderTest } from "./authentik-world";
import { Plugin } from "./pulumi-plugin";

// The same cases hold for the bridge with Authentik's Terraform provider (PULUMI_PLUGINS=DIRECTORY with both) and for the
// sandbox's stand-in of the two; for a real Authentik (AUTHENTIK_URL, AUTHENTIK_TOKEN) and for its stand-in. Neither plugin
// sees a secret as such in what it is given: the engine keeps track.

const GROUP = "authentik:index/group:Group";
const USER = "authentik:index/user:User";
const TOKEN = "authentik:index/token:Token";
const APPLICATION = "authentik:index/application:Application";
const PROVIDER = "authentik:index/providerOauth2:ProviderOauth2";
const FLOW = "authentik:index/flow:Flow";

/** The bridge ends its messages in a space, which is no valid end of an HTTP/2 header: Node sees them in the log alone. */
async function expectRefusal(from: Plugin, work: Promise<unknown>, message: string): Promise<void> {
  await expect(work).rejects.toThrow();
  const errors = from.log.filter(({ severity }) => severity === "error").map(({ message }) => message);
  expect(errors).toEqual([expect.stringContaining(`[ERROR] : ${message}`)]);
}

const { pulumi } = JSON.parse(readFileSync(resolve(__dirname, "../../sdks/authentik/package.json"), "utf8"));
const PARAMETER: string = pulumi.parameterization.value;

let server: Awaited<ReturnType<typeof authentikUnderTest>>;
let plugin: Plugin;
const start = (environment: Record<string, string>) => Plugin.start("terraform-provider", "1.2.0", environment);
beforeAll(async () => {
  server = await authentikUnderTest();
  plugin = await start({ AUTHENTIK_URL: server.url, AUTHENTIK_TOKEN: server.token });
  await plugin.configure({}, PARAMETER);
});
afterAll(async () => {
  plugin?.stop();
  await server?.stop();
});

/** What a case creates is gone after it, last first. */
const cleanUp: (() => Promise<void>)[] = [];
beforeEach(() => void plugin.log.splice(0));
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function make(type: string, inputs: Properties) {
  const { id, outputs } = await plugin.create(type, inputs);
  cleanUp.push(() => plugin.delete(type, id, revealAll(outputs)));
  return { id, inputs, outputs: revealAll(outputs), shown: outputs };
}

async function api(path: string, method = "GET", body?: object): Promise<Properties> {
  const headers = { authorization: `Bearer ${server.token}`, "content-type": "application/json" };
  const answer = await fetch(`${server.url}/api/v3${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  return answer.status === 204 ? {} : ((await answer.json()) as Properties);
}

describe("configuration", () => {
  it("needs a url and a token, from the configuration or the environment", async () => {
    const bare = await start({ AUTHENTIK_URL: "", AUTHENTIK_TOKEN: "" });
    cleanUp.push(async () => bare.stop());
    await bare.configure({}, PARAMETER).catch(() => {});
    const reasons = await bare.checkConfig({});
    for (const key of ["url", "token"])
      expect(reasons.join("\n")).toContain(
        `The argument "${key}" is required, but no definition was found.. Check \`pulumi config get authentik:${key}\``,
      );
    expect(await bare.checkConfig({ url: server.url, token: server.token })).toEqual([]);
  });

  it.each([
    [
      "a wrong token",
      () => ({ url: server.url, token: "wrong" }),
      "HTTP Error '403 Forbidden  (Token invalid/expired)' during request 'GET /api/v3/flows/instances/'",
    ],
    [
      "a server that is not there",
      () => ({ url: "http://127.0.0.1:9", token: "any" }),
      "HTTP Error 'Get \"http://127.0.0.1:9/api/v3/flows/instances/?slug=x\": dial tcp 127.0.0.1:9: connect: connection refused' without http response",
    ],
  ])("says what came of %s", async (_, config, message) => {
    const other = await start({});
    cleanUp.push(async () => other.stop());
    await other.configure(config(), PARAMETER);
    await expectRefusal(other, other.invoke("authentik:index/getFlow:getFlow", { slug: "x" }), message);
  });
});

describe("a resource", () => {
  it("is named after its Pulumi name, and keeps that name", async () => {
    const name = (await plugin.check(GROUP, {})).name as string;
    expect(name).toMatch(/^thing-[0-9a-f]{7}$/);
    expect(await plugin.check(GROUP, { attributes: "{}" }, { name })).toEqual({ attributes: "{}", name });
    expect(await plugin.check(GROUP, { name: "given" })).toEqual({ name: "given" });
  });

  it("tells in a preview what was given and what defaults are", async () => {
    expect((await plugin.create(GROUP, { name: "g" }, true)).outputs).toEqual({
      ...{ name: "g", attributes: "{}", isSuperuser: false, users: UNKNOWN, groupId: UNKNOWN },
    });
    const user = { username: "u", name: "u", groups: [UNKNOWN] };
    expect((await plugin.create(USER, user, true)).outputs).toEqual({
      ...{ username: "u", name: "u", attributes: "{}", isActive: true, path: "users", type: "internal" },
      ...{ groups: UNKNOWN, roles: UNKNOWN, userId: UNKNOWN },
    });
    const token = { identifier: "t", user: UNKNOWN, retrieveKey: true };
    expect((await plugin.create(TOKEN, token, true)).outputs).toEqual({
      ...{ identifier: "t", user: UNKNOWN, retrieveKey: true, intent: "api", expiring: true },
      ...{ key: UNKNOWN, expiresIn: UNKNOWN, tokenId: UNKNOWN },
    });
    expect(await api("/core/groups/?name=g")).toMatchObject({ results: [] });
  });

  it("is created with its defaults", async () => {
    const { id, outputs } = await make(GROUP, { name: "created", attributes: '{"b":1,"a":[2]}' });
    expect(outputs).toEqual({
      ...{ name: "created", attributes: '{"a":[2],"b":1}', isSuperuser: false, users: [], groupId: id },
    });
    expect(await api(`/core/groups/${id}/`)).toMatchObject({ name: "created", attributes: { a: [2], b: 1 } });
  });

  it("words a refusal with the request and the answer, and logs it", async () => {
    await make(GROUP, { name: "twice" });
    const refusal = `HTTP Error '400 Bad Request' during request 'POST /api/v3/core/groups/': "{"name":["Group with this name already exists."]}"`;
    await expectRefusal(plugin, plugin.create(GROUP, { name: "twice" }), refusal);
  });

  it.each([
    ["nothing", {}, []],
    ["its name", { name: "renamed" }, ["name"]],
    ["the same JSON otherwise written", { attributes: '{ "b": 1, "a": 2 }' }, []],
    ["JSON", { attributes: '{"a":3}' }, ["attributes"]],
    ["a default spelled out", { isSuperuser: false }, []],
    ["a list the server filled", { users: [1] }, ["users"]],
  ])("is never replaced by a change of %s", async (_, change, changed) => {
    const inputs = { name: "g", attributes: '{"a":2,"b":1}' };
    const outputs = { ...inputs, isSuperuser: false, users: [], groupId: "4f0f4df1-8ab1-4b07-a25e-c39e9db71fb5" };
    const found = await plugin.diff(GROUP, outputs.groupId, inputs, outputs, { ...inputs, ...change });
    expect(found).toEqual({ changed, replaced: [] });
  });

  it("goes back to the default when an argument is taken away", async () => {
    const inputs = { name: "g", isSuperuser: true };
    const outputs = { ...inputs, attributes: "{}", users: [], groupId: "4f0f4df1-8ab1-4b07-a25e-c39e9db71fb5" };
    const { changed } = await plugin.diff(GROUP, outputs.groupId, inputs, outputs, { name: "g" });
    expect(changed).toEqual(["isSuperuser"]);
  });

  it("is known in the preview of an update, and nothing happens", async () => {
    const { id, inputs, outputs } = await make(GROUP, { name: "before" });
    const after = { name: "after", attributes: '{"a":1}' };
    expect(await plugin.update(GROUP, id, inputs, outputs, after, true)).toEqual({ ...outputs, ...after });
    expect(await api(`/core/groups/${id}/`)).toMatchObject({ name: "before" });
  });

  it("is put as a whole: members the state does not know are removed", async () => {
    const group = await make(GROUP, { name: "members" });
    const user = await make(USER, { username: "member", name: "member", groups: [group.id] });
    expect((await api(`/core/groups/${group.id}/`)).users).toEqual([Number(user.id)]);
    await plugin.update(GROUP, group.id, group.inputs, group.outputs, { name: "members", attributes: '{"a":1}' });
    expect((await api(`/core/groups/${group.id}/`)).users).toEqual([]);
  });

  it("keeps what the server filled in, once it has been read", async () => {
    const group = await make(GROUP, { name: "refreshed" });
    const user = await make(USER, { username: "refreshed", name: "refreshed", groups: [group.id] });
    const read = await plugin.read(GROUP, group.id, group.inputs, group.outputs);
    expect(read).toMatchObject({ inputs: group.inputs, outputs: { users: [Number(user.id)] } });
    await plugin.update(GROUP, group.id, group.inputs, read?.outputs ?? {}, {
      name: "refreshed",
      attributes: '{"a":1}',
    });
    expect((await api(`/core/groups/${group.id}/`)).users).toEqual([Number(user.id)]);
  });

  it("shows drift on a refresh", async () => {
    const { id, inputs, outputs } = await make(GROUP, { name: "drift" });
    await api(`/core/groups/${id}/`, "PATCH", { name: "drifted" });
    const read = await plugin.read(GROUP, id, inputs, outputs);
    expect(read).toMatchObject({ inputs: { name: "drifted" }, outputs: { name: "drifted" } });
  });

  it("is gone when the server does not have it", async () => {
    const { id, inputs, outputs } = await make(GROUP, { name: "gone" });
    await api(`/core/groups/${id}/`, "DELETE");
    expect(await plugin.read(GROUP, id, inputs, outputs)).toBeUndefined();
    await plugin.delete(GROUP, id, outputs);
  });

  it("can be imported", async () => {
    const { id } = await make(GROUP, { name: "imported", attributes: '{"a":1}' });
    const read = await plugin.read(GROUP, id);
    expect(read?.inputs).toMatchObject({ name: "imported", attributes: '{"a":1}' });
    expect(read?.outputs).toMatchObject({ name: "imported", groupId: id });
  });
});

describe("the login of a registry", () => {
  const provider = (flow: Properties): Properties => ({
    ...{ name: "contract", clientId: "contract", clientSecret: "s3cret" },
    ...{ authorizationFlow: flow.uuid as string, invalidationFlow: flow.uuid as string },
    allowedRedirectUris: [{ matching_mode: "strict", url: "https://registry.example/cb" }],
  });
  const makeFlow = () => make(FLOW, { name: "f", title: "f", slug: "contract-flow", designation: "authorization" });

  it("is a provider with a secret and its defaults", async () => {
    const flow = await makeFlow();
    expect(flow).toMatchObject({ id: "contract-flow", outputs: { flowId: "contract-flow", authentication: "none" } });
    const { id, outputs, shown } = await make(PROVIDER, provider(flow.outputs));
    expect(outputs).toMatchObject({
      ...{ providerOauth2Id: id, clientType: "confidential", subMode: "hashed_user_id", issuerMode: "per_provider" },
      ...{ accessCodeValidity: "minutes=1", accessTokenValidity: "minutes=10", includeClaimsInIdToken: true },
      allowedRedirectUris: [{ matching_mode: "strict", url: "https://registry.example/cb" }],
    });
    expect(shown.clientSecret).toEqual(secret("s3cret"));
    expect(await api(`/providers/oauth2/${id}/`)).toMatchObject({ client_secret: "s3cret", signing_key: null });
  });

  it("is an application, bound to groups by its uuid", async () => {
    const group = await make(GROUP, { name: "bound" });
    const application = await make(APPLICATION, { name: "Contract", slug: "contract" });
    expect(application).toMatchObject({ id: "contract", outputs: { openInNewTab: false, policyEngineMode: "any" } });
    const target = application.outputs.uuid as string;
    const binding = await make("authentik:index/policyBinding:PolicyBinding", { target, group: group.id, order: 0 });
    expect(binding.outputs).toMatchObject({ target, group: group.id, order: 0, enabled: true, timeout: 30 });
    expect(await api(`/policies/bindings/${binding.id}/`)).toMatchObject({
      target,
      group: group.id,
      policy: null,
      user: null,
    });
  });

  it("is renamed in place, and found by its new name although its ID in Pulumi stays the old one", async () => {
    const { id, inputs, outputs } = await make(APPLICATION, { name: "Contract", slug: "old-slug" });
    const after = { ...inputs, slug: "new-slug" };
    const updated = await plugin.update(APPLICATION, id, inputs, outputs, after);
    expect(updated).toMatchObject({ slug: "new-slug", applicationId: "new-slug" });
    expect(await plugin.read(APPLICATION, id, after, updated)).toMatchObject({ outputs: { slug: "new-slug" } });
    const again = await plugin.update(APPLICATION, id, after, updated, { ...after, name: "Renamed" });
    expect(await api("/core/applications/new-slug/")).toMatchObject({ name: "Renamed" });
    await plugin.delete(APPLICATION, id, again);
    expect(await api("/core/applications/new-slug/")).toMatchObject({
      detail: "No Application matches the given query.",
    });
  });

  /** What is ignored stays as the state has it, in the comparison and in what is sent. */
  describe("with changes to ignore", () => {
    const IGNORED = ["grantTypes", "allowedRedirectUris[0].redirect_uri_type"];
    const uri = { matching_mode: "strict", url: "https://registry.example/cb" };
    const declared = async () => {
      const flow = await makeFlow();
      const typed = [{ ...uri, redirect_uri_type: "authorization" }];
      return { ...provider(flow.outputs), grantTypes: ["authorization_code"], allowedRedirectUris: typed };
    };

    it("has no difference whatever the server knew of them", async () => {
      const inputs = await declared();
      const { id, outputs } = await make(PROVIDER, inputs);
      const older = { ...outputs, grantTypes: [], allowedRedirectUris: [uri] };
      expect(await plugin.diff(PROVIDER, id, inputs, older, inputs, IGNORED)).toEqual({ changed: [], replaced: [] });
      const { changed } = await plugin.diff(PROVIDER, id, inputs, older, inputs);
      expect(changed.map((path) => path.replace(/\[.*/, ""))).toEqual(["allowedRedirectUris", "grantTypes"]);
    });

    it("still has those beside them", async () => {
      const inputs = await declared();
      const { id, outputs } = await make(PROVIDER, inputs);
      const elsewhere = { ...outputs, allowedRedirectUris: [{ ...uri, url: "https://elsewhere.example/cb" }] };
      const { changed } = await plugin.diff(PROVIDER, id, inputs, elsewhere, inputs, IGNORED);
      expect(changed.map((path) => path.replace(/\[.*/, ""))).toEqual(["allowedRedirectUris"]);
    });

    it("sends none of them in an update for another reason", async () => {
      const inputs = await declared();
      const { id, outputs } = await make(PROVIDER, inputs);
      const older = { ...outputs, grantTypes: [], allowedRedirectUris: [uri] };
      await plugin.update(PROVIDER, id, inputs, older, { ...inputs, name: "renamed" }, false, IGNORED);
      expect(await api(`/providers/oauth2/${id}/`)).toMatchObject({ name: "renamed", redirect_uris: [uri] });
    });
  });

  it("is a flow of stages, one of them for a group", async () => {
    const flow = await makeFlow();
    const stage = await make("authentik:index/stageIdentification:StageIdentification", {
      name: "contract-id",
      userFields: ["username"],
    });
    expect(stage.outputs).toMatchObject({
      userFields: ["username"],
      passwordStage: "",
      caseInsensitiveMatching: false,
    });
    const password = { name: "contract-password", backends: ["authentik.core.auth.TokenBackend"] };
    const { outputs } = await make("authentik:index/stagePassword:StagePassword", password);
    expect(outputs).toMatchObject({ ...password, failedAttemptsBeforeCancel: 5, configureFlow: "" });
    const login = { name: "contract-login", sessionDuration: "minutes=5" };
    expect((await make("authentik:index/stageUserLogin:StageUserLogin", login)).outputs).toMatchObject({
      ...login,
      geoipBinding: "no_binding",
    });
    const binding = {
      target: flow.outputs.uuid as string,
      stage: stage.id,
      order: 10,
      evaluateOnPlan: false,
      reEvaluatePolicies: true,
    };
    expect((await make("authentik:index/flowStageBinding:FlowStageBinding", binding)).outputs).toMatchObject({
      ...binding,
      invalidResponseAction: "retry",
    });
  });
});

describe("a service account", () => {
  it("has an app password that is fetched on request alone, and secret", async () => {
    const user = await make(USER, { username: "bot", name: "bot", type: "service_account" });
    const inputs = { identifier: "bot-password", user: Number(user.id), intent: "app_password", expiring: false };
    const silent = await make(TOKEN, inputs);
    expect(silent.outputs).not.toHaveProperty("key");
    expect(silent.outputs).not.toHaveProperty("expiresIn");
    const told = await plugin.update(TOKEN, silent.id, inputs, silent.outputs, { ...inputs, retrieveKey: true });
    expect(told.key).toEqual(secret(expect.stringMatching(/^\w{60}$/) as never));
    expect(reveal(told.key as Properties)).toBe((await api("/core/tokens/bot-password/view_key/")).key);
  });

  it("has a token that expires unless told otherwise", async () => {
    const user = await make(USER, { username: "temporary", name: "temporary" });
    const { outputs } = await make(TOKEN, { identifier: "temporary", user: Number(user.id) });
    expect(outputs).toMatchObject({ expiring: true, intent: "api" });
    expect(outputs.expiresIn).toBeGreaterThan(0);
  });
});

describe("a lookup", () => {
  const look = (name: string, args: Properties) => plugin.invoke(`authentik:index/${name}:${name}`, args);

  it("finds a flow", async () => {
    const slug = "default-provider-authorization-implicit-consent";
    const flow = {
      slug,
      designation: "authorization",
      authentication: "require_authenticated",
      name: "Authorize Application",
    };
    expect(await look("getFlow", { slug })).toMatchObject({ ...flow, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it("finds a group and its members", async () => {
    const group = await make(GROUP, { name: "looked-up" });
    const user = await make(USER, { username: "looked-up", name: "looked-up", groups: [group.id] });
    const found = { id: group.id, pk: group.id, name: "looked-up", isSuperuser: false, users: [Number(user.id)] };
    expect(await look("getGroup", { name: "looked-up" })).toMatchObject({
      ...found,
      usersObjs: [{ pk: Number(user.id), username: "looked-up", isActive: true }],
    });
    const silent = await look("getGroup", { name: "looked-up", includeUsers: false });
    expect(silent).toMatchObject({ ...found, usersObjs: [] });
  });

  it("finds a user", async () => {
    const user = await make(USER, { username: "person", name: "A Person", email: "person@example.test" });
    const expected = {
      id: user.id,
      pk: Number(user.id),
      name: "A Person",
      email: "person@example.test",
      type: "internal",
    };
    expect(await look("getUser", { username: "person" })).toMatchObject(expected);
  });

  it("finds a certificate, with its parts as asked", async () => {
    const name = "authentik Self-signed Certificate";
    const bare = await look("getCertificateKeyPair", { name, fetchKey: false, fetchCertificate: false });
    expect(bare).not.toHaveProperty("keyData");
    expect(bare).not.toHaveProperty("certificateData");
    expect(bare.expiry).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$/);
    const { certificateData } = await look("getCertificateKeyPair", { name, fetchKey: false });
    expect(certificateData).toMatch(/^-----BEGIN CERTIFICATE-----/);
  });

  it("finds scope mappings by what manages them", async () => {
    const managedLists = ["openid", "email", "profile"].map(
      (scope) => `goauthentik.io/providers/oauth2/scope-${scope}`,
    );
    const found = await look("getPropertyMappingProviderScope", { managedLists });
    expect(found).toMatchObject({ id: "-1", ids: [expect.any(String), expect.any(String), expect.any(String)] });
  });

  it.each([
    ["getFlow", { slug: "missing" }, "No matching flows found"],
    ["getGroup", { name: "missing" }, "No matching groups found"],
    ["getCertificateKeyPair", { name: "missing" }, "No matching groups found"],
    [
      "getPropertyMappingProviderScope",
      { managedLists: ["missing"] },
      "HTTP Error '400 Bad Request' during request 'GET /api/v3/propertymappings/provider/scope/'",
    ],
  ])("%s says that nothing matches, and logs it as an error", async (name, args, message) => {
    await expectRefusal(plugin, look(name, args), message);
  });
});
