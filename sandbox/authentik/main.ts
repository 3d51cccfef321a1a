import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startAuthentik } from "./server";

const USAGE = `usage: main.ts --port N [--version V] [--state FILE] [--token-file FILE]
  --port        on 127.0.0.1; 0 takes a free one
  --version     2026.2 (the default), 2026.5 or 2026.8
  --state       JSON file that keeps everything across a restart; written 0600
  --token-file  file with the API token of akadmin; without it the token is read from stdin
AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS: networks with a comma between them, as Authentik reads it.
Prints one line of JSON, {"url": ...}, when it serves.`;

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { port: text, version: text, state: text, "token-file": text } });
  const port = Number(values.port);
  if (!values.port || !Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`--port is missing or no port\n${USAGE}`);
  // Never an argument: everybody on the host may read those.
  const token = readFileSync(values["token-file"] ?? 0, "utf8").trim();
  if (token === "") throw new Error(`the API token is empty\n${USAGE}`);
  const { version, state } = values;
  const proxies = process.env.AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS;
  const authentik = await startAuthentik({
    port,
    token,
    ...(version ? { version } : {}),
    ...(state ? { stateFile: state } : {}),
    ...(proxies ? { trustedProxies: proxies.split(",") } : {}),
  });
  console.log(JSON.stringify({ url: authentik.url }));
  const stop = () => authentik.stop().then(() => process.exit(0));
  process.once("SIGTERM", stop).once("SIGINT", stop);
}

main().catch((error: Error) => {
  console.error(`authentik stand-in: ${error.message}`);
  process.exit(1);
});
