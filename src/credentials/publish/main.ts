import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { OperatorError } from "../../settings/errors";
import type { Destination } from "../../settings/publish";
import type { HandOver } from "../handover";
import { file } from "./file";
import { forgejo } from "./forgejo";
import { github } from "./github";
import type { Publisher } from "./publisher";

/** What is read from standard input, as JSON. Secret. */
export interface Request {
  destination: Destination;
  /** API token of the destination; a file needs none. */
  token?: string | undefined;
  handover: HandOver;
}

/** What is printed, as one line of JSON. Holds no secret. */
export interface Report {
  /** Names of the secrets, or the path of the file. */
  wrote: string[];
  /** First 16 hex digits of the key's SHA-256: tells keys apart and gives nothing away. */
  fingerprint: string;
}

function publisherFor({ destination, token = "" }: Request): Publisher {
  if (destination.forgejo) return forgejo(destination.forgejo, token);
  if (destination.github) return github(destination.github, token);
  if (destination.file) return file(destination.file);
  throw new OperatorError("the destination is none of: forgejo, github, file");
}

/** `main.ts publish` or `main.ts withdraw`. @throws OperatorError in one sentence, without a secret */
async function main(verb: string | undefined): Promise<void> {
  if (verb !== "publish" && verb !== "withdraw") throw new OperatorError("usage: main.ts publish | withdraw");
  const request = parse(await text(process.stdin));
  const publisher = publisherFor(request);
  const names = await publisher[verb](request.handover);
  const report: Report = {
    wrote: verb === "publish" ? names : [],
    fingerprint: createHash("sha256").update(request.handover.apiKey).digest("hex").slice(0, 16),
  };
  console.log(JSON.stringify(report));
}

function parse(input: string): Request {
  try {
    return JSON.parse(input);
  } catch {
    // The parser's own words would quote it.
    throw new OperatorError("standard input must be JSON: { destination, token, handover }");
  }
}

main(process.argv[2]).catch((error) => {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exitCode = 1;
});
