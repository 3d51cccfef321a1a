import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { accessChanges, accessSection } from "./access";
import { checksSection } from "./checks";
import type { ReportData } from "./data";
import { Html, html } from "./html";
import { keyState, keysSection } from "./keys";
import { embedded } from "./state";
import { moment, OUTCOMES, plural } from "./text";
import { topologySection } from "./topology";

/** One file that needs no other and runs nothing: its policy (CSP) allows the one style sheet by its digest. */
export function renderPage(data: ReportData): string {
  const { state, keys, verification } = data;
  const style = readFileSync(join(__dirname, "report.css"), "utf8");
  const digest = createHash("sha256").update(style).digest("base64");
  const now = new Date(state.takenAt);
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${new Html(digest)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${verification.passed ? "✓" : "✗"} ${state.registry}: registry report</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>
<h1>Registry report</h1>
<p class="registry">${state.registry}</p>
<p>Stack <b>${state.stack}</b>, ${moment(now)}</p>
</header>
<nav aria-label="Sections"><ul>
<li><a href="#changes">Changes</a></li><li><a href="#access">Access</a></li><li><a href="#checks">Verification</a></li><li><a href="#keys">Keys</a></li><li><a href="#topology">Topology</a></li>
</ul></nav>
<main id="main" tabindex="-1">
${summary(data, now)}
${changesSection(data)}
${accessSection(data)}
${checksSection(verification)}
${keysSection(keys, now)}
${topologySection(data)}
</main>
<footer><p>Made by <code>make report STACK=${state.stack}</code>; the next one compares itself with this file.</p></footer>
${embedded(state)}
</body>
</html>
`;
  return markup;
}

function summary({ verification, changes, keys }: ReportData, now: Date): Html {
  const { counts, passed } = verification;
  const late = keys.filter((key) => keyState(key, now) !== "good").length;
  const verdict = passed
    ? "✓ The registry is what the settings say"
    : `✗ The registry is not what the settings say: ${plural(counts.failed, "check")} failed`;
  return html`<section aria-labelledby="verdict">
<h2 id="verdict" class="verdict ${passed ? "ok" : "failed"}">${verdict}</h2>
<ul class="figures">
<li><b>${counts.ok}</b> checks ok</li>
<li><b>${counts.failed}</b> failed</li>
<li><b>${counts.warning}</b> ${counts.warning === 1 ? "warning" : "warnings"}</li>
<li><b>${counts.skipped}</b> skipped</li>
<li><b>${changes ? changes.access.length : "–"}</b> access changes</li>
<li><b>${late}</b> of ${plural(keys.length, "key")} due</li>
</ul>
</section>`;
}

function changesSection({ changes }: ReportData): Html {
  return html`<section aria-labelledby="changes">
<h2 id="changes">What changed</h2>
${changes ? changesIn(changes) : html`<p>This is the first report in this file: there is none to compare it with.</p>`}
</section>`;
}

function changesIn({ since, access, checks }: NonNullable<ReportData["changes"]>): Html {
  const before = html`the report of ${moment(new Date(since))}`;
  if (access.length + checks.length === 0) return html`<p>Nothing since ${before}.</p>`;
  const outcomes = checks.map(
    ({ id, before: was, now }) =>
      html`<li><a href="#check-${id}"><code>${id}</code></a>: was ${OUTCOMES[was].word}, is <b>${OUTCOMES[now].word}</b></li>`,
  );
  return html`<p>Since ${before}:</p>
${access.length > 0 ? html`<h3>Access: ${plural(access.length, "change")}</h3><ul>${accessChanges(access)}</ul>` : ""}
${checks.length > 0 ? html`<h3>Checks: ${plural(checks.length, "change")}</h3><ul>${outcomes}</ul>` : ""}`;
}
