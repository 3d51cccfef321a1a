import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sshConnections, sshSessions } from "../../sandbox/host/host";
import { RequestLoop } from "../../sandbox/host/request-loop";
import { TestHost } from "../../sandbox/host/test-host";
import type { ZotConfig } from "../../src/zot/types";
import { type Ansible, ensureAnsible, findPython, Playbook } from "./ansible";

const SECRETS = { credentials: { clientid: "zot", clientsecret: "s" }, sessionKeys: { hashKey: "k".repeat(64) } };

/** Left out where there is no Python for it: nothing but `make ansible` needs it. */
describe.skipIf(!findPython())("the careful playbook", () => {
  let ansible: Ansible;
  let test: TestHost;
  let playbook: Playbook;
  let config: ZotConfig;

  beforeAll(async () => {
    ansible = await ensureAnsible(() => {});
    test = await TestHost.start();
    playbook = new Playbook(ansible, "careful", test.host, join(test.directory, "ansible"));
    config = structuredClone(test.config);
    const credentialsFile = join(playbook.secretsDirectory, "oidc-credentials.json");
    Object.assign(config.http.auth?.openid?.providers.oidc as object, { credentialsFile });
  });
  afterAll(() => {
    playbook?.disconnect();
    test?.stop();
  });

  it("hardens a registry over one SSH connection, by a restart that its users notice", async () => {
    expect(await test.anonymousPush()).toBe(202);
    playbook.configure({ config, ...SECRETS });
    const loop = new RequestLoop(`${test.url}/v2/`);
    const { code, output } = await playbook.run();
    const { failed, longest, window } = await loop.stop();
    expect(code, output).toBe(0);
    expect(await test.anonymousPush()).toBe(401);
    expect(test.mode("secrets/oidc-credentials.json")).toBe(0o600);
    expect(failed).toBeGreaterThan(0);
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThanOrEqual(window);
    expect(sshConnections(test.directory)).toBe(1);
    expect(sshSessions(test.directory)).toBeGreaterThan(5);
  });

  it("refuses a key that zot does not know, and the registry goes on with what it has", async () => {
    const before = test.servedPid();
    const misspelt = { ...config, http: { ...config.http, compatt: ["docker2s2"] } };
    playbook.disconnect();
    playbook.configure({ config: misspelt, ...SECRETS });
    const { code, output } = await playbook.run();
    expect(code, output).toBe(2);
    expect(sshConnections(test.directory)).toBe(2);
    expect(output).toMatch(/failed to validate.*compatt/s);
    expect(test.live()).toEqual(config);
    expect(test.servedPid()).toBe(before);
  });

  it("has a usual one beside it that Ansible takes", async () => {
    const { code, output } = await new Playbook(ansible, "usual", test.host, test.directory).run("--syntax-check");
    expect(code, output).toBe(0);
  });
});
