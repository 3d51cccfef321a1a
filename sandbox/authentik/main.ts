import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startAuthentik } from "./server";

const USAGE = `usage: main.ts --port N [--state FILE] [--token-file FILE]
  --port        on 127.0.0.1; 0 takes a free one
  --state       JSON file that keeps everything across a restart; written 0600
  --token-file  file with the API token of akadmin; without it the token is read from stdin
Prints one line of JSON, {"url": ...}, when it serves.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: "string" }, state: { type: "string" }, "token-file": { type: "string" } },
  });
  const port = Number(values.port);
  if (!values.port || !Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`--port is missing or no port\n${USAGE}`);
  // Never an argument: everybody on the host may read those.
  const token = readFileSync(values["token-file"] ?? 0, "utf8").trim();
  if (token === "") throw new Error(`the API token is empty\n${USAGE}`);
  const authentik = await startAuthentik({ port, token, ...(values.state ? { stateFile: values.state } : {}) });
  console.log(JSON.stringify({ url: authentik.url }));
  const stop = () => authentik.stop().then(() => process.exit(0));
  process.once("SIGTERM", stop).once("SIGINT", stop);
}

main().catch((error: Error) => {
  console.error(`authentik stand-in: ${error.message}`);
  process.exit(1);
});
