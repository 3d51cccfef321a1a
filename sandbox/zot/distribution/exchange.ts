import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identity } from "../../../src/zot/authorizer";
import type { Registry } from "../registry";

/** A request for one repository, past authentication and authorization. */
export interface Exchange {
  registry: Registry;
  request: IncomingMessage;
  response: ServerResponse;
  identity: Identity;
  repository: string;
  /** The tag, digest or upload session of the path; empty where the path has none. */
  reference: string;
  query: URLSearchParams;
}
