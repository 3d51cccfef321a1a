import * as blobs from "./blobs";
import type { Exchange } from "./exchange";
import * as lists from "./lists";
import * as manifests from "./manifests";
import * as uploads from "./uploads";

type Handler = (exchange: Exchange) => void | Promise<void>;

const NAME = "([a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)";

/** The endpoints of the OCI distribution specification 1.1, by path and method. */
const ROUTES: { path: RegExp; handlers: Record<string, Handler> }[] = [
  { path: new RegExp(`^/v2/${NAME}/tags/list$`), handlers: { GET: lists.tags } },
  {
    path: new RegExp(`^/v2/${NAME}/manifests/([^/]+)$`),
    handlers: { HEAD: manifests.head, GET: manifests.get, PUT: manifests.put, DELETE: manifests.remove },
  },
  { path: new RegExp(`^/v2/${NAME}/blobs/uploads/$`), handlers: { POST: uploads.start } },
  {
    path: new RegExp(`^/v2/${NAME}/blobs/uploads/([^/]+)$`),
    handlers: { GET: uploads.status, PATCH: uploads.patch, PUT: uploads.finish, DELETE: uploads.cancel },
  },
  {
    path: new RegExp(`^/v2/${NAME}/blobs/([^/]+)$`),
    handlers: { HEAD: blobs.head, GET: blobs.get, DELETE: blobs.remove },
  },
  { path: new RegExp(`^/v2/${NAME}/referrers/([^/]+)$`), handlers: { GET: lists.referrers } },
];

export interface Route {
  repository: string;
  reference: string;
  /** Undefined: the path exists and the method does not. */
  handler: Handler | undefined;
}

export function findRoute(method: string, path: string): Route | undefined {
  for (const { path: pattern, handlers } of ROUTES) {
    const match = pattern.exec(path);
    if (match) {
      const [, repository = "", reference = ""] = match;
      return { repository, reference: decodeURIComponent(reference), handler: handlers[method] };
    }
  }
  return undefined;
}
