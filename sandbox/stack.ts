import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse, stringify } from "yaml";
import type { RawSettings } from "../src/settings/settings";

const PROJECT = resolve(__dirname, "..");

export interface StackOptions {
  /** Path of the pulumi command. */
  pulumi: string;
  /** Folder of the Pulumi program; left out, this project. */
  project?: string;
  /** State, stack configuration and nothing else. */
  directory: string;
  /** Everything pulumi and the program need, AUTHENTIK_TOKEN included. */
  environment: Record<string, string>;
}

export interface Run {
  code: number;
  /** What the console showed, both streams in order. */
  output: string;
}

/** This project as a stack of its own, driven through the pulumi command as an operator would. */
export class Stack {
  private readonly configFile: string;
  private name = "sandbox";

  constructor(private readonly options: StackOptions) {
    this.configFile = resolve(options.directory, "Pulumi.sandbox.yaml");
  }

  /** Replaces the stack's settings; takes effect with the next preview or up. */
  configure(settings: Partial<RawSettings>): void {
    const { config: _, ...kept } = parse(readFileSync(this.configFile, "utf8"));
    writeFileSync(this.configFile, stringify({ ...kept, config: settings }));
  }

  /** Into the settings as they are now; `configure` takes it out again. */
  async setSecret(key: string, value: string): Promise<void> {
    await this.expect(["config", "set", "--secret", key, value]);
  }

  /** The same stack, run with other variables in its environment. */
  withEnvironment(variables: Record<string, string>): Stack {
    return new Stack({ ...this.options, environment: { ...this.options.environment, ...variables } });
  }

  async create(settings: Partial<RawSettings>): Promise<void> {
    const { directory, project = PROJECT } = this.options;
    // `stack init` writes the stack file beside Pulumi.yaml: let that not be the project's own.
    copyFileSync(resolve(project, "Pulumi.yaml"), resolve(directory, "Pulumi.yaml"));
    await this.expect(["stack", "init", "sandbox", "--cwd", directory]);
    this.configure(settings);
  }

  preview(...flags: string[]): Promise<Run> {
    return this.pulumi(["preview", ...flags]);
  }

  up(...flags: string[]): Promise<Run> {
    return this.pulumi(["up", "--yes", "--skip-preview", ...flags]);
  }

  /** Takes what the providers can see into the state; runs nothing. */
  refresh(...flags: string[]): Promise<Run> {
    return this.pulumi(["refresh", "--yes", "--skip-preview", ...flags]);
  }

  destroy(...flags: string[]): Promise<Run> {
    return this.pulumi(["destroy", "--yes", "--skip-preview", ...flags]);
  }

  async outputs(...flags: string[]): Promise<Record<string, unknown>> {
    return JSON.parse((await this.expect(["stack", "output", "--json", ...flags])).output);
  }

  /** The state as `pulumi stack export` prints it: secrets encrypted. */
  async state(): Promise<string> {
    return (await this.expect(["stack", "export"])).output;
  }

  private async expect(args: string[]): Promise<Run> {
    const run = await this.pulumi(args);
    if (run.code !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${run.output}`);
    return run;
  }

  async rename(name: string): Promise<void> {
    await this.expect(["stack", "rename", name]);
    this.name = name;
  }

  /** An `up` to whose engine a signal is sent. @param after how long it may go on, in ms */
  interruptedUp(signal: NodeJS.Signals, after: number): Promise<Run> {
    const timer = (engine: ChildProcess) => setTimeout(() => engine.kill(signal), after);
    return this.pulumi(["up", "--yes", "--skip-preview"], () => {}, timer);
  }

  /**
   * @param show called with every piece of output as it comes
   * @param started told the engine's process
   */
  pulumi(
    args: string[],
    show: (text: string) => void = () => {},
    started: (engine: ChildProcess) => void = () => {},
  ): Promise<Run> {
    const { directory, environment, project = PROJECT } = this.options;
    const [verb, ...rest] = args as [string, ...string[]];
    const withConfig = ["preview", "up", "refresh", "destroy", "config"].includes(verb)
      ? ["--config-file", this.configFile]
      : [];
    const stackInit = verb === "stack" && rest[0] === "init";
    const child = spawn(
      this.options.pulumi,
      [...args, ...(stackInit ? [] : ["--stack", this.name]), ...withConfig, "--non-interactive", "--color", "never"],
      {
        cwd: project,
        env: { ...environment, PULUMI_BACKEND_URL: `file://${directory}` },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    started(child);
    return new Promise((settle, fail) => {
      let output = "";
      const take = (chunk: Buffer) => {
        output += chunk;
        show(String(chunk));
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.on("error", fail);
      child.on("close", (code) => settle({ code: code ?? 1, output }));
    });
  }
}
