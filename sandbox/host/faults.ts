import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { serializeConfig } from "../../src/zot/config";
import type { ZotConfig } from "../../src/zot/types";
import { findZot } from "../parts";
import { freePort, waitForHttp } from "../process";
import {
  AgentDriver,
  type Call,
  hardened,
  openConfig,
  startIssuer,
  type TestIssuer,
  withRealm,
  withRule,
} from "./agent-driver";
import { FAULTS, type Fault, FaultShims } from "./fault-shims";
import { type SandboxHost, startHost } from "./host";

export interface FaultReport {
  faults: number;
  /** Faults after which, one call later, the registry did not serve what it should. */
  outages: number;
  /** Faults after which something was left half done, or a secret open to others. */
  halfStates: number;
  /** One line for each of those. */
  findings: string[];
  /** Calls that each operation was interrupted at. */
  steps: Record<string, string[]>;
}

/** Which registry answers: the configurations differ in what an anonymous client is told. */
type Configuration = "open" | "first" | "second";
type Served = Configuration | "nothing";

/** Something the agent does, to be interrupted: from one configuration to another. */
interface Operation {
  name: string;
  from: Configuration;
  to: Configuration;
  /** The configuration before `from`. */
  before?: Configuration;
  run(bench: FaultBench): Promise<Call>;
}

/** Each begins where the one before ended, and every second one leads back. */
const OPERATIONS: Operation[] = [
  { name: "first hardening", from: "open", to: "first", run: (bench) => bench.activate("first") },
  { name: "put-secret", from: "first", to: "first", run: (bench) => bench.putSecret() },
  { name: "reload", from: "first", to: "second", run: (bench) => bench.activate("second") },
  { name: "restart", from: "second", to: "first", run: (bench) => bench.activate("first", "changed") },
  {
    name: "roll back",
    before: "second",
    from: "first",
    to: "second",
    run: (bench) => bench.agent.call("rollback", { wait: 20 }),
  },
  { name: "restore", from: "first", to: "open", run: (bench) => bench.agent.call("restore", { wait: 20 }) },
];

/**
 * Lets everything go wrong that can, at every step of every operation.
 * @param every only each n-th fault, for a sample
 */
export async function runFaults(every = 1, say: (line: string) => void = () => {}): Promise<FaultReport> {
  const bench = await FaultBench.start();
  try {
    for (const operation of OPERATIONS) await bench.interrupt(operation, every, say);
    return bench.report;
  } finally {
    bench.stop();
  }
}

class FaultBench {
  readonly report: FaultReport = { faults: 0, outages: 0, halfStates: 0, findings: [], steps: {} };
  readonly agent: AgentDriver;
  private credentials = "";
  private turn = 0;

  private constructor(
    private readonly directory: string,
    private readonly host: SandboxHost,
    private readonly issuer: TestIssuer,
    private readonly open: ZotConfig,
    private readonly shims: FaultShims,
  ) {
    this.agent = new AgentDriver(host, shims.environment);
  }

  static async start(): Promise<FaultBench> {
    const directory = mkdtempSync(join(tmpdir(), "harden-zot-faults-"));
    const open = openConfig(directory, await freePort());
    const host = await startHost({ directory, zot: findZot().where, config: serializeConfig(open) });
    const bench = new FaultBench(directory, host, await startIssuer(), open, new FaultShims(directory));
    await waitForHttp(`${bench.url}/readyz`);
    await bench.agent.install();
    return bench;
  }

  stop(): void {
    this.host.stop();
    this.issuer.close();
    rmSync(this.directory, { recursive: true });
  }

  private get url(): string {
    return `http://127.0.0.1:${this.open.http.port}`;
  }

  async interrupt(operation: Operation, every: number, say: (line: string) => void): Promise<void> {
    await this.prepare(operation);
    this.shims.arm("tool-fails", 0);
    await operation.run(this);
    const steps = this.shims.disarm();
    this.report.steps[operation.name] = steps;
    for (const fault of FAULTS) {
      for (let call = 1; call <= steps.length; call++) {
        if (this.turn++ % every !== 0) continue;
        await this.prepare(operation);
        const findings = await this.inject(operation, fault, call);
        this.report.faults++;
        for (const finding of findings) {
          const line = `${operation.name}, ${fault} at ${call} (${steps[call - 1]}): ${finding}`;
          this.report.findings.push(line);
          say(line);
        }
      }
    }
    say(`${operation.name}: ${steps.length} steps`);
  }

  private async inject(operation: Operation, fault: Fault, call: number): Promise<string[]> {
    this.shims.arm(fault, call);
    const interrupted = await operation.run(this);
    this.shims.disarm();
    const findings: string[] = [];
    const outage = (finding: string) => findings.push(finding) && this.report.outages++;
    const half = (finding: string) => findings.push(finding) && this.report.halfStates++;
    if (!this.isWhole(operation)) half("config.json is neither the old one nor the new one");
    // A call that came to its end has to have left all in order by itself; one that was killed, by the next call.
    const ended = interrupted.code !== null;
    if (ended && interrupted.code !== 0 && !/^harden-zot: \S/m.test(interrupted.stderr)) {
      half(`failed without a word: ${JSON.stringify(interrupted)}`);
    }
    if (!ended) await this.putSecret();
    const served = await this.servedSoon();
    if (served !== operation.from && served !== operation.to) outage(`${served} is served`);
    if (interrupted.code === 0 && served !== operation.to) outage(`said done, and ${served} is served`);
    const again = await operation.run(this);
    const already = operation.name === "roll back" && served === operation.to;
    if (again.code !== 0) outage(`the next run failed: ${again.stderr}`);
    else if (!already && (await this.served()) !== operation.to)
      outage(`after the next run ${await this.served()} is served`);
    for (const leftover of this.leftovers()) half(leftover);
    return findings;
  }

  private isWhole({ from, to }: Operation): boolean {
    try {
      const config = JSON.parse(readFileSync(join(this.host.configDirectory, "config.json"), "utf8"));
      return [from, to].some((name) => this.isNamed(config, name));
    } catch {
      return false;
    }
  }

  private isNamed(config: ZotConfig, name: Configuration): boolean {
    return isDeepStrictEqual(withRealm(config, ""), this.config(name, ""));
  }

  private leftovers(): string[] {
    const state = join(this.host.configDirectory, "harden-zot");
    const known = /^(agent\.sh|secrets|record|version|(original|previous)\.(json|record))$/;
    const strangers = readdirSync(state).filter((name) => !known.test(name));
    const secrets = existsSync(join(state, "secrets")) ? readdirSync(join(state, "secrets")) : [];
    const bare = secrets.filter((name) => (statSync(join(state, "secrets", name)).mode & 0o077) !== 0);
    return [
      ...strangers.map((name) => `${name} is left over`),
      ...secrets.filter((name) => !/-[0-9a-f]{12}\.json$/.test(name)).map((name) => `secrets/${name} is left over`),
      ...bare.map((name) => `secrets/${name} is open to others`),
    ];
  }

  async putSecret(): Promise<Call> {
    const call = await this.agent.call(
      "put-secret",
      { name: "oidc-credentials" },
      '{"clientid":"a","clientsecret":"b"}',
    );
    if (call.code === 0) this.credentials = call.stdout.trim();
    return call;
  }

  /** @param realm one that zot does not have yet forces a restart */
  async activate(name: "first" | "second", realm = "zot"): Promise<Call> {
    return this.agent.activate(this.config(name, realm));
  }

  private config(name: Configuration, realm: string): ZotConfig {
    if (name === "open") return withRealm(this.open, realm);
    const first = withRealm(hardened(this.open, this.issuer.url, this.credentials), realm);
    return name === "first" ? first : withRule(first, "second/**");
  }

  private async prepare({ before, from }: Operation): Promise<void> {
    if (before) await this.goTo(before);
    await this.goTo(from);
  }

  private async goTo(name: Configuration): Promise<void> {
    if (name === "open") await this.must(this.agent.call("restore"));
    await this.must(this.putSecret());
    if (name !== "open") await this.must(this.activate(name));
  }

  private async must(running: Promise<Call>): Promise<void> {
    const { code, stderr } = await running;
    if (code !== 0) throw new Error(`a run without a fault failed: ${stderr}`);
  }

  /** zot may just be starting again. */
  private async servedSoon(): Promise<Served> {
    await waitForHttp(`${this.url}/readyz`, 8000).catch(() => {});
    return this.served();
  }

  private async served(): Promise<Served> {
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

async function main(): Promise<void> {
  const report = await runFaults(Number(process.argv[2] ?? 1), (line) => console.log(line));
  console.log(`${report.faults} faults, ${report.outages} outages, ${report.halfStates} half states`);
  process.exitCode = report.outages + report.halfStates === 0 ? 0 : 1;
}

if (require.main === module) void main();
