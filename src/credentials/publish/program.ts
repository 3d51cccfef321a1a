import { createHash } from "node:crypto";
import { OperatorError } from "../../operator/error";
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

export async function publish(request: Request): Promise<Report> {
  const { handover } = request;
  return { wrote: await publisherFor(request).publish(handover), fingerprint: fingerprintOf(handover) };
}

export async function withdraw(request: Request): Promise<Report> {
  const { handover } = request;
  await publisherFor(request).withdraw(handover);
  return { wrote: [], fingerprint: fingerprintOf(handover) };
}

const fingerprintOf = ({ apiKey }: HandOver) => createHash("sha256").update(apiKey).digest("hex").slice(0, 16);
