import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { stopHost } from "../../sandbox/host/host";
import { stopDaemon, waitForHttp } from "../../sandbox/process";
import type { Sandbox } from "../../sandbox/sandbox";
import type { RawSettings } from "../../src/settings/settings";
import type { Disk } from "../power/disk";
import { Client, type Load, type Login, type Surroundings } from "./clients";
import { GUARDED } from "./images";
import type { Rule } from "./judge";
import { SLOW_CACHE, type Slowness } from "./slow";
import type { Change } from "./timeline";

const run = promisify(execFile);

/** How long a host takes from its fall until it starts again, in ms. */
const REBOOT = 1000;

const FIRST_RULE: Rule = "open";

/** What Pulumi says of a run that failed, without the warnings, for the report. */
function diagnosticsOf(output: string): string {
  const [, diagnostics = output] = output.split("\nDiagnostics:\n");
  const lines = (diagnostics.split("\nOutputs:\n")[0] as string).trim().split("\n");
  return lines
    .filter((line) => !line.includes(" warning: "))
    .slice(0, 60)
    .join("\n");
}

/** The sandbox's settings with a slow cache, a rule in force and so many rotations of the key asked for. */
function settingsWith(sandbox: Sandbox, { timeouts, upstream }: Slow, rule: Rule, rotations: number): RawSettings {
  const settings = sandbox.settings();
  const registry = settings["harden-zot:registry"] as { pullThrough: object[] };
  const slowCache = { name: SLOW_CACHE, url: upstream, tlsVerify: false };
  const access = settings["harden-zot:access"] as object;
  const [ci] = settings["harden-zot:ci"] as { repositories: string[] }[];
  const repositories = [...(ci?.repositories ?? []), ...(rule === "open" ? ["extra/**"] : [])];
  const key = rotations > 0 ? { key: { rotate: `number ${rotations}` } } : {};
  return {
    ...settings,
    "harden-zot:registry": { ...registry, timeouts, pullThrough: [...registry.pullThrough, slowCache] },
    "harden-zot:access": { ...access, private: rule === "closed" ? ["guarded/**"] : [] },
    "harden-zot:ci": [{ ...ci, repositories, ...key }],
  };
}

/** What the registry is told of slow layers. */
export type Slow = Slowness & { upstream: string };

/** The first up, with the rule that is in force when the clients begin. @throws when it fails */
export async function harden(sandbox: Sandbox, slow: Slow): Promise<void> {
  sandbox.stack.configure(settingsWith(sandbox, slow, FIRST_RULE, 0));
  const { code, output } = await sandbox.stack.up();
  if (code !== 0) throw new Error(`the first up failed:\n${output}`);
}

/** Whoever runs `pulumi up`, and what befalls the machines: one thing after the other. */
export class Operator {
  /** Every key that was ever handed out, the newest last. */
  readonly keys: string[] = [];
  #rule = FIRST_RULE;
  #rotations = 0;
  #probes = 0;

  constructor(
    private readonly sandbox: Sandbox,
    private readonly around: Surroundings,
    private readonly load: Load,
    private readonly outage: number,
    private readonly slow: Slow,
    /** What the registry host's configuration lies on, where its power can be cut. */
    private readonly disk: Disk | undefined,
  ) {}

  /** To be called once, right after the first up. */
  async begin(): Promise<void> {
    this.around.recorder.settle(this.#rule);
    this.keys.push((await this.around.login()).apiKey);
  }

  /** What the stack is to be. */
  settings(rule = this.#rule, rotations = this.#rotations): RawSettings {
    return settingsWith(this.sandbox, this.slow, rule, rotations);
  }

  /** What goes wrong is noted down; the run goes on. */
  async carryOut(change: Change): Promise<void> {
    const work: Record<Change, () => Promise<void>> = {
      "rule change": () => this.changeRule(),
      rotation: () => this.rotate(),
      "issuer outage": () => this.withoutIssuer(),
      "service restart": () => this.restartService(),
      "host reboot": () => this.reboot(),
    };
    const { recorder } = this.around;
    await recorder
      .during(change, work[change])
      .catch((error: Error) => recorder.problem(`${change}: ${error.message}`));
  }

  private async changeRule(): Promise<void> {
    const { recorder } = this.around;
    const rule = this.#rule === "open" ? "closed" : "open";
    recorder.unsettle();
    this.sandbox.stack.configure(this.settings(rule));
    if (!(await this.up())) return;
    this.#rule = rule;
    recorder.settle(rule);
    await this.probe();
  }

  /** The rule in force decides for both; asked at once after it was changed. */
  private async probe(): Promise<void> {
    await new Client(this.around).get("pull from guarded/", `${GUARDED.repository}/manifests/${GUARDED.tag}`);
    const tag = `v2.0.${this.#probes++}-abcdef0`;
    await new Client(this.around, await this.around.login()).push("push to extra/", "extra/probe", tag);
  }

  /** A job that holds the key before goes on pushing until the new one is handed out, and after. */
  private async rotate(): Promise<void> {
    const before = await this.around.login();
    // Keys live for two rotations, so jobs must be over by then.
    await this.load.finished(before.apiKey);
    this.sandbox.stack.configure(this.settings(this.#rule, this.#rotations + 1));
    const job = this.longJob(before);
    const done = await this.up();
    if (done) this.#rotations++;
    await job.end();
    if (!done) return;
    const { apiKey, username } = await this.around.login();
    if (apiKey === before.apiKey)
      this.around.recorder.problem("a rotation ended well, and the stack hands out the same key");
    this.keys.push(apiKey);
    for (const retired of this.keys.slice(0, -2)) {
      await new Client(this.around, { username, apiKey: retired }).get("use a retired key", "");
    }
  }

  private longJob(login: Login): { end: () => Promise<void> } {
    const job = new Client(this.around, login);
    const number = this.#rotations;
    const push = (step: number) => job.push("push with the key before", "team/long", `v3.${number}.${step}-abcdef0`);
    let over = false;
    const steps = (async () => {
      let step = 0;
      for (; !over; await sleep(500)) await push(step++);
      await push(step);
    })();
    return {
      end: () => {
        over = true;
        return steps;
      },
    };
  }

  /** An up that would change everything is tried meanwhile. It must fail, and leave all as it is. */
  private async withoutIssuer(): Promise<void> {
    const { recorder } = this.around;
    const { daemon, restart } = this.sandbox.authentik;
    if (!daemon || !restart) return recorder.problem("the Authentik given is not ours to stop: no outage");
    const before = await this.around.login();
    await stopDaemon(daemon);
    const back = sleep(1000 * this.outage);
    try {
      this.sandbox.stack.configure(this.settings(this.#rule === "open" ? "closed" : "open", this.#rotations + 1));
      await this.up("up without the issuer");
      if ((await this.around.login()).apiKey !== before.apiKey) recorder.problem("an up that failed changed the key");
      this.sandbox.stack.configure(this.settings());
      await this.probe();
      await back;
    } finally {
      await restart();
    }
  }

  private async restartService(): Promise<void> {
    await this.service("stop");
    await this.service("start");
    await this.answers();
  }

  /** A power cut: what was not synced is lost, and every process of the host is killed, SSH's too. */
  private async reboot(): Promise<void> {
    this.disk?.cut();
    stopHost(join(this.sandbox.host.configDirectory, ".."));
    await sleep(REBOOT);
    await this.disk?.restart();
    await this.sandbox.host.restartSshd();
    await this.service("start");
    await this.answers();
  }

  private answers(): Promise<void> {
    return waitForHttp(`${this.sandbox.registryUrl}/readyz`);
  }

  private async service(verb: "start" | "stop"): Promise<void> {
    const [command, ...args] = this.sandbox.host.service[verb];
    await run(command as string, args);
  }

  private async up(action: "up" | "up without the issuer" = "up"): Promise<boolean> {
    const { recorder } = this.around;
    const from = recorder.now();
    const { code, output } = await this.sandbox.stack.up();
    recorder.note(action, code === 0 ? "done" : "refused", from);
    if (action === "up" && code !== 0) recorder.problem(`up failed:\n${diagnosticsOf(output)}`);
    return code === 0;
  }
}
