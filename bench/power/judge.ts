import { createHash } from "node:crypto";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { AgentDriver, Call } from "../../sandbox/host/agent-driver";
import type { AgentStatus } from "../../src/host/agent";
import type { ZotConfig } from "../../src/zot/types";
import { isAgent, type PowerBench } from "./bench";
import type { Tree } from "./file-system";
import type { Configuration, PowerOperation, Step } from "./operations";
import type { Service } from "./services";
import type { SystemCall } from "./system-call";
import { difference } from "./tree";

/** What a power cut must never lead to. */
export const BREACHES = [
  "no configuration that zot loads",
  "half a secret",
  "locked for good",
  "a human is needed",
  "opened",
  "answered for, and lost",
  "left over",
] as const;
export type Breach = (typeof BREACHES)[number];

interface Finding {
  breach: Breach;
  what: string;
}

export interface Verdict {
  findings: Finding[];
  /** Whether zot had to wait for the agent's next call, where that cannot be avoided. */
  waited: boolean;
}

/** What is known of the run that was cut off. */
export interface Interrupted {
  operation: PowerOperation;
  /** What lay there when the agent's last answer came, if nothing was begun after it. */
  answered?: Tree | undefined;
  /** Whether config.json was being written in place. */
  inPlace: boolean;
}

/** Whether config.json was written in place and not synced after so many calls. */
export function writesInPlace(calls: SystemCall[]): boolean {
  const at = calls.findLastIndex((call) => call.kind === "open" && call.path === "config.json");
  return at >= 0 && !calls.slice(at).some((call) => call.kind === "sync" && call.path === "config.json");
}

/** Starts zot and the agent on what lies there, as after a power cut, and says what is not as it should be. */
export async function judge(
  bench: PowerBench,
  interrupted: Interrupted,
  { service, agent }: { service: Service; agent: AgentDriver },
): Promise<Verdict> {
  const judgement = new Judgement(bench, interrupted, service, agent);
  return judgement.pass();
}

/** What outlives a run, and is answered for: all but the lock, the journal, and what is kept to save time. */
function essentials(tree: Tree): Tree {
  const passing = /^harden-zot\/(txn|lock|version|agent\.new$|.*\.\d+$)/;
  return new Map([...tree].filter(([path]) => !passing.test(path)));
}

/**
 * What was answered for, and is not as it was then. A secret that was forgotten may come back: the next run forgets it
 * once more.
 */
export function lost(answered: Tree, found: Tree): string | undefined {
  const forgotten = (path: string) => path.startsWith("harden-zot/secrets/") && !answered.has(path);
  const there = [...essentials(found)].filter(([path]) => !forgotten(path));
  return difference(essentials(answered), new Map(there));
}

const KEPT =
  /^(config\.json|harden-zot(\/(agent\.sh|agent\.new|secrets|tenure|record|version|original\.json|original\.none|catalog|previous\.(json|record)|secrets\/.*))?)$/;

class Judgement {
  private readonly findings: Finding[] = [];
  private waited = false;

  constructor(
    private readonly bench: PowerBench,
    private readonly interrupted: Interrupted,
    private readonly service: Service,
    private readonly agent: AgentDriver,
  ) {}

  async pass(): Promise<Verdict> {
    const found = this.bench.tree();
    this.examineAnswer(found);
    this.examineOpenness(found);
    const { killed, to } = this.interrupted.operation;
    if (!(await this.service.boot()) && found.has("config.json")) {
      // The one of a run that fails, or is being put back, is found out by the agent alone.
      if (this.interrupted.inPlace || to === "broken" || killed) this.waited = true;
      else this.find("no configuration that zot loads", "zot does not start before the agent's next call");
    }
    const complete = await this.nextRun(found);
    if (complete) await this.examineEnd();
    await this.service.stop();
    return { findings: this.findings, waited: this.waited };
  }

  private find(breach: Breach, what: string): false {
    this.findings.push({ breach, what });
    return false;
  }

  private examineAnswer(found: Tree): void {
    const { answered } = this.interrupted;
    const path = answered && lost(answered, found);
    if (path !== undefined) this.find("answered for, and lost", `${path} is another than when the agent answered`);
  }

  private examineOpenness(found: Tree): void {
    const { history, to } = this.interrupted.operation;
    if (history.length > 1 && to !== "open" && this.isIn(found, "open"))
      this.find("opened", "config.json is the open one");
  }

  private isIn(tree: Tree, name: Configuration): boolean {
    try {
      return isDeepStrictEqual(JSON.parse(String(tree.get("config.json")?.content)), this.bench.config(name));
    } catch {
      return false;
    }
  }

  /** What the next `pulumi up`, or `destroy`, does. @returns whether it came to its end */
  private async nextRun(found: Tree): Promise<boolean> {
    const agent = found.get("harden-zot/agent.sh")?.content;
    if (agent !== undefined && !isAgent(agent)) {
      this.find("a human is needed", `agent.sh holds ${agent.length} bytes that are no agent`);
      return false;
    }
    if (agent === undefined && !(await this.step("install"))) return false;
    const status = await this.status();
    if (status === undefined) return false;
    const [first] = this.interrupted.operation.steps;
    if (first === "restore" || first === "close") return this.step(first);
    const secret = this.bench.secretFile(this.goal);
    const lacking = status.drift.length > 0 || !status.secrets.includes(basename(secret));
    if (lacking && !(await this.step("put-secret"))) return false;
    return this.step("activate", status.heal + (lacking ? 1 : 0));
  }

  /** What the next run is to lead to. */
  private get goal(): Configuration {
    const { history, to } = this.interrupted.operation;
    return to === "broken" ? (history.at(-1) as Configuration) : to;
  }

  private async step(step: Step, heal = 0): Promise<boolean> {
    const call = await this.bench.run(step, this.goal, this.agent, heal);
    if (call.code !== 75) return call.code === 0 || this.failed(step, call);
    // Its process id may have come round to another agent of this machine.
    const again = await this.bench.run(step, this.goal, this.agent, heal);
    return again.code === 0 || this.failed(step, again);
  }

  private failed(step: string, { code, stderr }: Call): false {
    return this.find(code === 75 ? "locked for good" : "a human is needed", `${step}: ${code} ${stderr.trim()}`);
  }

  private async status(): Promise<AgentStatus | undefined> {
    const call = await this.bench.status(this.agent);
    try {
      if (call.code === 0) return JSON.parse(call.stdout);
    } catch {
      // Said below.
    }
    this.failed("status", call);
    return undefined;
  }

  private async examineEnd(): Promise<void> {
    const tree = this.bench.tree();
    if (this.goal !== "none" && !this.isIn(tree, this.goal)) {
      this.find("no configuration that zot loads", `config.json is not ${this.goal} after the next run`);
    }
    const status = await this.status();
    const { drift = [], healthy, journal, lock } = status ?? {};
    if (drift.length > 0 || journal || lock || healthy !== (this.goal !== "none")) {
      this.find("a human is needed", `status says ${JSON.stringify({ drift, healthy, journal, lock })}`);
    }
    for (const path of tree.keys()) if (!KEPT.test(path)) this.find("left over", path);
    this.examineSecrets(tree);
    this.examineWaysBack(tree);
  }

  private examineSecrets(tree: Tree): void {
    for (const [path, { content }] of tree) {
      const id = /^harden-zot\/secrets\/.*-([0-9a-f]{12})\.json$/.exec(path)?.[1];
      if (!path.startsWith("harden-zot/secrets/") || content === undefined) continue;
      if (id === undefined || !sha256(content).startsWith(id)) this.find("half a secret", path);
    }
  }

  /** `restore` needs the configuration from before the first hardening, `rollback` the one from before the current one. */
  private examineWaysBack(tree: Tree): void {
    const text = (name: string) => tree.get(`harden-zot/${name}`)?.content?.toString();
    const { history, steps } = this.interrupted.operation;
    if (text("record") === undefined && steps[0] !== "close") return;
    const [before] = history;
    const whole = before === "none" ? text("original.none") === "" : text("original.json") === this.bench.text(before);
    if (!whole) this.find("a human is needed", "the configuration from before the first hardening is lost");
    const previous = text("previous.json");
    if (previous === undefined) return;
    const recorded = /^sha256=(.*)$/m.exec(text("previous.record") ?? "")?.[1];
    if (recorded !== sha256(`${previous.replace(/\n*$/, "")}\n`)) {
      this.find("a human is needed", "previous.json is not the configuration of previous.record");
    }
    for (const { credentialsFile } of providersOf(previous)) {
      if (!tree.has(`harden-zot/secrets/${basename(credentialsFile ?? "")}`)) {
        this.find("half a secret", "a secret of previous.json is gone");
      }
    }
  }
}

function providersOf(text: string) {
  try {
    return Object.values((JSON.parse(text) as ZotConfig).http.auth?.openid?.providers ?? {});
  } catch {
    return [];
  }
}

const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");
