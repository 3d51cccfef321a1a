import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serializeConfig } from "../../src/config/render";
import type { ZotConfig } from "../../src/zot/types";
import { findZot } from "../parts";
import { freePort, waitForHttp } from "../process";
import { AgentDriver, type Environment, hardened, openConfig, startIssuer, type TestIssuer } from "./agent-driver";
import { type SandboxHost, startHost } from "./host";

export const CREDENTIALS = '{"clientid":"zot","clientsecret":"a-secret-nobody-may-see"}';

/** A sandbox host with an open zot, an issuer, the agent installed and its first secret put: what is to be hardened. */
export class TestHost {
  readonly url: string;

  private constructor(
    readonly directory: string,
    readonly issuer: TestIssuer,
    readonly host: SandboxHost,
    readonly agent: AgentDriver,
    /** What is served at first. */
    readonly open: ZotConfig,
    /** A hardened configuration to activate. */
    readonly config: ZotConfig,
  ) {
    this.url = `http://127.0.0.1:${open.http.port}`;
  }

  /** @param environment the agent's, made from a directory for tools */
  static async start(environment: (tools: string) => Environment = () => ({})): Promise<TestHost> {
    const directory = mkdtempSync(join(tmpdir(), "harden-zot-host-"));
    const issuer = await startIssuer();
    const open = openConfig(directory, await freePort());
    const host = await startHost({ directory, zot: findZot().where, config: serializeConfig(open) });
    const tools = join(directory, "tools");
    mkdirSync(tools);
    const agent = new AgentDriver(host, environment(tools));
    const installed = await agent.install();
    if (installed.code !== 0) throw new Error(installed.stderr);
    await waitForHttp(`http://127.0.0.1:${open.http.port}/readyz`);
    const { stdout } = await agent.call("put-secret", { name: "oidc-credentials" }, CREDENTIALS);
    return new TestHost(directory, issuer, host, agent, open, hardened(open, issuer.url, stdout.trim()));
  }

  stop(): void {
    this.host.stop();
    this.issuer.close();
    rmSync(this.directory, { recursive: true });
  }

  /** Path below the configuration directory. */
  file(name: string): string {
    return join(this.host.configDirectory, name);
  }

  /** Names below the configuration directory, in order. */
  names(directory: string): string[] {
    return readdirSync(this.file(directory)).sort();
  }

  live(): ZotConfig {
    return JSON.parse(readFileSync(this.file("config.json"), "utf8"));
  }

  mode(name: string): number {
    return statSync(this.file(name)).mode & 0o777;
  }

  /** 202: anybody may push; 401: hardened. */
  async anonymousPush(): Promise<number> {
    return (await fetch(`${this.url}/v2/apps/web/blobs/uploads/`, { method: "POST" })).status;
  }

  servedPid(): string {
    return readFileSync(join(this.directory, "zot.pid"), "utf8");
  }

  /** Stops zot, as its service manager does. */
  stopService(): Promise<unknown> {
    return this.agent.run(this.host.service.stop.join(" "), "");
  }
}
