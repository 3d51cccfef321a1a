import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
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
import type { SandboxHost } from "../../sandbox/host/host";
import { findZot } from "../../sandbox/parts";
import { atExit, freePort } from "../../sandbox/process";
import { serializeConfig } from "../../src/config/render";
import { installScript, scriptCommand, statusCommand } from "../../src/host/agent";
import type { ZotConfig } from "../../src/zot/types";
import type { Tree } from "./file-system";
import type { Configuration, PowerOperation, Step } from "./operations";
import { BROKEN_ROOT, CheapService, realService, type Service } from "./services";
import type { Recording } from "./states";
import { readTrace, STRACE } from "./system-call";
import { layDown, readTree } from "./tree";

const AGENT = readFileSync(resolve(__dirname, "../../src/host/agent.sh"), "utf8");
/** Whose the host is. */
const TENURE = { owner: "stack", life: "1" };
/** What lies there before an `install`. */
const OLD_AGENT = `${AGENT}# another version\n`;

/** A host in this process and a few others, whose agent can be recorded and whose directory can be put into any state. */
export class PowerBench {
  readonly configDirectory: string;
  readonly agent: AgentDriver;
  private readonly leave = atExit(() => this.stop());
  private real: Service | undefined;

  private constructor(
    private readonly directory: string,
    private readonly port: number,
    private readonly issuer: TestIssuer,
    private readonly cheap: CheapService,
  ) {
    this.configDirectory = join(directory, "config");
    this.agent = this.agentOf(cheap);
  }

  /** @param mount puts a file system of its own under the configuration directory */
  static async start(mount: (configDirectory: string) => void = () => {}): Promise<PowerBench> {
    const directory = mkdtempSync(join(inMemory(), "harden-zot-power-"));
    const configDirectory = join(directory, "config");
    mkdirSync(configDirectory, { mode: 0o700 });
    mount(configDirectory);
    const port = await freePort();
    const cheap = await CheapService.start(directory, join(configDirectory, "config.json"), port, findZot());
    return new PowerBench(directory, port, await startIssuer(), cheap);
  }

  stop(): void {
    this.leave();
    this.cheap.end();
    this.real?.end();
    this.issuer.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** @param kind cheap: in this process; real: the zot that was found, under the sandbox's service manager */
  async service(kind: "cheap" | "real"): Promise<{ service: Service; agent: AgentDriver }> {
    if (kind === "cheap") return { service: this.cheap, agent: this.agent };
    this.real ??= await realService(this.directory, findZot(), `http://127.0.0.1:${this.port}`);
    return { service: this.real, agent: this.agentOf(this.real) };
  }

  private agentOf(service: Service): AgentDriver {
    const { configDirectory } = this;
    return new AgentDriver({ configDirectory, service: service.settings, zot: service.zot } as unknown as SandboxHost);
  }

  tree(): Tree {
    return readTree(this.configDirectory);
  }

  layDown(tree: Tree): void {
    layDown(this.configDirectory, tree);
  }

  /** @throws when there is none */
  config(name: Configuration): ZotConfig {
    const open = openConfig(this.directory, this.port);
    const first = hardened(open, this.issuer.url, this.secretFile("first"));
    const configs: Partial<Record<Configuration, ZotConfig>> = {
      open,
      first,
      // Of more than a block, so that a write in place can be torn between two.
      second: Array.from({ length: 60 }, (_, n) => `second-${n}/**`).reduce(withRule, first),
      realm: withRealm(first, "hall"),
      rotated: hardened(open, this.issuer.url, this.secretFile("rotated")),
      "rotated again": hardened(open, this.issuer.url, this.secretFile("rotated again")),
      // It serves without us.
      farewell: {
        ...open,
        http: { ...open.http, accessControl: { repositories: { "**": { anonymousPolicy: ["read"] } } } },
      },
      broken: withRealm({ ...first, storage: { rootDirectory: BROKEN_ROOT } }, "broken"),
    };
    const config = configs[name];
    if (!config) throw new Error(`there is no configuration ${name}`);
    return config;
  }

  /** Those of the configurations that need others than the first have their own. */
  private credentials(name: Configuration): string {
    const own = name.startsWith("rotated") ? name : "first";
    return JSON.stringify({ clientid: "zot", clientsecret: `secret of ${own}` });
  }

  secretFile(name: Configuration): string {
    const id = createHash("sha256").update(this.credentials(name)).digest("hex").slice(0, 12);
    return join(this.configDirectory, "harden-zot/secrets", `oidc-credentials-${id}.json`);
  }

  /** By an agent that is brought along. */
  status(agent: AgentDriver): Promise<Call> {
    return agent.run(statusCommand({ ...agent.host, sudo: false }), AGENT);
  }

  /** As a program would have it done. */
  run(step: Step, to: Configuration, agent = this.agent, heal = 0): Promise<Call> {
    // A busy machine is no broken host.
    const wait = 15;
    switch (step) {
      case "install":
        return agent.run(scriptCommand(agent.host, 0), installScript(AGENT));
      case "put-secret":
        return agent.call("put-secret", { name: "oidc-credentials", wait }, this.credentials(to));
      case "activate":
        return agent.activate(this.config(to), { ...TENURE, wait, heal });
      case "rollback":
        return agent.call(step, { wait });
      default:
        return agent.call(step, { ...TENURE, wait }, step === "close" ? this.text(to) : "");
    }
  }

  /** Leads the host through the history of an operation. */
  async prepare({ history: [found, ...later], killed, to }: PowerOperation): Promise<void> {
    await this.cheap.stop();
    this.layDown(new Map());
    if (found !== "none") {
      this.layDown(new Map([["config.json", { mode: 0o600, content: Buffer.from(this.text(found)) }]]));
      await this.cheap.boot();
    }
    if (later.length === 0) return;
    await must(this.agent.run(scriptCommand(this.agent.host, 0), installScript(OLD_AGENT)));
    for (const name of later) {
      await must(this.run("put-secret", name));
      await must(this.run("activate", name));
    }
    if (killed) await this.killedWhile("activate", to);
    else await must(this.run("install", to));
  }

  text(name: Configuration): string {
    return serializeConfig(this.config(name));
  }

  private async killedWhile(step: "activate", to: Configuration): Promise<void> {
    const command = this.agent.run.bind(this.agent);
    const agent = Object.assign(Object.create(this.agent) as AgentDriver, {
      run: (line: string, stdin: string) =>
        command(line, stdin, (process) => {
          this.cheap.onStart = () => process.kill("SIGKILL");
        }),
    });
    await this.run(step, to, agent);
    this.cheap.onStart = () => {};
  }

  /** Carries an operation out, and notes down what it does to the directory. @throws when it fails */
  async record(operation: PowerOperation): Promise<Recording> {
    await this.prepare(operation);
    if (operation.name === "install") {
      await must(this.agent.run(scriptCommand(this.agent.host, 0), installScript(OLD_AGENT)));
    }
    const recording: Recording = { before: this.tree(), calls: [], answered: [] };
    for (const step of operation.steps) {
      const trace = join(this.directory, "trace");
      const traced = new AgentDriver(this.agent.host, { shell: ["strace", ...STRACE, "-o", trace, "sh"] });
      const { code, stderr } = await this.run(step, operation.to, traced);
      if ((code === 0) === (operation.to === "broken"))
        throw new Error(`${operation.name}, ${step}: ${code} ${stderr}`);
      recording.calls.push(...readTrace(readFileSync(trace, "utf8"), this.configDirectory));
      recording.answered.push({ calls: recording.calls.length, tree: this.tree() });
    }
    return recording;
  }
}

async function must(running: Promise<Call>): Promise<void> {
  const { code, stderr } = await running;
  if (code !== 0) throw new Error(`a run without a power cut failed: ${stderr}`);
}

/** Thousands of states are made and thrown away. */
function inMemory(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

/** Whether agent.sh is one that some program laid down. */
export const isAgent = (content: Buffer | undefined) =>
  content !== undefined && [AGENT, OLD_AGENT].includes(content.toString());
