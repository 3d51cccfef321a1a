import { type FSWatcher, readFileSync, statSync, watch } from "node:fs";

/**
 * Calls back when a file is written in place. As zot's inotify watch it follows the inode: a file renamed over this one
 * ends the watching, a symbolic link turned elsewhere goes unseen. Node does not tell a write from a touch, so only
 * new content counts; zot would also load what is written again unchanged.
 */
export function watchFile(path: string, written: () => void): FSWatcher {
  const { ino } = statSync(path);
  let content = readFileSync(path);
  const watcher = watch(path, { persistent: false }, () => {
    if (statSync(path, { throwIfNoEntry: false })?.ino !== ino) {
      watcher.close();
      return;
    }
    const next = readFileSync(path);
    if (!next.equals(content)) {
      content = next;
      written();
    }
  });
  return watcher;
}
