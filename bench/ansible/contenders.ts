import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Registry, Sandbox } from "../../sandbox/sandbox";
import type { Run } from "../../sandbox/stack";
import { renderConfig } from "../../src/config/render";
import { parseSettings, type RawSettings } from "../../src/settings/settings";
import type { ZotConfig } from "../../src/zot/types";
import { type Ansible, Playbook } from "./ansible";
import type { Distance } from "./distance";

/** One way of hardening a registry, with an open registry of its own to begin with. */
export interface Contender {
  name: string;
  registry: Registry;
  /** From whoever runs it to the host's sshd. */
  distance: Distance;
  /** What the next run is to bring about. */
  configure(settings: RawSettings): void;
  run(): Promise<Run>;
  /** What it reported, in a few words. */
  report(run: Run): string;
  /** Back to how things are some hours after a run. */
  rest(): void;
}

/** This project: also declares the OIDC client and the CI account, mints the account's key and verifies the registry. */
export function hardenZot({ registries, stack }: Sandbox, distance: Distance): Contender {
  const [registry] = registries as [Registry];
  return {
    name: "harden-zot",
    registry,
    distance,
    configure: (settings) => {
      const [host] = settings["harden-zot:hosts"] as [object];
      stack.configure({ ...settings, "harden-zot:hosts": [{ ...host, port: distance.port }] });
    },
    run: () => stack.up(),
    report: ({ code, output }) => {
      if (code === 0) return quoted("done");
      const diagnostics = output.slice(output.indexOf("Diagnostics:"));
      const agent = /^ +harden-zot: (.*)$/m.exec(diagnostics)?.[1];
      const program = /^ +error: (?!update failed|preview failed)(.*(?:\n +- .*)?)/m.exec(diagnostics)?.[1];
      return quoted(agent ?? program ?? output);
    },
    rest: () => {},
  };
}

/**
 * A playbook: brings the same configuration to its host, with the OIDC client that `hardenZot` made.
 * @param registry its own, one of the sandbox's
 */
export function playbook(
  ansible: Ansible,
  name: "usual" | "careful",
  sandbox: Sandbox,
  registry: Registry,
  distance: Distance,
): Contender {
  const { host } = registry;
  const there = { ...host, ssh: { ...host.ssh, port: distance.port } };
  const book = new Playbook(ansible, name, there, join(sandbox.directory, `ansible-${name}`));
  const sessionKeys = { hashKey: randomBytes(32).toString("hex"), encryptKey: randomBytes(16).toString("hex") };
  return {
    name: `Ansible, ${name}`,
    registry,
    distance,
    configure: (settings) =>
      book.configure({
        config: sameConfig(settings, sandbox, registry, book),
        credentials: oidcClient(sandbox),
        sessionKeys,
      }),
    run: () => book.run(),
    report: ({ code, output }) => {
      const cause = /"msg": "([^"]*)"/.exec(output)?.[1];
      const changed = /changed=(\d+)/.exec(output)?.[1];
      return quoted(code === 0 ? `changed=${changed} failed=0` : (cause ?? output));
    },
    rest: () => book.disconnect(),
  };
}

function quoted(text: string): string {
  const words = text.replace(/\s+/g, " ").trim();
  return `"${words.length > 240 ? `${words.slice(0, 240)}…` : words}"`;
}

/** What this project would deliver there for these settings, but for the places of files and the registry's address. */
function sameConfig(settings: RawSettings, sandbox: Sandbox, { port, url }: Registry, book: Playbook): ZotConfig {
  const registry = {
    ...(settings["harden-zot:registry"] as object),
    externalUrl: url,
    listen: { address: "127.0.0.1", port },
    storage: { rootDirectory: book.dataDirectory },
  };
  return renderConfig(parseSettings({ ...settings, "harden-zot:registry": registry }), {
    issuer: liveProvider(sandbox).issuer,
    credentialsFile: join(book.secretsDirectory, "oidc-credentials.json"),
    sessionKeysFile: join(book.secretsDirectory, "session-keys.json"),
  });
}

function liveProvider({ host }: Sandbox): { issuer: string; credentialsFile: string } {
  const config = JSON.parse(readFileSync(join(host.configDirectory, "config.json"), "utf8"));
  return config.http.auth.openid.providers.oidc;
}

function oidcClient(sandbox: Sandbox): object {
  return JSON.parse(readFileSync(liveProvider(sandbox).credentialsFile, "utf8"));
}
