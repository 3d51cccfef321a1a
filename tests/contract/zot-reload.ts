import { spawnSync } from "node:child_process";
import { renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { BINARIES, type Config, push, pushBlob, Scratch, until, Zot } from "./zot-harness";

/** Long enough for a reload that would come to have come: 16 to 35 ms on zot 2.1.20, up to 1 s where it polls. */
const SETTLE_MS = 250;
const POLLED_MS = 2500;

const LOADED = "loaded new configuration settings";
const REFUSED = "failed to reload config, retry writing it.";

describe.each(BINARIES)("%s: hot reload", (_, binary) => {
  /** Whether it also looks at inode, size and time once a second: no release says so, words of the same reloader do. */
  const polls = spawnSync("grep", ["-q", "outside the reloadable set", binary]).status === 0;
  let scratch: Scratch;
  let zot: Zot;

  afterEach(async () => {
    await zot?.stop();
    scratch?.remove();
  });

  async function serve(config: (scratch: Scratch) => Config): Promise<Config> {
    scratch = new Scratch();
    const first = config(scratch);
    zot = await new Zot(binary, scratch, first).start();
    return first;
  }

  const policy = (repositories: object, more: object = {}) => ({ repositories, ...more });
  const open = { "**": { anonymousPolicy: ["read", "create", "update"] } };
  const readOnly = { "**": { anonymousPolicy: ["read"] } };
  const basic = (accessControl: object | undefined, auth: object = {}): Config => ({
    storage: {},
    http: {
      realm: "lab",
      auth: { htpasswd: { path: scratch.htpasswd("ci", "bob") }, ...auth },
      ...(accessControl ? { accessControl } : {}),
    },
  });

  it.runIf(polls)("loads a file that takes the place, and what is written in place after that", async () => {
    await serve(() => basic(policy(open)));
    const rename = (config: Config) => {
      writeFileSync(`${zot.configPath}.new`, zot.text(config));
      renameSync(`${zot.configPath}.new`, zot.configPath);
    };
    rename(basic(policy(readOnly)));
    await until("the reload", () => zot.count(LOADED) === 1, POLLED_MS);
    await until("the rules", async () => (await pushBlob(zot, "apps/web", "one")).status === 401, POLLED_MS);
    await zot.reload(basic(policy(open)));
    expect((await pushBlob(zot, "apps/web", "one")).status).toBe(201);
  });

  it.runIf(polls)("danger: started open, it loads accessControl by a rename too, and enforces none of it", async () => {
    await serve(() => ({ storage: {}, http: {} }));
    const started = zot.text({ storage: {}, http: {} });
    const rename = (text: string) => {
      writeFileSync(`${zot.configPath}.new`, text);
      renameSync(`${zot.configPath}.new`, zot.configPath);
    };
    rename(zot.text(basic(policy(readOnly))));
    await until("the reload", () => zot.count(LOADED) === 1, POLLED_MS);
    expect((await push(zot, "apps/web", "v1", "one")).status).toBe(201);
    expect(await zot.status("/v2/", { as: "ci" })).toBe(500);
    // And is as it was once the file is: what a rollback relies on when the service manager refuses.
    rename(started);
    await until("the reload", () => zot.count(LOADED) === 2, POLLED_MS);
    expect(await zot.status("/v2/", { as: "ci" })).toBe(200);
    expect((await push(zot, "apps/web", "v2", "two")).status).toBe(201);
  });

  it.skipIf(polls)("loads what is written in place, and no file that takes the place", async () => {
    await serve(() => basic(policy(open)));
    expect((await pushBlob(zot, "apps/web", "one")).status).toBe(201);
    await zot.reload(basic(policy(readOnly)));
    expect((await pushBlob(zot, "apps/web", "two")).status).toBe(401);

    // touch is no write
    const loads = zot.count(LOADED);
    utimesSync(zot.configPath, new Date(), new Date());
    await sleep(SETTLE_MS);
    expect(zot.count(LOADED)).toBe(loads);

    // a file renamed over it is not seen, and later writes in place are not either
    writeFileSync(`${zot.configPath}.new`, zot.text(basic(policy(open))));
    renameSync(`${zot.configPath}.new`, zot.configPath);
    await sleep(SETTLE_MS);
    zot.overwrite(basic(policy(open)));
    await sleep(SETTLE_MS);
    expect(zot.count(LOADED)).toBe(loads);
    expect((await pushBlob(zot, "apps/web", "two")).status).toBe(401);
  });

  it("follows a symbolic link that turns elsewhere only where it polls", async () => {
    await serve(() => basic(policy(readOnly)));
    await zot.stop();
    const [old, next] = ["old.json", "next.json"].map((name) => join(scratch.path, name)) as [string, string];
    writeFileSync(old, zot.text(basic(policy(readOnly))));
    writeFileSync(next, zot.text(basic(policy(open))));
    const link = join(scratch.path, "link.json");
    symlinkSync(old, link);
    zot = new Zot(binary, scratch, basic(policy(readOnly)), "link.json");
    await zot.start();
    unlinkSync(link);
    symlinkSync(next, link);
    await sleep(polls ? POLLED_MS : SETTLE_MS);
    expect(zot.count(LOADED)).toBe(polls ? 1 : 0);
    expect((await pushBlob(zot, "apps/web", "one")).status).toBe(polls ? 201 : 401);
  });

  it("keeps what it has when the new file is refused", async () => {
    await serve(() => basic(policy(readOnly)));
    const condition = { users: ["ci"], actions: ["create"], conditions: [{ expression: "req.tag ==" }] };
    const bad = [
      "{",
      zot.text(basic(policy({ "**": { anonymousPolicies: ["read"] } }))),
      zot.text(basic(policy({ "**": { policies: [condition] } }))),
    ];
    for (const [index, text] of bad.entries()) {
      zot.overwriteText(text);
      await until("the refusal", () => zot.count(REFUSED) > index, 3000);
    }
    expect(zot.count(LOADED)).toBe(0);
    expect(await zot.status("/v2/")).toBe(200);
    expect((await pushBlob(zot, "apps/web", "one")).status).toBe(401);
    await zot.reload(basic(policy(open)));
    expect((await pushBlob(zot, "apps/web", "one")).status).toBe(201);
  });

  it("reloads policies, conditions, groups, administrators, metrics users, API keys and the password file", async () => {
    const extensions = { metrics: { enable: true } };
    const config = (accessControl: object, auth: object = {}) => ({ ...basic(accessControl, auth), extensions });
    await serve(() => config(policy(readOnly), { apikey: true }));
    expect((await push(zot, "apps/web", "v1", "one", "ci")).status).toBe(403);

    const member = { groups: ["writers"], actions: ["create"] };
    const groups = { writers: { users: ["ci"] } };
    await zot.reload(config(policy({ "**": { ...readOnly["**"], policies: [member] } }, { groups }), { apikey: true }));
    expect((await push(zot, "apps/web", "v1", "one", "ci")).status).toBe(201);

    const conditions = [{ expression: 'req.referenceType != "tag" || req.tag == "ok"', message: "ok only" }];
    await zot.reload(config(policy({ "**": { policies: [{ ...member, conditions }] } }, { groups }), { apikey: true }));
    expect((await push(zot, "apps/web", "v2", "one", "ci")).json.errors[0].detail.reason).toBe("ok only");

    const adminPolicy = { users: ["bob"], actions: ["read", "create", "delete"] };
    const metrics = { users: ["bob"] };
    await zot.reload(config(policy(readOnly, { adminPolicy, metrics }), { apikey: true }));
    expect(await zot.status("/v2/apps/web/manifests/v1", { method: "DELETE", as: "bob" })).toBe(202);
    expect(await zot.status("/metrics", { as: "bob" })).toBe(200);
    expect(await zot.status("/metrics", { as: "ci" })).toBe(403);

    const key = (await zot.ask("/zot/auth/apikey", { method: "POST", as: "bob", body: '{"label":"x"}' })).json.apiKey;
    expect(await zot.status("/v2/", { as: `bob:${key}` })).toBe(200);
    await zot.reload(config(policy(readOnly, { adminPolicy }), { apikey: false }));
    expect(await zot.status("/v2/", { as: `bob:${key}` })).toBe(401);

    const passwords = scratch.write("other", "ci:$2b$04$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
    await zot.reload(config(policy(readOnly), { htpasswd: { path: passwords } }));
    expect(await zot.status("/v2/", { as: "bob" })).toBe(401);
  });

  it("does not reload the realm, failDelay, the rate limit, or routes that were not there", async () => {
    await serve(() => basic(policy(readOnly)));
    const next = basic(policy(readOnly), { failDelay: 2, apikey: true });
    next.http.realm = "other";
    next.http.ratelimit = { rate: 1 };
    next.extensions = { search: { enable: true }, metrics: { enable: true } };
    await zot.reload(next);
    const began = Date.now();
    const refused = await zot.ask("/v2/", { as: "ci:wrong" });
    expect(Date.now() - began).toBeLessThan(1500);
    expect(refused.headers.get("www-authenticate")).toBe('Basic realm="lab"');
    for (const path of ["/zot/auth/apikey", "/metrics", "/v2/_zot/ext/mgmt", "/v2/_zot/ext/search"]) {
      expect(await zot.status(path, { as: "ci" })).toBe(404);
    }
  });

  it("danger: started open, it loads accessControl and enforces none of it", async () => {
    await serve(() => ({ storage: {}, http: {} }));
    expect((await push(zot, "apps/web", "v1", "one")).status).toBe(201);
    await zot.reload(basic(policy(readOnly)));
    expect((await push(zot, "apps/web", "v2", "two")).status).toBe(201);
    expect(await zot.status("/v2/apps/web/manifests/v1", { method: "DELETE" })).toBe(202);
    await zot.restart();
    expect((await push(zot, "apps/web", "v3", "three")).status).toBe(401);
  });

  it("danger: started open, without an anonymous policy every login fails with 500", async () => {
    await serve(() => ({ storage: {}, http: {} }));
    await zot.reload(basic(policy({ "**": { defaultPolicy: ["read"] } })));
    expect(await zot.status("/v2/")).toBe(401);
    expect(await zot.status("/v2/", { as: "ci" })).toBe(500);
  });

  it("danger: taking http.auth away turns authentication off; taking accessControl away denies everything", async () => {
    await serve(() => basic(policy(readOnly)));
    await zot.reload({ storage: {}, http: { accessControl: policy(readOnly) } });
    expect(await zot.status("/v2/", { as: "ci:wrong" })).toBe(200);
    await zot.reload(basic(undefined));
    expect(await zot.status("/v2/apps/web/tags/list", { as: "ci" })).toBe(403);
    expect(await zot.status("/v2/apps/web/tags/list")).toBe(401);
  });

  it("picks up a password file written in place", async () => {
    await serve(() => basic(policy(readOnly)));
    expect(await zot.status("/v2/", { as: "newcomer" })).toBe(401);
    scratch.htpasswd("newcomer");
    await until("the new user", async () => (await zot.status("/v2/", { as: "newcomer" })) === 200, 3000);
  });

  it("delays refusals by failDelay, and only refusals", async () => {
    await serve(() => basic(policy(readOnly), { failDelay: 1 }));
    const took = async (path: string, ask: object) => {
      const began = Date.now();
      await zot.ask(path, ask);
      return Date.now() - began;
    };
    const [wrong, denied, anonymous] = await Promise.all([
      took("/v2/", { as: "ci:wrong" }),
      took("/v2/apps/web/blobs/uploads/", { method: "POST", as: "ci" }),
      took("/v2/", {}),
    ]);
    expect(Math.min(wrong, denied)).toBeGreaterThanOrEqual(990);
    expect(anonymous).toBeLessThan(900);
  });

  it("limits the rate of everything but health", async () => {
    await serve(() => ({ storage: {}, http: { ratelimit: { rate: 2 } } }));
    const statuses = [];
    for (let request = 0; request < 6; request++) statuses.push(await zot.status("/v2/"));
    expect(statuses.slice(0, 2)).toEqual([200, 200]);
    expect(statuses).toContain(429);
    expect(await zot.status("/livez")).toBe(200);
  });
});
