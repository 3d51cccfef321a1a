import { basic } from "../src/http/http";
import { tinyImage } from "../src/verify/image";
import { pushImage } from "./distribution";
import type { Sandbox } from "./sandbox";

export interface Row {
  title: string;
  expected: string;
  seen: string;
}

const TAG = "v1.2.3-abcdef0";

/** What CI does with its key: pushes a version once. */
export async function useKey(sandbox: Sandbox): Promise<Row[]> {
  const { apiKey, username } = await firstKey(sandbox);
  const push = async (repository: string, tag: string) =>
    String(
      (
        await pushImage(sandbox.registryUrl, repository, tag, tinyImage(`${repository}:${tag}`), {
          authorization: basic(username, apiKey),
        })
      ).status,
    );
  return [
    {
      title: "a key was made without a browser, and works",
      expected: "200",
      seen: await answerTo(sandbox, username, apiKey),
    },
    { title: `CI pushes team/demo:${TAG}`, expected: "201", seen: await push("team/demo", TAG) },
    { title: "pushes it again", expected: "403", seen: await push("team/demo", TAG) },
    { title: "pushes a tag of another form", expected: "403", seen: await push("team/demo", "newest") },
    { title: "pushes into the pull-through cache", expected: "403", seen: await push("docker.io/demo", TAG) },
  ];
}

/** Two rotations: running jobs keep their key through the first. @param up runs `pulumi up` */
export async function rotateKeys(sandbox: Sandbox, up: () => Promise<void>): Promise<Row[]> {
  const { apiKey, username } = await firstKey(sandbox);
  const keys = [apiKey];
  const rows: Row[] = [];
  for (const rotate of ["first", "second"]) {
    const settings = sandbox.settings();
    settings["harden-zot:ci"] = (settings["harden-zot:ci"] as object[]).map((ci) => ({ ...ci, key: { rotate } }));
    sandbox.stack.configure(settings);
    await up();
    keys.push((await firstKey(sandbox)).apiKey);
    rows.push({
      title: `after the ${rotate} rotation: every key so far`,
      expected: rotate === "first" ? "200 200" : "401 200 200",
      seen: (await Promise.all(keys.map((key) => answerTo(sandbox, username, key)))).join(" "),
    });
  }
  return rows;
}

/** Where each tool takes its key from. */
export async function loginLines(sandbox: Sandbox): Promise<string[][]> {
  const { ci } = (await sandbox.stack.outputs()) as { ci: Record<string, { login: Record<string, string> }> };
  return Object.values(ci).flatMap(({ login }) => Object.entries(login));
}

async function firstKey(sandbox: Sandbox): Promise<{ username: string; apiKey: string }> {
  const { ciSecrets } = await sandbox.stack.outputs("--show-secrets");
  const [username, { apiKey }] = Object.entries(ciSecrets as Record<string, { apiKey: string }>)[0] as [
    string,
    { apiKey: string },
  ];
  return { username, apiKey };
}

async function answerTo({ registryUrl }: Sandbox, username: string, apiKey: string): Promise<string> {
  const headers = { authorization: basic(username, apiKey) };
  return String((await fetch(`${registryUrl}/v2/`, { headers })).status);
}
