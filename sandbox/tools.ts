import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Where what takes long to make is kept: `harden-zot` in the user's cache directory. */
export function userCache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "harden-zot");
}

/** Where a command is, looking on PATH and where Debian keeps what only root runs. */
export function findCommand(name: string): string | undefined {
  const directories = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The path of a command, after installing its Debian package where it is missing and we may.
 * @throws when it is missing and cannot be installed, saying what to install
 */
export function ensureDebianPackage(command: string, debianPackage: string): string {
  const missing = `${command} is missing: install it (Debian and Ubuntu: apt-get install ${debianPackage})`;
  const found = findCommand(command);
  if (found) return found;
  if (process.getuid?.() !== 0 || !findCommand("apt-get")) throw new Error(missing);
  console.error(`installing ${debianPackage} for ${command} ...`);
  if (!aptInstall(debianPackage)) {
    aptGet(["update"]);
    aptInstall(debianPackage);
  }
  const installed = findCommand(command);
  if (!installed) throw new Error(missing);
  return installed;
}

const aptInstall = (name: string) => aptGet(["install", "-y", "--no-install-recommends", name]);

function aptGet(args: string[]): boolean {
  try {
    execFileSync("apt-get", args, { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    return true;
  } catch {
    return false;
  }
}
