import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { withoutProof, withProof } from "../../src/config/proof";
import { serializeConfig } from "../../src/config/render";
import {
  type AgentOptions,
  type AgentStatus,
  type AgentVerb,
  agentCommand,
  installScript,
  restartFingerprint,
  scriptCommand,
  statusCommand,
} from "../../src/host/agent";
import type { ZotConfig } from "../../src/zot/types";
import type { SandboxHost } from "./host";

export interface Call {
  code: number | null;
  stdout: string;
  stderr: string;
  milliseconds: number;
}

export interface Environment {
  /** The shell that runs the agent, with its options. Default: sh. */
  shell?: [string, ...string[]];
  /** Replaces the environment of the agent. */
  env?: NodeJS.ProcessEnv;
}

/** Calls the agent of a sandbox host as an SSH session would, but without one: in any shell, with any PATH. */
export class AgentDriver {
  constructor(
    readonly host: SandboxHost,
    readonly environment: Environment = {},
  ) {}

  install(): Promise<Call> {
    return this.run(scriptCommand(this.host, 0), installScript(readFileSync(AGENT, "utf8")));
  }

  call(verb: AgentVerb, options: AgentOptions = {}, stdin = ""): Promise<Call> {
    return this.run(agentCommand({ sudo: false, ...this.host }, verb, options), stdin);
  }

  activate(config: ZotConfig, options: AgentOptions = {}): Promise<Call> {
    return this.call(
      "activate",
      { restart: restartFingerprint(config), wait: 20, ...options },
      serializeConfig(config),
    );
  }

  /** By an agent that is brought along, as the program asks. */
  async status(): Promise<AgentStatus> {
    const command = statusCommand({ sudo: false, ...this.host });
    const { stdout, stderr } = await this.run(command, readFileSync(AGENT, "utf8"));
    if (stderr) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** @param started told the agent's process */
  run(command: string, stdin: string, started: (agent: ChildProcess) => void = () => {}): Promise<Call> {
    const [shell, ...shellOptions] = this.environment.shell ?? ["sh"];
    const began = performance.now();
    const agent = spawn(shell, [...shellOptions, ...command.split(" ").slice(1)], { env: this.environment.env });
    started(agent);
    // A killed agent reads no more.
    agent.stdin.on("error", () => {}).end(stdin);
    return new Promise((settle, fail) => {
      let [stdout, stderr] = ["", ""];
      agent.stdout.on("data", (text) => {
        stdout += text;
      });
      agent.stderr.on("data", (text) => {
        stderr += text;
      });
      agent.on("error", fail);
      const end = () => settle({ code: agent.exitCode, stdout, stderr, milliseconds: performance.now() - began });
      agent.on("close", end);
      // What a killed agent had started may hold its pipes for long.
      agent.on("exit", (_, signal) => signal && setTimeout(end, 50));
    });
  }
}

const AGENT = resolve(__dirname, "../../src/host/agent.sh");

/** The open registry that everything starts from. */
export function openConfig(directory: string, port: number): ZotConfig {
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: join(directory, "storage"), gc: false },
    http: { address: "127.0.0.1", port: String(port) },
    log: { level: "info" },
  };
}

/** The least that zot accepts as hardened. */
export function hardened(open: ZotConfig, issuer: string, credentialsFile: string): ZotConfig {
  return withProof({
    ...open,
    http: {
      ...open.http,
      auth: { apikey: true, openid: { providers: { oidc: { issuer, credentialsFile, scopes: ["openid"] } } } },
      accessControl: { repositories: { "**": { anonymousPolicy: ["read"], defaultPolicy: ["read"] } } },
    },
  });
}

/** A namespace closed to anonymous clients: another set of access rules, which zot takes up by a reload. */
export function withRule(config: ZotConfig, pattern: string): ZotConfig {
  const changed = structuredClone(withoutProof(config));
  Object.assign(changed.http.accessControl?.repositories ?? {}, { [pattern]: { defaultPolicy: ["read"] } });
  return withProof(changed);
}

/** Another realm, for which zot has to be started again. */
export function withRealm(config: ZotConfig, realm: string): ZotConfig {
  const { http, ...rest } = withoutProof(config);
  return withProof({ ...rest, http: { ...http, realm } });
}

export interface TestIssuer {
  url: string;
  /** What the discovery document gives as `issuer`; may be changed. */
  claims: string;
  close(): void;
}

/** Serves an OIDC discovery document and nothing else: all that zot asks for before somebody logs in. */
export async function startIssuer(): Promise<TestIssuer> {
  const server = createServer((_, response) => {
    const endpoints = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"];
    response.setHeader("content-type", "application/json").end(
      JSON.stringify({
        nested: { issuer: "http://127.0.0.1/not-this-one" },
        issuer: issuer.claims,
        ...Object.fromEntries(endpoints.map((name) => [name, `${issuer.url}${name}`])),
        id_token_signing_alg_values_supported: ["RS256"],
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
      }),
    );
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/application/o/zot/`;
  const issuer: TestIssuer = {
    url,
    claims: url,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return issuer;
}
