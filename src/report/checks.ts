import type { Result } from "../verify/check";
import type { Outcome } from "../verify/finding";
import type { Report } from "../verify/report";
import { type Html, html } from "./html";
import { mark } from "./text";

const GRAVEST_FIRST: Outcome[] = ["failed", "warning", "skipped", "ok"];

/** What was tried on the running registry, gravest first, with the time each took. */
export function checksSection({ checks, milliseconds, readOnly }: Report): Html {
  const sorted = GRAVEST_FIRST.flatMap((outcome) => checks.filter((check) => check.outcome === outcome));
  return html`<section aria-labelledby="checks">
<h2 id="checks">Verification</h2>
<p>${checks.length} checks on the running registry in ${seconds(milliseconds)}${readOnly ? ", only reading" : ""}.</p>
<table class="checks">
<caption class="hidden">Checks, gravest first</caption>
<thead><tr><th scope="col">result</th><th scope="col">check</th><th scope="col" class="time">time</th></tr></thead>
<tbody>${sorted.map(checkRow)}</tbody>
</table>
</section>`;
}

function checkRow({ id, title, outcome, expected, seen, cause, fix, milliseconds }: Result): Html {
  const help =
    cause === undefined
      ? ""
      : html`<dl>
<dt>expected</dt><dd>${expected}</dd><dt>because</dt><dd>${cause}</dd><dt>do</dt><dd>${fix}</dd></dl>`;
  return html`<tr id="check-${id}"><td>${mark(outcome)}</td>
<th scope="row">${title} <code>${id}</code><p>${seen}</p>${help}</th>
<td class="time">${milliseconds} ms</td></tr>
`;
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
