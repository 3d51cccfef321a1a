import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import type { Part } from "../../sandbox/parts";
import { waitForHttp } from "../../sandbox/process";
import type { ServiceSettings } from "../../src/settings/hosts";
import type { ZotConfig } from "../../src/zot/types";

/** What runs zot on the host: all that the agent needs to be told. */
export interface Service {
  settings: ServiceSettings;
  zot: string;
  /** As when the host starts. @returns whether zot took what lies there */
  boot(): Promise<boolean>;
  stop(): Promise<void>;
  end(): void;
}

/** zot itself, or its stand-in, under the sandbox's service manager. */
export async function realService(directory: string, zot: Part, url: string): Promise<Service> {
  const host: SandboxHost = await startHost({ directory, zot: zot.where });
  const run = ([command, ...args]: string[]) => void execFileSync(command as string, args);
  return {
    settings: host.service,
    zot: host.zot,
    boot: async () => {
      run(host.service.start);
      return waitForHttp(`${url}/readyz`, 2500).then(
        () => true,
        () => false,
      );
    },
    stop: async () => run(host.service.stop),
    end: () => host.stop(),
  };
}

/** Where no file can lie: zot verify takes it as a rootDirectory, and zot dies of it. */
export const BROKEN_ROOT = "/dev/null/storage";

/**
 * A service manager and a registry in this process, for thousands of starts. It starts with what zot itself takes
 * (`zot verify`, asked once for the same text and secrets), looks into config.json again when that was written in place,
 * and answers what the agent asks.
 */
export class CheapService implements Service {
  private readonly verdicts = new Map<string, boolean>();
  private readonly control: Server;
  private registry: Server | undefined;
  private loaded = { text: "", inode: 0 };
  private processes = 0;
  /** Raised by every stop, which ends a start that is under way, and a crash loop. */
  private stops = 0;
  /** Called before zot is started, by the agent alone. */
  onStart: () => void = () => {};

  private constructor(
    private readonly directory: string,
    private readonly configFile: string,
    private readonly port: number,
    private readonly real: Part,
  ) {
    this.control = createServer((request, response) => {
      void this.answer(request.url ?? "").then((status) => response.writeHead(status).end());
    });
  }

  static async start(directory: string, configFile: string, port: number, real: Part): Promise<CheapService> {
    const service = new CheapService(directory, configFile, port, real);
    await listen(service.control, 0);
    writeFileSync(service.zot, service.script(), { mode: 0o755 });
    return service;
  }

  get zot(): string {
    return join(this.directory, "cheap-zot");
  }

  /** There while a process runs. */
  private get pidFile(): string {
    return join(this.directory, "cheap-zot.pid");
  }

  get settings(): ServiceSettings {
    const words = (verb: string) => ["curl", "-sf", `${this.url}/${verb}`];
    return { manager: "command", start: words("start"), stop: words("stop"), status: ["cat", this.pidFile] };
  }

  async boot(): Promise<boolean> {
    const [found, began] = [this.found(), this.stops];
    if (!(await this.loads(found.text)) || began !== this.stops) return false;
    this.begin();
    this.loaded = found;
    this.registry = createServer(this.serve);
    await listen(this.registry, this.port);
    return true;
  }

  private begin(): void {
    // Nobody's process id.
    writeFileSync(this.pidFile, `${10_000_000 + this.processes++}\n`);
  }

  /** Comes up twice for a moment; then the service manager takes its time. */
  private async crash(): Promise<void> {
    const began = this.stops;
    for (let times = 0; times < 2 && began === this.stops; times++) {
      this.begin();
      await sleep(150);
      if (began === this.stops) rmSync(this.pidFile, { force: true });
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    this.stops++;
    rmSync(this.pidFile, { force: true });
    const { registry } = this;
    this.registry = undefined;
    if (registry === undefined) return;
    registry.closeAllConnections();
    await new Promise((closed) => registry.close(closed));
  }

  end(): void {
    void this.stop();
    this.control.close();
    this.control.closeAllConnections();
  }

  private get url(): string {
    return `http://127.0.0.1:${(this.control.address() as AddressInfo).port}`;
  }

  private script(): string {
    return `#!/bin/sh
case $1 in
--version) echo '{"level":"info","commit":"v${this.real.version}"}' ;;
verify) curl -sf "${this.url}/verify$2" || { echo '{"level":"error","message":"not taken"}'; exit 1; } ;;
esac
`;
  }

  /** @returns the status to answer with */
  private async answer(path: string): Promise<number> {
    if (path === "/stop") await this.stop();
    else if (path === "/start") await this.startForAgent();
    else if (!(await this.verified(readFileSync(path.slice("/verify".length), "utf8")))) return 400;
    return 200;
  }

  private async startForAgent(): Promise<void> {
    this.onStart();
    const began = this.stops;
    if (!(await this.boot()) && began === this.stops) void this.crash();
  }

  private async loads(text: string): Promise<boolean> {
    return (await this.verified(text)) && (JSON.parse(text) as ZotConfig).storage.rootDirectory !== BROKEN_ROOT;
  }

  private async verified(text: string): Promise<boolean> {
    try {
      const config: ZotConfig = JSON.parse(text);
      const secrets = Object.values(config.http.auth?.openid?.providers ?? {}).map(({ credentialsFile }) =>
        readFileSync(credentialsFile ?? "", "utf8"),
      );
      const key = createHash("sha256")
        .update(JSON.stringify([text, secrets]))
        .digest("hex");
      const verdict = this.verdicts.get(key) ?? (await this.verify(text));
      this.verdicts.set(key, verdict);
      return verdict;
    } catch {
      return false;
    }
  }

  private verify(text: string): Promise<boolean> {
    const file = join(this.directory, "to-verify.json");
    writeFileSync(file, text);
    return new Promise((settle) => execFile(this.real.where, ["verify", file], (error) => settle(error === null)));
  }

  /** Of what the agent asks: readiness, and what an anonymous client may see. */
  private readonly serve: RequestListener = async ({ url = "" }, response) => {
    await this.lookAgain();
    if (!url.startsWith("/v2/")) return void response.end();
    const repository = url.slice("/v2/".length).replace(/\/tags\/list$/, "");
    const { accessControl } = (JSON.parse(this.loaded.text) as ZotConfig).http;
    const patterns = Object.entries(accessControl?.repositories ?? {});
    const open = patterns.some(
      ([pattern, { anonymousPolicy }]) => pattern === repository && anonymousPolicy?.includes("read"),
    );
    response.writeHead(accessControl && !open ? 401 : 404).end();
  };

  private async lookAgain(): Promise<void> {
    const { inode, text } = this.found();
    if (inode !== this.loaded.inode || text === this.loaded.text || !(await this.loads(text))) return;
    this.loaded.text = text;
  }

  /** Nothing where there is no file, or no disk any more. */
  private found(): { inode: number; text: string } {
    try {
      return { inode: statSync(this.configFile).ino, text: readFileSync(this.configFile, "utf8") };
    } catch {
      return { inode: 0, text: "" };
    }
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((listening, failed) => {
    server.once("error", failed).listen(port, "127.0.0.1", listening);
  });
}
