import { execFile } from "node:child_process";

/**
 * Asks npm, whose answer on stdout is JSON whether it succeeds or fails.
 * @param project folder of a package.json
 * @throws when it answers something else
 */
export function askNpm<T>(project: string, args: string[]): Promise<T> {
  const options = { cwd: project, encoding: "utf8", maxBuffer: 1 << 28 } as const;
  return new Promise((settle, fail) => {
    execFile("npm", args, options, (error, stdout, stderr) => {
      try {
        settle(JSON.parse(stdout) as T);
      } catch {
        fail(new Error(`npm ${args.join(" ")}: ${stderr.trim() || error?.message || "it printed nothing"}`));
      }
    });
  });
}
