import type { ServerResponse } from "node:http";

const PAGES = ["/login", "/home", "/explore", "/image", "/user"];

const START_PAGE = `<!doctype html>
<title>zot stand-in</title>
<h1>zot stand-in</h1>
<p><a href="/zot/auth/login?provider=oidc&amp;callback_ui=/home">Sign in</a></p>
`;

/** Whether zot's web UI has a page at this path. */
export function isPage(path: string): boolean {
  return path === "/" || PAGES.some((page) => path.startsWith(page));
}

export function sendPage(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff" });
  response.end(START_PAGE);
}
