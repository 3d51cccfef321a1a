import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { pushImage } from "../../sandbox/distribution";
import { freePort } from "../../sandbox/process";
import type { TinyImage } from "../../src/verify/image";
import { imageOf } from "./images";

/** Longer than zot's own timeouts of 60 s, which cut what takes longer. */
const SLOW_SECONDS = 90;
/** Of a run in which nothing is scaled down. */
const FULL_RUN_SECONDS = 600;
const TIMEOUT_SECONDS = 30 * 60;

/** How slow a layer is, and what the registry allows; a short run has both on a smaller scale. */
export interface Slowness {
  seconds: number;
  /** For `harden-zot:registry`. */
  timeouts: { read: string; write: string };
}

/** @param run seconds of the whole run */
export function slownessOf(run: number): Slowness {
  const scale = Math.min(1, run / FULL_RUN_SECONDS);
  const timeout = `${Math.round(TIMEOUT_SECONDS * scale)}s`;
  return { seconds: SLOW_SECONDS * scale, timeouts: { read: timeout, write: timeout } };
}

/** The bytes, in pieces, spread over so many seconds. */
export async function* trickle(bytes: Uint8Array, seconds: number): AsyncGenerator<Uint8Array> {
  const pieces = 30;
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
    await sleep((1000 * seconds) / pieces);
  }
}

/** What the slow upstream has, under the name of its cache. */
export const SLOW_CACHE = "slow.test";
const UPSTREAM_NAME = { repository: "library/slow", tag: "v0.1.0-0000000" };
export const SLOW_IMAGE = { ...UPSTREAM_NAME, repository: `${SLOW_CACHE}/${UPSTREAM_NAME.repository}` };

export interface SlowUpstream {
  url: string;
  image: TinyImage;
  close: () => void;
}

/** A way to an upstream on which one layer takes its time. @param upstream an open registry */
export async function startSlowUpstream(upstream: string, seconds: number): Promise<SlowUpstream> {
  const image = imageOf("slow upstream");
  const { status } = await pushImage(upstream, UPSTREAM_NAME.repository, UPSTREAM_NAME.tag, image);
  if (status !== 201) throw new Error(`the upstream of the slow cache answered ${status} to a push`);
  const [, layer] = image.blobs as [unknown, { digest: string }];
  const server = relay(upstream, (path) => path.endsWith(`/blobs/${layer.digest}`), seconds);
  const port = await freePort();
  await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${port}`, image, close: () => server.close().closeAllConnections() };
}

function relay(upstream: string, isSlow: (path: string) => boolean, seconds: number): Server {
  return createServer(async ({ method = "GET", url = "", headers }, response) => {
    try {
      const answer = await fetch(upstream + url, { method, headers: { accept: headers.accept ?? "*/*" } });
      const body = new Uint8Array(await answer.arrayBuffer());
      for (const name of ["content-type", "docker-content-digest"]) {
        const value = answer.headers.get(name);
        if (value !== null) response.setHeader(name, value);
      }
      response.writeHead(answer.status, { "content-length": answer.headers.get("content-length") ?? body.length });
      const pieces = method === "GET" && isSlow(url) ? trickle(body, seconds) : [body];
      for await (const piece of pieces) response.write(piece);
      response.end();
    } catch {
      response.destroy();
    }
  });
}
