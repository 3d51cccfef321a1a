import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../../sandbox/sandbox";

/** The texts that the command resources of a state hold, by their names. */
type Commands = ({ name: string } & Record<"create" | "update" | "delete", string>)[];

/**
 * The stack's state with the commands that an older program gave it.
 * @param date of states/commands-DATE.json
 * @returns a file for `pulumi stack import`
 */
export async function withCommandsOf(date: string, sandbox: Sandbox): Promise<string> {
  const commands: Commands = JSON.parse(readFileSync(join(__dirname, `states/commands-${date}.json`), "utf8"));
  const state = JSON.parse(await sandbox.stack.state());
  const locals = state.deployment.resources.filter(({ type }: { type: string }) => type === "command:local:Command");
  for (const { name, ...texts } of commands) {
    const named = locals.filter(({ urn }: { urn: string }) => new RegExp(name).test(urn.split("::").at(-1) as string));
    if (named.length === 0) throw new Error(`the state has no resource whose name is like ${name}`);
    for (const { inputs, outputs } of named)
      for (const properties of [inputs, outputs]) Object.assign(properties, texts);
  }
  const file = join(sandbox.directory, `commands-${date}.json`);
  writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
  return file;
}
