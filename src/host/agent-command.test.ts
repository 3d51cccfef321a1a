import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCommand } from "../../sandbox/tools";
import type { ZotConfig } from "../zot/types";
import { type AgentHost, agentCommand, installCommand, installScript, restartFingerprint, secretPath } from "./agent";

const host = (service: AgentHost["service"], sudo = false): AgentHost => ({
  configDirectory: "/etc/zot",
  zot: "/usr/bin/zot",
  service,
  sudo,
});

describe("agentCommand", () => {
  it.each<[AgentHost["service"], string]>([
    [{ manager: "systemd", name: "zot.service", scope: "system" }, "service=systemd:zot.service"],
    [{ manager: "systemd", name: "zot", scope: "user" }, "service=systemd-user:zot"],
    [{ manager: "launchd", name: "mcquack.eblume.zot" }, "service=launchd:mcquack.eblume.zot"],
    [{ manager: "docker", name: "zot" }, "service=docker:zot"],
    [{ manager: "podman", name: "zot" }, "service=podman:zot"],
    [
      {
        manager: "command",
        start: ["rc-service", "zot", "start"],
        stop: ["rc-service", "zot", "stop"],
        status: ["st"],
      },
      "service=command start=rc-service,zot,start stop=rc-service,zot,stop status=st",
    ],
  ])("says %j in plain words", (service, words) => {
    expect(agentCommand(host(service), "status")).toBe(
      `sh /etc/zot/harden-zot/agent.sh status zot=/usr/bin/zot ${words}`,
    );
  });

  it("adds sudo and the options that are given", () => {
    const command = agentCommand(host({ manager: "docker", name: "zot" }, true), "activate", {
      restart: "abc",
      minimum: "2.1.19",
      heal: 2,
    });
    expect(command).toMatch(/ service=docker:zot sudo=yes restart=abc minimum=2.1.19 heal=2$/);
  });

  it.each(["/etc/zot config", "/etc/zot;id", "/etc/$HOME", "/etc/`id`", "/etc/zot'", "/etc/zot\n", "~/zot", "/a*"])(
    "refuses %j, which a shell would read as more than a word",
    (configDirectory) => {
      const bad = { ...host({ manager: "docker", name: "zot" }), configDirectory };
      expect(() => agentCommand(bad, "status")).toThrow(/cannot be a word of a remote command line/);
      expect(() => installCommand(bad, 0)).toThrow(/cannot be a word of a remote command line/);
    },
  );
});

describe("installScript", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "agent-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const install = (agent: string, shell: string[] = ["sh", "-c"]) => {
    const command = installCommand({ configDirectory: join(directory, "config") }, 0);
    const [program, ...options] = shell as [string, ...string[]];
    execFileSync(program, [...options, command], { input: installScript(agent), env: { PATH: process.env.PATH } });
    return join(directory, "config/harden-zot/agent.sh");
  };

  it("lays the very text down, for its owner alone, and replaces an older one", () => {
    install("old\n");
    const agent = "#!/bin/sh\necho '$HOME' \"`id`\" \\\n  EOF\nEND\n";
    const file = install(agent);
    expect(readFileSync(file, "utf8")).toBe(agent);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
  });

  it.each(["fish", "zsh", "bash", "dash"].filter(findCommand))("works under the login shell %s", (shell) => {
    expect(readFileSync(install("echo $status\n", [shell, "-c"]), "utf8")).toBe("echo $status\n");
  });
});

describe("secretPath", () => {
  it("follows the content and nothing else", () => {
    const directory = { configDirectory: "/etc/zot/" };
    // printf hello | sha256sum
    expect(secretPath(directory, "session-keys", "hello")).toBe(
      "/etc/zot/harden-zot/secrets/session-keys-2cf24dba5fb0.json",
    );
    expect(secretPath(directory, "session-keys", "hello ")).not.toBe(secretPath(directory, "session-keys", "hello"));
  });
});

describe("restartFingerprint", () => {
  const config: ZotConfig = {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: "/var/lib/zot" },
    http: {
      address: "127.0.0.1",
      port: "5050",
      auth: {
        apikey: true,
        openid: {
          providers: { oidc: { issuer: "https://a/", scopes: ["openid"], claimMapping: { username: "sub" } } },
        },
      },
      accessControl: { repositories: { "**": { anonymousPolicy: ["read"] } } },
    },
    extensions: { sync: { enable: true, registries: [] } },
  };
  const changed = (edit: (copy: ZotConfig) => void) => {
    const copy = structuredClone(config);
    edit(copy);
    return restartFingerprint(copy);
  };
  const provider = (copy: ZotConfig) => copy.http.auth?.openid?.providers.oidc as { issuer: string };

  it.each<[string, (copy: ZotConfig) => void]>([
    ["an access rule", (copy) => Object.assign(copy.http, { accessControl: { repositories: {} } })],
    ["a claim mapping", (copy) => Object.assign(provider(copy), { claimMapping: { username: "email" } })],
    ["a registry to sync from", (copy) => copy.extensions?.sync?.registries.push({} as never)],
    [
      "the order of keys",
      (copy) => Object.assign(copy, { http: Object.fromEntries(Object.entries(copy.http).reverse()) }),
    ],
  ])("does not see %s, which zot reloads", (_, edit) => {
    expect(changed(edit)).toBe(restartFingerprint(config));
  });

  it.each<[string, (copy: ZotConfig) => void]>([
    ["the port", (copy) => Object.assign(copy.http, { port: "5051" })],
    ["the realm", (copy) => Object.assign(copy.http, { realm: "zot" })],
    ["the issuer", (copy) => Object.assign(provider(copy), { issuer: "https://b/" })],
    ["the credentials file", (copy) => Object.assign(provider(copy), { credentialsFile: "/b" })],
    ["the session keys", (copy) => Object.assign(copy.http.auth ?? {}, { sessionKeysFile: "/b" })],
    ["API keys", (copy) => Object.assign(copy.http.auth ?? {}, { apikey: false })],
    ["a first htpasswd file", (copy) => Object.assign(copy.http.auth ?? {}, { htpasswd: { path: "/a" } })],
    ["the loss of authentication", (copy) => delete copy.http.auth],
    ["the loss of access control", (copy) => delete copy.http.accessControl],
    ["sync as such", (copy) => delete copy.extensions?.sync],
    ["the user interface", (copy) => Object.assign(copy.extensions ?? {}, { ui: { enable: true } })],
    ["the log level", (copy) => Object.assign(copy, { log: { level: "debug" } })],
  ])("sees %s, which zot does not reload", (_, edit) => {
    expect(changed(edit)).not.toBe(restartFingerprint(config));
  });
});
