import type { ServerResponse } from "node:http";

/** The registry's error codes with zot's messages and descriptions (zot 2.1.20, pkg/api/errors). */
const ERRORS = {
  BLOB_UNKNOWN: [
    "blob unknown to registry",
    "blob unknown to registry \tThis error MAY be returned when a blob is unknown  to the registry in a specified repository. This can be returned with a standard get or if a manifest references an unknown layer during upload.",
  ],
  BLOB_UPLOAD_INVALID: ["blob upload invalid", "The blob upload encountered an error and can no longer proceed."],
  BLOB_UPLOAD_UNKNOWN: [
    "blob upload unknown to registry",
    "If a blob upload has been cancelled or was never started, this error code MAY be returned.",
  ],
  DENIED: [
    "requested access to the resource is denied",
    "The access controller denied access for the operation on a resource.",
  ],
  DIGEST_INVALID: [
    "provided digest did not match uploaded content",
    'When a blob is uploaded, the registry will check that the content matches the digest provided by the client. The error MAY include a detail structure with the key "digest", including the invalid digest string. This error MAY also be returned when a manifest includes an invalid layer digest.',
  ],
  MANIFEST_INVALID: [
    "manifest invalid",
    "During upload, manifests undergo several checks ensuring validity. If those checks fail, this error MAY be returned, unless a more specific error is included. The detail will contain information the failed validation.",
  ],
  MANIFEST_UNKNOWN: [
    "manifest unknown",
    "This error is returned when the manifest, identified by name and tag is unknown to the repository.",
  ],
  NAME_UNKNOWN: [
    "repository name not known to registry",
    "This is returned if the name used during an operation is unknown to the registry.",
  ],
  UNAUTHORIZED: [
    "authentication required",
    "The access controller was unable to authenticate the client. Often this will be accompanied by a WWW-Authenticate HTTP response header indicating how to authenticate.",
  ],
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** A refusal in the distribution specification's form; without a code the answer has no body. */
export class RegistryError extends Error {
  constructor(
    readonly status: number,
    readonly code?: ErrorCode,
    readonly detail: Record<string, string> = {},
  ) {
    super(code ? ERRORS[code][0] : `status ${status}`);
  }

  /** One error as zot writes it: its description is part of the detail. */
  body(): object {
    const description = this.code ? ERRORS[this.code][1] : "";
    return { code: this.code, message: this.message, detail: { description, ...this.detail } };
  }
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

export function sendError(response: ServerResponse, error: RegistryError): void {
  if (error.code) {
    sendJson(response, error.status, { errors: [error.body()] });
  } else {
    sendEmpty(response, error.status);
  }
}

export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, status === 204 ? {} : { "Content-Length": 0 });
  response.end();
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  const headers = { "Content-Type": "text/plain; charset=utf-8", "Content-Length": Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}
