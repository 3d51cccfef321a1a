import type { ServerResponse } from "node:http";
import type { Identity } from "../../../src/zot/authorizer";
import type { Registry } from "../registry";
import { isDigest } from "../storage/digest";
import { MEDIA } from "../storage/layout";
import { RegistryError, sendJson } from "./errors";
import type { Exchange } from "./exchange";

export function tags({ registry, response, repository, query }: Exchange): void {
  const count = query.get("n");
  const last = query.get("last");
  if (query.getAll("n").length > 1 || query.getAll("last").length > 1 || (count !== null && !/^\+?\d+$/.test(count))) {
    throw new RegistryError(400);
  }
  const all = registry.manifests.tags(repository);
  if (!all) throw new RegistryError(404, "NAME_UNKNOWN", { name: repository });
  if (last && !all.includes(last)) throw new RegistryError(404);
  const rest = last ? all.slice(all.indexOf(last) + 1) : all;
  const page = count === null ? rest : rest.slice(0, Number(count));
  if (page.length > 0 && page.length < rest.length) {
    response.setHeader("Link", `</v2/${repository}/tags/list?n=${Number(count)}&last=${page.at(-1)}>; rel="next"`);
  }
  sendJson(response, 200, { name: repository, tags: page });
}

export function referrers({ registry, response, repository, reference, query }: Exchange): void {
  if (!isDigest(reference)) throw new RegistryError(400);
  const types = query.getAll("artifactType");
  const index = registry.manifests.referrers(repository, reference, types);
  if (types.length > 0) response.setHeader("OCI-Filters-Applied", "artifactType");
  const body = JSON.stringify(index);
  response.writeHead(200, { "Content-Type": MEDIA.index, "Content-Length": Buffer.byteLength(body) }).end(body);
}

/** The repositories this identity may read. A condition is not evaluated here, so the list may say too much. */
export function catalog(
  registry: Registry,
  identity: Identity,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const repositories = registry.layout.repositories().filter((repository) => registry.mayRead(identity, repository));
  const last = query.get("last") ?? "";
  const rest = last ? repositories.slice(repositories.indexOf(last) + 1) : repositories;
  const count = /^\d+$/.test(query.get("n") ?? "") ? Number(query.get("n")) : rest.length;
  const page = last && !repositories.includes(last) ? [] : rest.slice(0, count);
  if (page.length > 0 && page.length < rest.length) {
    response.setHeader("Link", `</v2/_catalog?n=${count}&last=${page.at(-1)}>; rel="next"`);
  }
  sendJson(response, 200, { repositories: page });
}
