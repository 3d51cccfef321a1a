import type { ServerResponse } from "node:http";

/** The registry's error codes with zot's messages (zot 2.1.20, pkg/api/errors). */
const MESSAGES = {
  BLOB_UNKNOWN: "blob unknown to registry",
  BLOB_UPLOAD_INVALID: "blob upload invalid",
  BLOB_UPLOAD_UNKNOWN: "blob upload unknown to registry",
  DENIED: "requested access to the resource is denied",
  DIGEST_INVALID: "provided digest did not match uploaded content",
  MANIFEST_INVALID: "manifest invalid",
  MANIFEST_UNKNOWN: "manifest unknown",
  NAME_UNKNOWN: "repository name not known to registry",
  UNAUTHORIZED: "authentication required",
  UNSUPPORTED: "the operation is unsupported",
} as const;

export type ErrorCode = keyof typeof MESSAGES;

/** A refusal in the distribution specification's form; without a code the answer has no body. */
export class RegistryError extends Error {
  constructor(
    readonly status: number,
    readonly code?: ErrorCode,
    readonly detail: Record<string, string> = {},
  ) {
    super(code ? MESSAGES[code] : `status ${status}`);
  }

  body(): { errors: object[] } {
    return { errors: [{ code: this.code, message: this.message, detail: this.detail }] };
  }
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

export function sendError(response: ServerResponse, error: RegistryError): void {
  if (error.code) {
    sendJson(response, error.status, error.body());
  } else {
    sendEmpty(response, error.status);
  }
}

export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, status === 204 ? {} : { "Content-Length": 0 });
  response.end();
}
