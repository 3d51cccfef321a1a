import { posix } from "node:path";

/** A system call that succeeded and changed, or synced, something below a directory. Paths are relative to it. */
export type SystemCall =
  | { kind: "open"; path: string; mode: number; truncate: boolean; append: boolean }
  | { kind: "write"; path: string; data: Buffer }
  | { kind: "copy"; from: string; path: string; length: number }
  | { kind: "rename"; from: string; to: string }
  | { kind: "link"; from: string; to: string }
  | { kind: "remove"; path: string }
  | { kind: "mkdir"; path: string; mode: number }
  | { kind: "chmod"; path: string; mode: number }
  /** Without a path: everything. */
  | { kind: "sync"; path?: string };

/** What strace is asked for: all by which the agent and its tools could change a file, on any architecture. */
const TRACED = [
  ..."open openat creat write writev pwrite64 copy_file_range sendfile splice truncate ftruncate fallocate".split(" "),
  ..."rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir".split(" "),
  ..."chmod fchmod fchmodat fchmodat2 fsync fdatasync sync syncfs chdir".split(" "),
];

/** How strace is to be called: descriptors with their paths, and every string as bytes. */
export const STRACE = [
  "-f",
  "-qq",
  "-y",
  "-xx",
  "-s",
  "1000000",
  "--seccomp-bpf",
  "-e",
  `trace=${TRACED.map((name) => `?${name}`).join(",")}`,
];

/**
 * Reads what strace wrote about a run.
 * @param root the directory, as an absolute path
 * @throws when a call changed something there in a way that is not known
 */
export function readTrace(text: string, root: string): SystemCall[] {
  const directories = new Map<string, string>();
  return wholeLines(text).flatMap(({ pid, line }) => {
    const call = tracedCall(line, directories.get(pid) ?? "/", root);
    if (call?.name !== "chdir") return (call && readCall(call)) ?? [];
    directories.set(pid, call.absolute[0] as string);
    return [];
  });
}

interface Line {
  pid: string;
  line: string;
}

/** A call during which another process was heard of takes two lines; it counts where it ends. */
function wholeLines(text: string): Line[] {
  const begun = new Map<string, string>();
  const lines: Line[] = [];
  for (const line of text.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    if (rest.endsWith(" <unfinished ...>")) begun.set(pid, rest.slice(0, -" <unfinished ...>".length));
    else lines.push({ pid, line: resumed ? `${begun.get(pid) ?? ""}${resumed[1]}` : rest });
  }
  return lines;
}

interface Traced {
  name: string;
  args: string;
  result: number;
  /** Of its arguments in their order. */
  absolute: string[];
  /** The same below the directory; undefined where one lies elsewhere. */
  paths: (string | undefined)[];
}

/** @returns undefined when the line is no call that succeeded */
function tracedCall(line: string, directory: string, root: string): Traced | undefined {
  const [, name, args = "", result = ""] = /^(\w+)\((.*)\) += (.*)$/.exec(line) ?? [];
  if (name === undefined || result.startsWith("-1")) return undefined;
  // What is written looks like a path.
  const absolute = name === "write" ? descriptorsIn(args) : pathsIn(args, directory);
  const below = (path: string) => {
    if (path === root) return "";
    return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
  };
  return { name, args, result: Number.parseInt(result, 10), absolute, paths: absolute.map(below) };
}

function readCall(call: Traced): SystemCall | undefined {
  if (call.name === "sync" || call.name === "syncfs") return { kind: "sync" };
  return call.paths.some((path) => path !== undefined) ? changeOf(call) : undefined;
}

function changeOf(call: Traced): SystemCall | undefined {
  const { args, name, paths, result } = call;
  const [path, second] = paths as [string, string];
  const mode = Number.parseInt(/, (0\d+)$/.exec(args)?.[1] ?? "0", 8) & 0o777;
  switch (name) {
    case "open":
    case "openat":
    case "creat":
      if (!/O_CREAT|O_WRONLY|O_RDWR/.test(args) && name !== "creat") return undefined;
      return { kind: "open", path, mode: mode & ~0o077, truncate: /O_TRUNC/.test(args), append: /O_APPEND/.test(args) };
    case "write":
      return { kind: "write", path, data: stringsIn(args)[0] ?? Buffer.alloc(0) };
    case "copy_file_range":
      return result > 0 && second !== undefined
        ? { kind: "copy", from: path, path: second, length: result }
        : undefined;
    case "rename":
    case "renameat":
    case "renameat2":
      return { kind: "rename", from: path, to: second };
    case "link":
    case "linkat":
      return { kind: "link", from: path, to: second };
    case "unlink":
    case "unlinkat":
    case "rmdir":
      return { kind: "remove", path };
    case "mkdir":
    case "mkdirat":
      return { kind: "mkdir", path, mode: mode & ~0o077 };
    case "fsync":
    case "fdatasync":
      return { kind: "sync", path };
    case "chmod":
    case "fchmod":
    case "fchmodat":
    case "fchmodat2":
      return { kind: "chmod", path, mode };
    default:
      throw new Error(`${name} changed ${path}: this call is not known here`);
  }
}

/** "\x61\x62" -> ab */
function bytes(hexadecimal: string): Buffer {
  return Buffer.from(hexadecimal.replaceAll("\\x", ""), "hex");
}

function stringsIn(args: string): Buffer[] {
  return [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, text = ""]) => bytes(text));
}

function descriptorsIn(args: string): string[] {
  return [...args.matchAll(/(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>/g)].map(([, text = ""]) => bytes(text).toString());
}

/** A path that is given as a string lies below the descriptor before it, or the directory of the process. */
function pathsIn(args: string, directory: string): string[] {
  const string = '"((?:\\\\x[0-9a-f]{2})*)"';
  const words = new RegExp(`(?:AT_FDCWD|\\d+)<((?:\\\\x[0-9a-f]{2})*)>(?:, ${string})?|${string}`, "g");
  return [...args.matchAll(words)].map(([, descriptor, name = "", alone = ""]) => {
    const base = descriptor === undefined ? directory : bytes(descriptor).toString();
    return posix.resolve("/", base, bytes(name || alone).toString());
  });
}
