import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { HostSettings, ServiceSettings } from "../settings/hosts";
import type { ZotConfig } from "../zot/types";

/** What the agent on a registry host can be asked to do (see docs/agent.md). */
export type AgentVerb = "status" | "put-secret" | "claim" | "activate" | "rollback" | "restore" | "close" | "uninstall";

export interface AgentOptions {
  /** put-secret: name of the secret file, of letters, digits and dashes. */
  name?: string;
  /** activate: `restartFingerprint` of the configuration. */
  restart?: string;
  /** activate: refuse an older zot, such as "2.1.19". */
  minimum?: string;
  /** Raised to have the same content applied once more: activate then restarts zot. */
  heal?: number;
  /** Seconds that zot may take to serve, and another run to finish. Default 60. */
  wait?: number;
  /** Whose call it is; a host of another owner is refused, or left alone. */
  owner?: string;
  life?: string;
  /** claim, activate: the owner that the host is knowingly taken over from. */
  takeover?: string | undefined;
  /** status: where config.json lies, when the agent comes on standard input. */
  dir?: string;
  /** restore, close: end it for an earlier life of the same owner, too. */
  last?: "yes" | undefined;
}

/** The part of a host's settings that the agent needs. */
export type AgentHost = Pick<HostSettings, "configDirectory" | "zot" | "service" | "sudo">;

/** What `status` prints. `null` where there is nothing to name. */
export interface AgentStatus {
  /** sha256 of agent.sh as installed; null on a host that has none. */
  agent: string | null;
  /** Whose the host is, and in which life; null before the first delivery, and of one by an older program. */
  owner: string | null;
  life: string | null;
  /** Differs for every configuration directory of every machine, whatever address it is reached under. */
  place: string;
  /** The configuration from before the first hardening: kept, or there was none, or it is lost; null where nothing was hardened. */
  original: "yes" | "none" | "lost" | null;
  /** Version of the installed zot. */
  zot: string | null;
  /** sha256 of config.json as it lies there. */
  config: string | null;
  /** That config.json on one line, secrets blanked, before anything was applied; null afterwards, or when it is too large. */
  found: string | null;
  /** sha256 of the config.json that was last applied. */
  applied: string | null;
  /** `restartFingerprint` of the one that was last applied. */
  restart: string | null;
  heal: number;
  /** Whether config.json has both authentication and access control. */
  guarded: boolean;
  /** File names in the agent's secrets directory. */
  secrets: string[];
  service: "running" | "stopped" | "missing" | "refused";
  /** Whether the service runs and answers /readyz with 200. */
  healthy: boolean;
  /** How far an interrupted run came, which the next run finishes or rolls back. */
  journal: "switch" | "rollback" | "commit" | null;
  /** Process id of the run that holds the lock. */
  lock: string | null;
  /** What is not as it was applied, in words; empty before anything was. */
  drift: string[];
  /** What an activation would stop at, in words: no zot, a service that is not known or may not be asked for. */
  trouble: string[];
}

/** What `activate`, `rollback` and `restore` print. */
export interface AgentReport {
  /** sha256 of the config.json that is active now. */
  sha256: string;
  action: "restarted" | "reloaded" | "unchanged" | "stopped";
  /** Version of the zot that serves it. */
  zot: string;
}

/**
 * The command line of one agent call: plain words only, since the login shell may be fish, zsh or any other.
 * @throws when a word would need quoting
 */
export function agentCommand(host: AgentHost, verb: AgentVerb, options: AgentOptions = {}): string {
  const words = { zot: host.zot, ...serviceWords(host.service), ...(host.sudo ? { sudo: "yes" } : {}), ...options };
  const pairs = Object.entries(words).filter(([, value]) => value !== undefined);
  return ["sh", agentPath(host), verb, ...pairs.map(([key, value]) => `${key}=${value}`)].map(plain).join(" ");
}

/** Runs `status` of the agent that comes on standard input, whatever agent the host has, or none. */
export function statusCommand(host: AgentHost): string {
  const words = agentCommand(host, "status", { dir: host.configDirectory }).split(" ").slice(2);
  return ["sh", "-s", ...words].join(" ");
}

/** Where `put-secret name=NAME` keeps this content: the name follows the content, which a preview may not know yet. */
export function secretPath(host: Pick<AgentHost, "configDirectory">, name: string, content?: string): string {
  const id = content === undefined ? "(new)" : sha256(content).slice(0, 12);
  return posix.join(host.configDirectory, "harden-zot/secrets", `${name}-${id}.json`);
}

/**
 * Runs `installScript` or `secretsScript` from its standard input.
 * @param heal raised to have the same script run once more; the script takes no notice of it
 */
export function scriptCommand(host: Pick<AgentHost, "configDirectory">, heal: number): string {
  return ["sh", "-s", "--", host.configDirectory, String(heal)].map(plain).join(" ");
}

/**
 * Standard input for `scriptCommand`: a `put-secret` for each of the contents by name, all in one SSH connection.
 * `printf` is a part of dash, bash and busybox itself, so that no argument list ever holds a secret.
 */
export function secretsScript(host: AgentHost, contents: Record<string, string>): string {
  const puts = Object.entries(contents).map(
    ([name, content]) =>
      `printf %s '${content.replaceAll("'", "'\\''")}' | ${agentCommand(host, "put-secret", { name })}`,
  );
  return `set -eu\n${puts.join("\n")}\n`;
}

/**
 * Standard input for `scriptCommand`: puts the agent in place at once, or leaves the one that is there, also when the
 * power is cut. A `sync` that takes no files writes out everything.
 * @param agent text of agent.sh
 */
export function installScript(agent: string): string {
  const end = `END-${sha256(agent).slice(0, 16)}`;
  return `set -eu
umask 077
directory=$1/harden-zot
mkdir -p "$directory"
chmod 700 "$directory"
cat >"$directory/agent.new" <<'${end}'
${agent}${agent.endsWith("\n") ? "" : "\n"}${end}
sync "$directory/agent.new" 2>/dev/null || sync
mv -f "$directory/agent.new" "$directory/agent.sh"
sync "$directory" "$1" 2>/dev/null || sync
`;
}

/**
 * sha256 of everything in a configuration that zot 2.1.20 does not take up by a reload (docs/facts.md, hot reload): what
 * differs only in the rest can be written in place. Whether authentication and access control exist at all counts too.
 */
export function restartFingerprint(config: ZotConfig): string {
  const { accessControl, auth, ...http } = config.http;
  const { sync, ...extensions } = config.extensions ?? {};
  return sha256(
    canonicalJson({
      ...config,
      http: { ...http, auth: auth && authentication(auth), accessControl: accessControl !== undefined },
      extensions: { ...extensions, sync: sync?.enable },
    }),
  );
}

/** Claim mappings and the path of an htpasswd file are reloaded; providers, API keys and sessions are not. */
function authentication({ openid, htpasswd, ...rest }: NonNullable<ZotConfig["http"]["auth"]>): object {
  const providers = Object.entries(openid?.providers ?? {}).map(([name, { claimMapping: _, ...provider }]) => [
    name,
    provider,
  ]);
  return { ...rest, htpasswd: htpasswd !== undefined, providers: Object.fromEntries(providers) };
}

function agentPath(host: Pick<AgentHost, "configDirectory">): string {
  return posix.join(host.configDirectory, "harden-zot/agent.sh");
}

function serviceWords(service: ServiceSettings): Record<string, string> {
  switch (service.manager) {
    case "systemd":
      return { service: `${service.scope === "user" ? "systemd-user" : "systemd"}:${service.name}` };
    case "command":
      return {
        service: "command",
        start: service.start.join(","),
        stop: service.stop.join(","),
        status: service.status.join(","),
      };
    default:
      return { service: `${service.manager}:${service.name}` };
  }
}

function plain(word: string): string {
  if (!/^[A-Za-z0-9._/@:%+=,-]+$/.test(word)) {
    throw new Error(
      `"${word}" cannot be a word of a remote command line: only letters, digits and . _ / @ : % + = , -`,
    );
  }
  return word;
}

/** Objects with their keys in order; undefined members are left out, as JSON leaves them out. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
