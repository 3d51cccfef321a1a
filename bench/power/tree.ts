import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tree } from "./file-system";

/** What lies below a directory. */
export function readTree(directory: string, prefix = ""): Tree {
  const tree: Tree = new Map();
  for (const name of readdirSync(join(directory, prefix)).sort()) {
    const path = `${prefix}${name}`;
    const place = join(directory, path);
    const stats = statSync(place);
    const mode = stats.mode & 0o777;
    if (name.startsWith("lost+found")) continue;
    if (!stats.isDirectory()) tree.set(path, { mode, content: readFileSync(place) });
    else {
      tree.set(path, { mode });
      for (const [below, entry] of readTree(directory, `${path}/`)) tree.set(below, entry);
    }
  }
  return tree;
}

/** Makes a directory hold this, and nothing else. */
export function layDown(directory: string, tree: Tree): void {
  for (const name of readdirSync(directory))
    if (!name.startsWith("lost+found")) rmSync(join(directory, name), { recursive: true });
  for (const [path, { mode, content }] of tree) {
    if (content === undefined) mkdirSync(join(directory, path));
    else writeFileSync(join(directory, path), content);
    chmodSync(join(directory, path), mode);
  }
}

/** The first path at which two differ, in content or mode; undefined when they are the same. */
export function difference(one: Tree, other: Tree): string | undefined {
  return [...new Set([...one.keys(), ...other.keys()])].find((path) => {
    const [a, b] = [one.get(path), other.get(path)];
    return a?.mode !== b?.mode || !(a?.content ?? Buffer.alloc(0)).equals(b?.content ?? Buffer.alloc(0));
  });
}
