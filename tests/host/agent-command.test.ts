import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCommand } from "../../sandbox/tools";
import {
  type AgentHost,
  agentCommand,
  installScript,
  restartFingerprint,
  scriptCommand,
  secretPath,
  secretsScript,
} from "../../src/host/agent";
import type { ZotConfig } from "../../src/zot/types";

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
      expect(() => scriptCommand(bad, 0)).toThrow(/cannot be a word of a remote command line/);
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
    const command = scriptCommand({ configDirectory: join(directory, "config") }, 0);
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

describe("secretsScript", () => {
  const SHELLS: [string, ...string[]][] = [["dash"], ["bash", "--posix"], ["busybox", "sh"]];
  const shells = SHELLS.filter(([name]) => findCommand(name));
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "agent-"));
    const agent = `printf '%s ' "$@" >>"$0.log"; cat >>"$0.log"; echo >>"$0.log"\n`;
    execFileSync("sh", ["-s", "--", directory], { input: installScript(agent) });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each(shells)("hands every secret over as it is, in one run (%s)", (shell, ...options) => {
    const contents = { a: `{"k":"it's $HOME \`id\` %s \\n"}`, b: "two\nlines" };
    const there = { ...host({ manager: "docker", name: "zot" }), configDirectory: directory };
    const env = { PATH: process.env.PATH };
    execFileSync(shell, [...options, "-s", "--", directory, "0"], { input: secretsScript(there, contents), env });
    const words = (name: string) => `put-secret zot=/usr/bin/zot service=docker:zot name=${name} `;
    expect(readFileSync(join(directory, "harden-zot/agent.sh.log"), "utf8")).toBe(
      `${words("a")}${contents.a}\n${words("b")}${contents.b}\n`,
    );
  });

  it.each(shells)("shows no secret in an argument list: printf is a part of %s", (shell, ...options) => {
    const said = execFileSync(shell, [...options, "-c", "PATH=/nonexistent; printf %s here"], { encoding: "utf8" });
    expect(said).toBe("here");
  });

  it("says when one of them was refused", () => {
    const there = { ...host({ manager: "docker", name: "zot" }), configDirectory: directory };
    execFileSync("sh", ["-s", "--", directory], { input: installScript("case $* in *name=b*) exit 1 ;; esac\n") });
    const put = (...names: string[]) =>
      spawnSync("sh", ["-s", "--", directory, "0"], {
        input: secretsScript(there, Object.fromEntries(names.map((name) => [name, "x"]))),
      }).status;
    expect([put("a", "c"), put("a", "b", "c")]).toEqual([0, 1]);
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
    ["the first timeouts", (copy) => Object.assign(copy.http, { readTimeout: "30m", writeTimeout: "30m" })],
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
