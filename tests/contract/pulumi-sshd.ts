import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, startDaemon, stopDaemon } from "../../sandbox/process";
import { ensureDebianPackage } from "../../sandbox/tools";

/** A real sshd on loopback, with keys of each kind a connection may name. */
export interface Sshd {
  port: number;
  user: string;
  directory: string;
  /** Public host keys as sshd has them. */
  hostKey: string;
  rsaHostKey: string;
  /** A host key of somebody else's. */
  otherHostKey: string;
  privateKey: string;
  encryptedKey: string;
  /** A key that may not log in. */
  strangerKey: string;
  stop: () => Promise<void>;
}

/** Accepts the variables GOOD_* and, of the rest, none. */
export async function startSshd(): Promise<Sshd> {
  const sshd = ensureDebianPackage("sshd", "openssh-server");
  const directory = mkdtempSync(join(tmpdir(), "pulumi-contract-"));
  const key = (name: string, type = "ed25519", passphrase = "") => {
    const file = join(directory, name);
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", "contract", "-f", file]);
    return { secret: readFileSync(file, "utf8"), open: readFileSync(`${file}.pub`, "utf8").trim() };
  };
  const [host, rsaHost, other] = [key("host"), key("host_rsa", "rsa"), key("other")];
  const [client, encrypted, stranger] = [key("client"), key("encrypted", "ed25519", "passphrase"), key("stranger")];
  writeFileSync(join(directory, "authorized"), `${client.open}\n${encrypted.open}\n`);
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const port = await freePort();
  writeFileSync(join(directory, "config"), configuration(directory, port));
  const daemon = startDaemon("sshd", [sshd, "-D", "-e", "-f", join(directory, "config")], join(directory, "log"));
  while (!readFileSync(join(directory, "log"), "utf8").includes("listening")) await sleep(20);
  return {
    ...{ port, user: userInfo().username, directory },
    ...{ hostKey: host.open, rsaHostKey: rsaHost.open, otherHostKey: other.open },
    ...{ privateKey: client.secret, encryptedKey: encrypted.secret, strangerKey: stranger.secret },
    stop: async () => {
      await stopDaemon(daemon);
      rmSync(directory, { recursive: true });
    },
  };
}

function configuration(directory: string, port: number): string {
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${directory}/host`,
    `HostKey ${directory}/host_rsa`,
    `AuthorizedKeysFile ${directory}/authorized`,
    "PidFile none",
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "AcceptEnv GOOD_*",
    "",
  ].join("\n");
}
