import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough, type Readable } from "node:stream";
import type { LoadedConfig } from "./config/loaded";

type Timeouts = Pick<LoadedConfig["http"], "readTimeout" | "writeTimeout">;

/** zot's default for both, in ms. */
const DEFAULT = 60_000;

/**
 * The body of a request, which ends in an error when it takes longer than http.readTimeout to come. The connection is left
 * alone, as in Go's server, so that the answer may still go out.
 */
export function bodyOf(request: IncomingMessage, { readTimeout = DEFAULT }: Timeouts): Readable {
  const body = new PassThrough();
  const giveUp = (error: Error) => {
    request.unpipe(body).resume();
    body.destroy(error);
  };
  const timer = readTimeout > 0 ? setTimeout(() => giveUp(new Error("i/o timeout")), readTimeout) : undefined;
  request.on("error", giveUp);
  body.once("close", () => clearTimeout(timer));
  return request.pipe(body);
}

/**
 * Past http.writeTimeout nothing of the answer goes out any more: the connection ends at the first word that is said then.
 * What the request asked for is done all the same.
 */
export function limitAnswer(response: ServerResponse, { writeTimeout = DEFAULT }: Timeouts): void {
  if (writeTimeout <= 0) return;
  const cut = () => response.destroy();
  const timer = setTimeout(() => {
    if (response.headersSent) cut();
    else response.writeHead = response.end = cut;
  }, writeTimeout);
  response.once("close", () => clearTimeout(timer));
}
