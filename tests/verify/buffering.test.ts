import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { freePort, waitForHttp } from "../../sandbox/process";
import { ensureDebianPackage } from "../../sandbox/tools";
import { BINARIES, MANIFEST, manifestOf, push, putManifest, Scratch, Zot } from "../contract/zot-harness";

const [BINARY_NAME, BINARY] = BINARIES.at(-1) as [string, string];

/** As docs/threat-model.md has it. */
function rule(zot: number): string {
  const docs = readFileSync(resolve(__dirname, "../../docs/threat-model.md"), "utf8");
  const block = /```nginx\n([\s\S]*?)```/.exec(docs)?.[1];
  if (block === undefined) throw new Error("docs/threat-model.md has no nginx rule");
  return block.replace("127.0.0.1:5050", `127.0.0.1:${zot}`);
}

let scratch: Scratch;
let zot: Zot;
let proxy: ChildProcess | undefined;
afterEach(async () => {
  proxy?.kill("SIGTERM");
  await zot.stop();
  scratch.remove();
});

async function nginx(location: string): Promise<string> {
  const port = await freePort();
  const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${scratch.path}/${kind};`,
  );
  const server = `server { listen 127.0.0.1:${port}; location / { return 204; }\n${location} }`;
  const config = `pid ${scratch.path}/pid;\nevents {}\nhttp { access_log off;\n${own.join("\n")}\n${server} }\n`;
  const file = scratch.write("nginx.conf", config);
  const words = ["-e", join(scratch.path, "error.log"), "-c", file, "-g", "daemon off;"];
  proxy = spawn(ensureDebianPackage("nginx", "nginx-light"), words, { stdio: "ignore" });
  await waitForHttp(`http://127.0.0.1:${port}/`);
  return `http://127.0.0.1:${port}`;
}

/** A push of `mine` that begins before the tag is there and ends after somebody else has pushed it. @returns its status */
async function raceThrough(url: string): Promise<number | undefined> {
  const body = manifestOf("mine");
  const slow = request(`${url}/v2/race/manifests/v1`, {
    method: "PUT",
    auth: "ci:ci",
    headers: { "Content-Type": MANIFEST, "Content-Length": body.length },
  });
  const answered = new Promise<number | undefined>((settle) => {
    slow.on("response", (response) => settle(response.resume().statusCode));
  });
  slow.write(body.slice(0, 10));
  await sleep(500);
  expect((await putManifest(zot, "race", "v1", manifestOf("theirs"), "ci")).status).toBe(201);
  slow.end(body.slice(10));
  return answered;
}

it.each([
  ["loses it behind the rule of docs/threat-model.md", rule, 403, "theirs"],
  [
    "wins it behind a proxy that passes on what comes as it comes",
    (port: number) => rule(port).replace("proxy_request_buffering on", "proxy_request_buffering off"),
    201,
    "mine",
  ],
])(`${BINARY_NAME}: a race for a new tag: who began before it was there %s`, async (_, location, status, kept) => {
  scratch = new Scratch();
  const policies = [{ users: ["ci"], actions: ["read", "create"] }];
  zot = await new Zot(BINARY, scratch, {
    storage: {},
    http: {
      auth: { htpasswd: { path: scratch.htpasswd("ci") } },
      accessControl: { repositories: { "**": { policies } } },
    },
  }).start();
  for (const layer of ["mine", "theirs"]) {
    expect((await push(zot, "race", `seed-${layer}`, layer, "ci")).status).toBe(201);
  }
  const url = await nginx(location(zot.port));
  expect(await raceThrough(url)).toBe(status);
  expect((await zot.ask("/v2/race/manifests/v1", { as: "ci" })).text).toBe(manifestOf(kept));
});
