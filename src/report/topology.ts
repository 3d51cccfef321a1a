import type { ReportData, Topology } from "./data";
import { type Html, html } from "./html";
import { plural } from "./text";

/** In units of the picture, which is as wide as a phone. */
const WIDTH = 360;
const COLUMN = 150;
const RIGHT = WIDTH - COLUMN;
const LINE = 16;
const TOP = 70;
/** Names beyond these are in the text alone. */
const SHOWN = 6;

/** Who talks to whom: a picture, and the same in words. */
export function topologySection({ topology, verification }: ReportData): Html {
  const { counts } = verification;
  const health = counts.failed > 0 ? `✗ ${plural(counts.failed, "check")} failed` : "✓ no check failed";
  return html`<section aria-labelledby="topology">
<h2 id="topology">Topology</h2>
<figure>${picture(topology, health)}
<figcaption>${inWords(topology)}</figcaption></figure>
</section>`;
}

function inWords({ registry, version, authentik, hosts, caches, identities, anonymous }: Topology): Html {
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).join(", ") || "none";
  return html`<details><summary>The picture in words</summary><ul>
<li>The machine that runs Pulumi sets up Authentik over its API, and the hosts over SSH.</li>
<li>Registry ${registry}: zot ${version} on ${hosts.map(({ name, address, manager }) => `${name} (${address}, ${manager})`).join(", ")}.</li>
<li>It sends people who log in to Authentik, ${authentik} (OpenID Connect).</li>
<li>It fetches what is missing in its caches from: ${caches.map(({ name, url }) => `${name} (${url})`).join(", ") || "nowhere"}.</li>
<li>Machine accounts, each with an API key: ${names(identities)}.</li>
<li>${anonymous ? "Anybody may pull what is public." : "Nobody may pull without logging in."}</li>
</ul></details>`;
}

function picture(
  { registry, version, authentik, hosts, caches, identities, anonymous }: Topology,
  health: string,
): Html {
  const zot = [`zot ${version}`, ...shown(hosts.map(({ name }) => name)), health];
  const upstreams = shown(caches.map(({ name }) => name));
  const clients = [
    ...shown(identities.map(({ name, role }) => `${name} (${role})`)),
    ...(anonymous ? ["anybody: pull"] : []),
  ];
  const middle = TOP + 56;
  const bottom = middle + height(zot) + 52;
  const total = bottom + Math.max(height(upstreams), height(clients)) + 4;
  return html`<svg class="topology" viewBox="0 0 ${WIDTH} ${total}" role="img" aria-labelledby="topology-title">
<title id="topology-title">Pulumi sets up Authentik and the registry hosts; the registry logs people in with Authentik, pulls from upstreams and serves CI. In words below.</title>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>
${box(1, 8, COLUMN - 1, "Pulumi", ["runs on your machine"])}
${box(RIGHT, 8, COLUMN - 1, "Authentik", [hostOf(authentik)])}
${arrow(COLUMN, 35, RIGHT, 35)}${label(WIDTH / 2, 28, "API", "middle")}
${arrow(COLUMN / 2, TOP - 14, COLUMN / 2, middle)}${label(COLUMN / 2 + 6, TOP + 24, "SSH: config.json")}
${arrow(RIGHT + COLUMN / 2, middle, RIGHT + COLUMN / 2, TOP - 14)}${label(RIGHT + COLUMN / 2 - 6, TOP + 24, "OIDC login", "end")}
${box(1, middle, WIDTH - 2, hostOf(registry), zot)}
${upstreams.length > 0 ? html`${arrow(COLUMN / 2, middle + height(zot), COLUMN / 2, bottom)}${label(COLUMN / 2 + 6, bottom - 22, "pull-through")}${box(1, bottom, COLUMN - 1, "Upstreams", upstreams)}` : ""}
${clients.length > 0 ? html`${arrow(RIGHT + COLUMN / 2, bottom, RIGHT + COLUMN / 2, middle + height(zot))}${label(RIGHT + COLUMN / 2 - 6, bottom - 22, "API key", "end")}${box(RIGHT, bottom, COLUMN - 1, "CI and clients", clients)}` : ""}
</svg>`;
}

function shown(names: string[]): string[] {
  return names.length <= SHOWN ? names : [...names.slice(0, SHOWN), `and ${names.length - SHOWN} more`];
}

const height = (lines: readonly string[]) => 26 + lines.length * LINE + 6;

function box(x: number, y: number, width: number, heading: string, lines: readonly string[]): Html {
  const fitting = Math.floor((width - 16) / 6.4);
  const texts = lines.map(
    (line, index) => html`<text x="${x + 8}" y="${y + 36 + index * LINE}">${cut(line, fitting)}</text>`,
  );
  return html`<rect class="box" x="${x}" y="${y}" width="${width}" height="${height(lines)}" rx="6"/>
<text class="heading" x="${x + 8}" y="${y + 18}">${cut(heading, fitting)}</text>${texts}`;
}

const cut = (text: string, length: number) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

const arrow = (x1: number, y1: number, x2: number, y2: number): Html =>
  html`<line class="arrow" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" marker-end="url(#tip)"/>`;

const label = (x: number, y: number, text: string, anchor = "start"): Html =>
  html`<text class="label" x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`;

const hostOf = (url: string) => new URL(url).host;
