import type { ServerResponse } from "node:http";

const PAGES = ["/login", "/home", "/explore", "/image", "/user"];

/** Says who is logged in by the cookie that zot keeps for its UI to read; logging out leads on to the provider. */
const SCRIPT = `
const user = /(?:^|; )user=([^;]*)/.exec(document.cookie)?.[1];
document.getElementById(user ? "in" : "out").hidden = false;
document.getElementById("user").textContent = decodeURIComponent(user ?? "");
document.getElementById("log-out").addEventListener("click", async () => {
  const headers = { "X-ZOT-API-CLIENT": "zot-ui" };
  const { endSessionUrl } = await (await fetch("/zot/auth/logout", { method: "POST", headers })).json();
  document.cookie = "user=; path=/; max-age=0";
  location.assign(endSessionUrl ?? "/login");
});`;

const startPage = (providers: string[]) => `<!doctype html>
<html lang="en"><title>zot stand-in</title>
<h1>zot stand-in</h1>
<div id="out" hidden>${providers.map(signIn).join("")}</div>
<p id="in" hidden>Logged in as <b id="user"></b> <button id="log-out" type="button">Log out</button></p>
<script>${SCRIPT}</script>
</html>
`;

function signIn(provider: string): string {
  const href = `/zot/auth/login?provider=${encodeURIComponent(provider)}&amp;callback_ui=/home`;
  return `<p><a href="${href}">Sign in with ${provider.replace(/[&<>"]/g, "")}</a></p>`;
}

/** Whether zot's web UI has a page at this path. */
export function isPage(path: string): boolean {
  return path === "/" || PAGES.some((page) => path.startsWith(page));
}

/** @param providers names of the OpenID Connect providers to log in with */
export function sendPage(response: ServerResponse, providers: string[]): void {
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff" });
  response.end(startPage(providers));
}
