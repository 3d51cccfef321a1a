import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
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
import { atExit, freePort, waitForHttp } from "../../sandbox/process";
import { serializeConfig } from "../../src/config/render";
import type { ZotConfig } from "../../src/zot/types";
import type { Configuration, Operation } from "./operations";
import { type Fault, FaultShims, lasts, overSsh } from "./shims";

export interface FaultFinding {
  kind: "outages" | "halfStates";
  what: string;
}

const CREDENTIALS = '{"clientid":"a","clientsecret":"b"}';

/** A host whose agent can be made to fail at any step, and what is to be said of it afterwards. */
export class FaultBench {
  private readonly agent: AgentDriver;
  private readonly sshAgent: AgentDriver;
  private credentials = "";
  private realms = false;
  private findings: FaultFinding[] = [];
  /** A file system that is mounted outlives the process. */
  private readonly leave = atExit(() => this.stop());

  private constructor(
    private readonly directory: string,
    private readonly host: SandboxHost,
    private readonly issuer: TestIssuer,
    private readonly open: ZotConfig,
    private readonly shims: FaultShims,
    /** Whether the configuration directory is a small file system of its own. */
    private readonly mounted: boolean,
  ) {
    this.agent = new AgentDriver(host, shims.environment);
    this.sshAgent = new AgentDriver(host, shims.sshEnvironment(host));
  }

  static async start(): Promise<FaultBench> {
    const directory = mkdtempSync(join(tmpdir(), "harden-zot-faults-"));
    const open = openConfig(directory, await freePort());
    const mounted = mountSmall(join(directory, "config"));
    const host = await startHost({ directory, zot: findZot().where, config: serializeConfig(open) });
    const bench = new FaultBench(directory, host, await startIssuer(), open, new FaultShims(directory), mounted);
    await waitForHttp(`${bench.url}/readyz`);
    await bench.agent.install();
    return bench;
  }

  stop(): void {
    this.leave();
    this.host.stop();
    this.issuer.close();
    if (this.mounted) execFileSync("umount", ["-l", this.host.configDirectory]);
    rmSync(this.directory, { recursive: true });
  }

  private get url(): string {
    return `http://127.0.0.1:${this.open.http.port}`;
  }

  /** The call that went wrong last; empty when there were fewer calls than that. */
  get hit(): string {
    return this.shims.hit;
  }

  async stepsOf(operation: Operation): Promise<string[]> {
    const { to } = await this.prepare(operation);
    this.shims.arm("tool-fails", 0);
    await this.must(operation.run(this, this.agent, to));
    return this.shims.disarm();
  }

  /** @returns what is not as it should be afterwards; undefined when the fault could not be brought about */
  async inject(operation: Operation, fault: Fault, call: number): Promise<FaultFinding[] | undefined> {
    if (lasts(fault) && !this.mounted) return undefined;
    const way = await this.prepare(operation);
    this.findings = [];
    this.shims.arm(fault, call);
    const interrupted = await operation.run(this, overSsh(fault) ? this.sshAgent : this.agent, way.to);
    this.shims.disarm();
    if (this.shims.failed || this.hit === "") return undefined;
    if (overSsh(fault)) await this.shims.agentGone();
    // What a call could not remove, or said that it could not note down, is for the next one.
    const owing = fault === "tool-fails" && (this.hit.startsWith("rm ") || interrupted.stderr.includes("run again"));
    await this.examine(way, fault, interrupted, owing);
    await this.completes(operation, way);
    return this.findings;
  }

  private outage(what: string): void {
    this.findings.push({ kind: "outages", what });
  }

  private half(what: string): void {
    this.findings.push({ kind: "halfStates", what });
  }

  /** A call that came to its end has to have left all in order by itself; any other, by the next call. */
  private async examine({ from, to }: Way, fault: Fault, { code, stderr }: Call, owing: boolean): Promise<void> {
    // 255 is ssh's own, when the connection is gone; the agent goes on.
    const ended = code !== null && code !== 255;
    if (ended && code !== 0 && !/^harden-zot: \S/m.test(stderr)) this.half(`failed without a word (${code})`);
    if (!overSsh(fault) && !this.isWhole(from) && !this.isWhole(to)) this.half("config.json is neither old nor new");
    if (lasts(fault)) {
      const during = await this.servedSoon();
      if (during !== from && during !== to) this.outage(`${during} is served while it lasts`);
      this.mend();
    }
    if (fault === "sshd-killed") await this.host.restartSshd();
    if (!ended || lasts(fault) || owing) {
      const next = await this.putSecret();
      if (next.code !== 0) this.outage(`the next call failed: ${next.stderr}`);
    }
    const served = await this.servedSoon();
    if (served !== from && served !== to) this.outage(`${served} is served`);
    if (code === 0 && served !== to) this.outage(`said done, and ${served} is served`);
    await this.examineStatus(served);
    this.examineFiles();
  }

  private async examineStatus(served: Configuration | "nothing"): Promise<void> {
    const { applied, config, drift, healthy, journal, lock } = await this.agent.status();
    const text = readFileSync(this.configFile, "utf8").replace(/\n*$/, "\n");
    if (config !== createHash("sha256").update(text).digest("hex")) this.half("status names another configuration");
    if (served !== "nothing" && !this.isWhole(served)) this.half(`${served} is served and not in config.json`);
    if (applied === null ? served !== "open" : applied !== config) this.half(`status says ${applied} was applied`);
    const amiss = drift.filter((line) => !line.includes("rolled back by hand"));
    if (!healthy || journal || lock || amiss.length > 0) {
      this.half(`status says ${JSON.stringify({ healthy, journal, lock, drift: amiss })}`);
    }
  }

  private examineFiles(): void {
    const state = join(this.host.configDirectory, "harden-zot");
    // The catalog is for the machine that runs Pulumi to look for, and to take away.
    const known = /^(agent\.sh|catalog|secrets|record|version|(original|previous)\.(json|record))$/;
    const secrets = existsSync(join(state, "secrets")) ? readdirSync(join(state, "secrets")) : [];
    for (const name of readdirSync(state)) if (!known.test(name)) this.half(`${name} is left over`);
    for (const name of secrets) {
      if (!/-[0-9a-f]{12}\.json$/.test(name)) this.half(`secrets/${name} is left over`);
      if ((statSync(join(state, "secrets", name)).mode & 0o077) !== 0) this.half(`secrets/${name} is open to others`);
    }
  }

  /** The next run of the same does what it should. */
  private async completes(operation: Operation, { to }: Way): Promise<void> {
    // To roll back once more would lead away again.
    if (operation.needsPrevious && (await this.served()) === to) return;
    const again = await operation.run(this, this.agent, to);
    if (again.code !== 0) this.outage(`the next run failed: ${again.stderr}`);
    else if ((await this.served()) !== to) this.outage(`after the next run ${await this.served()} is served`);
    this.examineFiles();
  }

  private get configFile(): string {
    return join(this.host.configDirectory, "config.json");
  }

  private isWhole(name: Configuration, file = this.configFile): boolean {
    try {
      return isDeepStrictEqual(JSON.parse(readFileSync(file, "utf8")), this.config(name));
    } catch {
      return false;
    }
  }

  async putSecret(agent = this.agent): Promise<Call> {
    const call = await agent.call("put-secret", { name: "oidc-credentials" }, CREDENTIALS);
    if (call.code === 0) this.credentials = call.stdout.trim();
    return call;
  }

  config(name: Configuration): ZotConfig {
    if (name === "open") return this.open;
    const first = hardened(this.open, this.issuer.url, this.credentials);
    if (name === "first") return first;
    const second = withRule(first, "second/**");
    return this.realms ? withRealm(second, "hall") : second;
  }

  /** @returns from where to where the operation leads now */
  private async prepare({ bothWays, from, needsPrevious, restarts = false, to }: Operation): Promise<Way> {
    this.realms = restarts;
    const way = bothWays && this.isWhole(to) ? { from: to, to: from } : { from, to };
    const previous = join(this.host.configDirectory, "harden-zot/previous.json");
    if (needsPrevious && !(this.isWhole(way.from) && this.isWhole(way.to, previous))) await this.goTo(way.to);
    await this.goTo(way.from);
    return way;
  }

  private async goTo(name: Configuration): Promise<void> {
    if (this.isWhole(name) && (await this.served()) === name && existsSync(this.credentials)) return;
    if (name === "open") await this.must(this.agent.call("restore"));
    await this.must(this.putSecret());
    if (name !== "open") await this.must(this.agent.activate(this.config(name)));
  }

  private async must(running: Promise<Call>): Promise<void> {
    const { code, stderr } = await running;
    if (code !== 0) throw new Error(`a run without a fault failed: ${stderr}`);
  }

  private mend(): void {
    execFileSync("mount", ["-o", "remount,rw", this.host.configDirectory]);
    rmSync(join(this.host.configDirectory, "filler"), { force: true });
  }

  /** zot may just be starting again. */
  private async servedSoon(): Promise<Configuration | "nothing"> {
    await waitForHttp(`${this.url}/readyz`, 8000).catch(() => {});
    return this.served();
  }

  private async served(): Promise<Configuration | "nothing"> {
    const ask = (path: string, method = "GET") =>
      fetch(`${this.url}/v2/${path}`, { method }).then(
        (response) => response.status,
        () => 0,
      );
    const push = await ask("probe/blobs/uploads/", "POST");
    if (push === 202) return "open";
    if (push !== 401) return "nothing";
    // `second` has a rule of its own for this namespace.
    return (await ask("second/x/tags/list")) === 401 ? "second" : "first";
  }
}

interface Way {
  from: Configuration;
  to: Configuration;
}

/** Large enough for what the agent keeps, small enough to be filled at once. */
function mountSmall(directory: string): boolean {
  mkdirSync(directory, { mode: 0o700 });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=700", "harden-zot", directory], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
