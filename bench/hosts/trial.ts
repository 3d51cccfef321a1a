import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AgentDriver,
  type Call,
  hardened,
  openConfig,
  startIssuer,
  type TestIssuer,
  withRealm,
  withRule,
} from "../../sandbox/host/agent-driver";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { findZot } from "../../sandbox/parts";
import { freePort, waitForHttp } from "../../sandbox/process";
import { serializeConfig } from "../../src/config/render";
import type { Ground } from "./engines";
import type { HostKind } from "./kinds";

/** A busy machine is no broken host. */
const PATIENT = { wait: 60 };

/** How long each step took, in ms. */
export type Trial = Record<"status" | "harden" | "change a rule" | "roll back" | "restore", number>;

/**
 * All that a host is asked for in its life, on a host of that kind.
 * @throws at the first thing that is not as it should be, with what the agent said
 */
export async function tryOut(kind: HostKind): Promise<Trial> {
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-kind-"));
  const issuer = await startIssuer();
  const host = await startHost({ directory, zot: findZot().where });
  try {
    const open = openConfig(directory, await freePort());
    writeFileSync(join(host.configDirectory, "config.json"), serializeConfig(open));
    mkdirSync(join(directory, "storage"));
    return await tryOn(kind, { directory, host, open, zot: findZot() }, issuer);
  } finally {
    host.stop();
    issuer.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

async function tryOn(kind: HostKind, ground: Ground, issuer: TestIssuer): Promise<Trial> {
  const { agent, stop } = await kind.start(ground);
  try {
    await waitForHttp(`http://127.0.0.1:${ground.open.http.port}/readyz`, 30_000);
    return await life(agent, ground, issuer);
  } finally {
    await stop();
  }
}

async function life(agent: AgentDriver, { host, open }: Ground, issuer: TestIssuer): Promise<Trial> {
  says(await agent.install(), 0, /^$/);
  const credentials = '{"clientid":"a","clientsecret":"b"}';
  const put = says(await agent.call("put-secret", { name: "oidc-credentials" }, credentials), 0, /^\/\S+\.json\n$/);
  const config = hardened(open, issuer.url, put.stdout.trim());
  const began = performance.now();
  await is(agent, { service: "running", healthy: true, applied: null, trouble: [] });
  const status = performance.now() - began;

  const harden = says(await agent.activate(config, PATIENT), 0, /"action":"restarted"/);
  await is(agent, { service: "running", healthy: true, guarded: true, drift: [] });
  const ruled = withRule(config, "private/**");
  const rule = says(await agent.activate(ruled, PATIENT), 0, /"action":"reloaded"/);
  const nowhere = { ...ruled, storage: { rootDirectory: join(host.configDirectory, "config.json/storage") } };
  const rollBack = says(
    await agent.activate(nowhere, PATIENT),
    1,
    // All of them, and not how the zot before it ended.
    /; the last good configuration is back and serving\n(?! {2}zot: .*Server closed)( {2}zot: .*\n)* {2}zot: .*config\.json\/storage/,
  );
  await is(agent, { service: "running", healthy: true, drift: [] });
  const other = { ...agent.host, service: { ...agent.host.service, name: "zto" } } as unknown as SandboxHost;
  const lost = await new AgentDriver(other, agent.environment).activate(withRealm(config, "other"));
  // A sudo that is asked for anything else refuses.
  says(
    lost,
    1,
    /the service manager (does not know zto \(|did not let zot ask for zto: sudo: ).*; nothing was changed\n$/,
  );
  const restore = says(await agent.call("restore", PATIENT), 0, /"action":"restarted"/);
  await is(agent, { service: "running", healthy: true, applied: null, guarded: false });
  return {
    status,
    harden: harden.milliseconds,
    "change a rule": rule.milliseconds,
    "roll back": rollBack.milliseconds,
    restore: restore.milliseconds,
  };
}

function says(call: Call, code: number, words: RegExp): Call {
  const said = `${call.stdout}${call.stderr}`;
  if (call.code !== code || !words.test(said))
    throw new Error(`ended with ${call.code}, not ${code} ${words}: ${said}`);
  return call;
}

async function is(agent: AgentDriver, wanted: object): Promise<void> {
  const status: Record<string, unknown> = { ...(await agent.status()) };
  for (const [key, value] of Object.entries(wanted)) {
    if (JSON.stringify(status[key]) !== JSON.stringify(value)) throw new Error(`status: ${JSON.stringify(status)}`);
  }
}
