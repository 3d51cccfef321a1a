import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { hardened, openConfig, startIssuer, withRule } from "../../sandbox/host/agent-driver";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { findZot } from "../../sandbox/parts";
import { freePort, waitForHttp } from "../../sandbox/process";
import { findCommand } from "../../sandbox/tools";
import { serializeConfig } from "../../src/config/render";
import {
  agentCommand,
  installScript,
  restartFingerprint,
  scriptCommand,
  secretPath,
  secretsScript,
} from "../../src/host/agent";
import { connected } from "../../src/host/ssh";
import type { ZotConfig } from "../../src/zot/types";

const AGENT = readFileSync(resolve(__dirname, "../../src/host/agent.sh"), "utf8");

/** Runs a command over SSH and returns what it printed. @throws when it did not end with 0 */
function over({ ssh }: SandboxHost, command: string, stdin: string): Promise<string> {
  return connected(
    ssh,
    (client) =>
      new Promise((settle, fail) =>
        client.exec(command, (error, stream) => {
          if (error) return fail(error);
          const output = Promise.all([text(stream), text(stream.stderr)]);
          stream.on("exit", (code: number | null) =>
            output.then(([out, err]) => (code === 0 ? settle(out) : fail(new Error(`${code}: ${err}`))), fail),
          );
          stream.end(stdin);
        }),
      ),
  );
}

const SHELLS = ["fish", "zsh", "bash", "dash", "busybox"];

describe("over SSH, under the login shell", () => {
  it.each(SHELLS.map((shell) => [shell, findCommand(shell)] as const))(
    "%s: a host's whole life",
    async (name, path) => {
      if (!path)
        return expect(process.getuid?.(), `${name} is missing: install it (Debian and Ubuntu: ${name})`).not.toBe(0);
      const directory = mkdtempSync(join(tmpdir(), "harden-zot-shell-"));
      const issuer = await startIssuer();
      const open = openConfig(directory, await freePort());
      const loginShell = name === "busybox" ? `${path} sh` : path;
      const host = await startHost({ directory, zot: findZot().where, config: serializeConfig(open), loginShell });
      const there = { ...host, sudo: false };
      const activate = async (config: ZotConfig) => {
        const command = agentCommand(there, "activate", { restart: restartFingerprint(config) });
        return JSON.parse(await over(host, command, serializeConfig(config)));
      };
      try {
        await waitForHttp(`http://127.0.0.1:${open.http.port}/readyz`);
        expect(await over(host, scriptCommand(host, 0), installScript(AGENT))).toBe("");
        expect(readFileSync(join(host.configDirectory, "harden-zot/agent.sh"), "utf8")).toBe(AGENT);
        const secret = `{"clientid":"a","clientsecret":"it's $HOME \`id\` (x) ~ * \\\\ ; end"}`;
        await over(host, scriptCommand(host, 0), secretsScript(there, { "oidc-credentials": secret }));
        const file = secretPath(host, "oidc-credentials", secret);
        expect(readFileSync(file, "utf8")).toBe(secret);
        expect(statSync(file).mode & 0o777).toBe(0o600);
        const config = hardened(open, issuer.url, file);
        expect(await activate(config)).toMatchObject({ action: "restarted" });
        expect(await activate(withRule(config, "private/**"))).toMatchObject({ action: "reloaded" });
        expect(JSON.parse(await over(host, agentCommand(there, "status"), ""))).toMatchObject({
          healthy: true,
          drift: [],
        });
        expect(JSON.parse(await over(host, agentCommand(there, "rollback"), ""))).toMatchObject({
          action: "restarted",
        });
        expect(JSON.parse(await over(host, agentCommand(there, "restore"), ""))).toMatchObject({ action: "restarted" });
        expect(await over(host, agentCommand(there, "uninstall"), "")).toBe("");
        expect(readFileSync(join(host.configDirectory, "config.json"), "utf8")).toBe(serializeConfig(open));
      } finally {
        host.stop();
        issuer.close();
        rmSync(directory, { recursive: true });
      }
    },
  );
});
