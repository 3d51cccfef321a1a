import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pullManifest, pushImage } from "../../sandbox/distribution";
import { withRule } from "../../sandbox/host/agent-driver";
import { TestHost } from "../../sandbox/host/test-host";
import { serializeConfig } from "../../src/config/render";
import { keepCatalog } from "../../src/host/catalog";
import { OperatorError } from "../../src/operator/error";
import { tinyImage } from "../../src/verify/image";
import type { ZotConfig } from "../../src/zot/types";

const TENURE = { owner: "prod:0123456789ab", life: "cdef01234567" };

/** Of a host that was just hardened for the first time. */
describe("the catalog after the first hardening", () => {
  let test: TestHost;
  let servers: Server[];
  beforeEach(async () => {
    servers = [];
    test = await TestHost.start();
    for (const repository of ["team/app", "other", "plans"])
      expect((await pushImage(test.url, repository, "v1", tinyImage(repository))).status).toBe(201);
  });
  afterEach(() => {
    for (const server of servers) server.close();
    test.stop();
  });

  const activate = async (config: ZotConfig) => {
    await test.agent.call("claim", TENURE);
    expect((await test.agent.activate(config, TENURE)).stderr).toBe("");
  };
  /** @param running for how long the run that asks has been going on, in seconds */
  const keep = (registry = test.url, running: number | undefined = 3600) => {
    const { privateKeyFile: _, privateKey: text, ...login } = test.host.ssh;
    const { configDirectory, service, zot } = test.host;
    const host = { ...login, key: { text }, configDirectory, service, zot, sudo: false };
    return keepCatalog({ ...host, ...TENURE, registry, heal: 0 }, running);
  };
  const refusal = (run: Promise<unknown>) =>
    run.then(
      () => undefined,
      (error: Error) => error,
    );

  it("is asked for from outside once, and then not any more", async () => {
    await activate(test.config);
    expect(await keep()).toEqual({
      catalog: `3 tags of 3 repositories that anyone could see before are there, asked for at ${test.url} without a login`,
    });
    expect(await keep()).toEqual({ catalog: "nothing was noted down to look for" });
    expect(await test.anonymousPush()).toBe(401);
  });

  it("does not say that nothing was changed where the host cannot be reached any more", async () => {
    await activate(test.config);
    const { privateKeyFile: _, privateKey: text, ...login } = test.host.ssh;
    const { configDirectory, service, zot } = test.host;
    const gone = { ...login, port: 1, key: { text }, configDirectory, service, zot, sudo: false };
    const failure = await refusal(keepCatalog({ ...gone, ...TENURE, registry: test.url, heal: 0 }));
    expect(failure?.message).toMatch(
      /cannot be reached \(ECONNREFUSED\): check address, port and that sshd runs there\. What was done until now stays: mend it, and the next run goes on from there\.$/,
    );
  });

  it("says of what nobody may read any more that it is not told", async () => {
    await activate(withRule(test.config, "plans"));
    expect((await keep()).catalog).toBe(
      `2 tags of 2 repositories that anyone could see before are there, asked for at ${test.url} without a login; not told, since anonymous clients may not read them now (their files are under ${test.open.storage.rootDirectory}): plans`,
    );
  });

  it("that is gone brings the configuration from before back, and names what is gone", async () => {
    const elsewhere = { ...test.config.storage, rootDirectory: join(test.directory, "elsewhere") };
    await activate({ ...test.config, storage: elsewhere });
    expect((await pullManifest(test.url, "team/app", "v1")).status).toBe(404);
    const error = await refusal(keep());
    expect(error).toBeInstanceOf(OperatorError);
    expect((error as Error).message).toMatch(
      /does not have what it showed to anyone before: (other|plans|team\/app) \(404 NAME_UNKNOWN\), .*\. The configuration from before is back and serving\. Compare storage\.rootDirectory/,
    );
    for (const name of ["other", "plans", "team/app"]) expect((error as Error).message).toContain(`${name} (404`);
    expect(readFileSync(test.file("config.json"), "utf8")).toBe(serializeConfig(test.open));
    expect((await pullManifest(test.url, "team/app", "v1")).status).toBe(200);
    expect(await test.anonymousPush()).toBe(202);
    expect(existsSync(test.file("harden-zot/catalog"))).toBe(false);
  });

  it("is looked for on the host's disk where nobody may read it any more", async () => {
    const elsewhere = { ...test.config.storage, rootDirectory: join(test.directory, "elsewhere") };
    await activate({ ...withRule(test.config, "**"), storage: elsewhere });
    expect((await refusal(keep()))?.message).toContain(`plans (not under ${elsewhere.rootDirectory})`);
    expect(await test.anonymousPush()).toBe(202);
  });

  it("that lost one tag on the way to those who ask is as bad", async () => {
    await activate(test.config);
    const url = await outside((path) =>
      path === "/v2/other/tags/list" ? '{"name":"other","tags":["v2"]}' : undefined,
    );
    expect((await refusal(keep(url)))?.message).toContain(
      "showed to anyone before: other:v1 (not in its list of tags).",
    );
    expect(await test.anonymousPush()).toBe(202);
  });

  it("of an earlier run that was cut off opens nothing, and is told once: somebody may have deleted an image since", async () => {
    for (const running of [0, Number.NaN]) {
      await activate(test.config);
      writeFileSync(
        test.file("harden-zot/catalog"),
        `noted ${Math.floor(Date.now() / 1000) - 2}\nother\tv1\nother\tv9\n`,
      );
      const error = await refusal(keep(test.url, running));
      expect(error).toBeInstanceOf(OperatorError);
      expect(error?.message.split(": ").slice(1).join(": ")).toBe(
        `an earlier run hardened it and was cut off; the registry at ${test.url} does not have what it showed to anyone before that run: other:v9 (not in its list of tags). The host stays hardened. If nobody deleted it since, compare storage.rootDirectory and storage.subPaths of the settings with ${test.file("harden-zot/original.json")}. The next up does not ask again.`,
      );
      expect(await test.anonymousPush()).toBe(401);
      expect(await keep(test.url, running)).toEqual({ catalog: "nothing was noted down to look for" });
    }
  });

  it.each([
    ["502 of a proxy", 502, "502"],
    ["404 of a web server", 404, "404"],
    ["429 at every try", 429, "429"],
    ["a page", "<html>Welcome</html>", "200"],
    ["another JSON", "{}", "200"],
    ["another repository's list", '{"name":"another","tags":[]}', "200"],
  ])("that cannot be asked for opens nothing, %s: up fails, and the next one asks again", async (_, told, seen) => {
    await activate(test.config);
    const down = await outside((path) => (path.endsWith("/tags/list") ? told : undefined));
    const error = await refusal(keep(down));
    expect(error).toBeInstanceOf(OperatorError);
    expect(error?.message.replace(/http:\S+/, "URL")).toBe(
      `hardened, and what the registry showed to anyone before cannot be asked for at URL (${seen}): the host stays hardened. See that externalUrl leads to it, and run up again.`,
    );
    expect(await test.anonymousPush()).toBe(401);
    expect((await keep()).catalog).toContain("3 tags of 3 repositories");
  });

  it("is not noted down of a configuration that is ours, whose record is lost", async () => {
    await activate(test.config);
    await keep();
    writeFileSync(test.file("harden-zot/record"), "sha2");
    await activate(withRule(test.config, "plans"));
    expect(existsSync(test.file("harden-zot/catalog"))).toBe(false);
  });

  it("is waited for while a proxy has not noticed that zot is back", async () => {
    await activate(test.config);
    const until = Date.now() + 700;
    const url = await outside(() => (Date.now() < until ? 502 : undefined));
    expect((await keep(url)).catalog).toContain("3 tags of 3 repositories");
  });

  /** Another address of the registry. @param lie what it answers instead: a body, or a status */
  async function outside(lie: (path: string) => string | number | undefined): Promise<string> {
    const server = createServer(async (request, answer) => {
      const told = lie(request.url ?? "");
      if (typeof told === "number") return answer.writeHead(told).end();
      if (told !== undefined) return answer.end(told);
      const reply = await fetch(`${test.url}${request.url}`, { method: request.method ?? "GET" });
      return answer.writeHead(reply.status).end(await reply.text());
    });
    servers.push(server);
    await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});
