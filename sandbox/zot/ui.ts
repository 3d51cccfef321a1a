import type { ServerResponse } from "node:http";

/** Stands where zot's web UI stands: every path that is nothing else is its start page. */
export function page(path: string, response: ServerResponse): void {
  const html = `<!doctype html><title>zot stand-in</title><h1>zot stand-in</h1><p><a href="/zot/auth/login?provider=oidc&amp;callback_ui=/home">Sign in</a></p>`;
  const known = path === "/" || !path.includes(".");
  response.writeHead(known ? 200 : 404, { "Content-Type": "text/html; charset=utf-8" }).end(html);
}
