import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackage } from "../tools";
import type { Environment } from "./agent-driver";

/** A shell and a set of tools that some registry host may have. `directory` receives links to the tools. */
export interface Userland {
  name: string;
  environment(directory: string): Environment;
}

const POSIX = `awk cat chmod cmp cp cut date dd env find grep head id ln ls mkdir mv ps rm rmdir sed sh sleep sort sync tail tr uname wc`;

export const USERLANDS: Userland[] = [
  { name: "dash and GNU tools", environment: () => ({ shell: [ensureDebianPackage("dash", "dash")] }) },
  {
    // bash 3.2 itself is not to be had; --posix is how macOS runs it as sh. awk is the one that macOS and BSD have.
    name: "bash as sh, the POSIX tools, curl and shasum",
    environment: (directory) => {
      const tools = [...POSIX.split(" "), "curl", "shasum"];
      link(directory, Object.fromEntries(tools.map((name) => [name, ensureDebianPackage(name, name)])));
      link(directory, { awk: ensureDebianPackage("original-awk", "original-awk") });
      return { shell: [ensureDebianPackage("bash", "bash"), "--posix"], env: { PATH: directory, HOME: directory } };
    },
  },
  {
    name: "busybox alone, without curl",
    environment: (directory) => {
      const busybox = ensureDebianPackage("busybox", "busybox");
      execFileSync(busybox, ["--install", "-s", directory]);
      return { shell: [busybox, "sh"], env: { PATH: directory, HOME: directory } };
    },
  },
];

function link(directory: string, tools: Record<string, string>): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, path] of Object.entries(tools)) {
    // The last one given wins.
    execFileSync("rm", ["-f", join(directory, name)]);
    symlinkSync(path, join(directory, name));
  }
}
