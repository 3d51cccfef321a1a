import { WHATS, type What } from "../review/table";
import { type AccessChange, differing } from "./changes";
import type { ReportData } from "./data";
import { type Html, html } from "./html";
import type { AccessEntry } from "./state";

interface Row extends AccessEntry {
  change?: AccessChange;
}

/** Conditions are long: the table refers to them by number. */
class Conditions {
  readonly texts: string[] = [];

  numberOf(text: string): number {
    const index = this.texts.indexOf(text);
    return index < 0 ? this.texts.push(text) : index + 1;
  }
}

/** Who may do what where: a table for all repositories with the same rules. */
export function accessSection({ state, changes }: ReportData): Html {
  const conditions = new Conditions();
  const changed = changes?.access ?? [];
  const tables = groups(state.access, changed).map(({ patterns, rows }) => accessTable(patterns, rows, conditions));
  const notes = conditions.texts.map((text, index) => html`<li id="condition-${index + 1}"><code>${text}</code></li>`);
  return html`<section aria-labelledby="access">
<h2 id="access">Who may do what</h2>
<p>Push is of a tag that is new, overwrite of one that exists.</p>
${tables}
${notes.length > 0 ? html`<h3 id="conditions">Conditions</h3><ol class="conditions">${notes}</ol>` : ""}
</section>`;
}

/** What changed, in words. */
export function accessChanges(changes: readonly AccessChange[]): Html {
  return html`${changes.map((change) => html`<li><code>${change.where}</code>: ${described(change)}</li>`)}`;
}

function described({ who, before, now }: AccessChange): Html {
  if (now && before) {
    const parts = differing(before, now).map((what) => `${what} was ${before[what]}, is ${now[what]}`);
    return html`<b>${who}</b>: ${parts.join("; ")}`;
  }
  const may = now ?? before ?? ({} as AccessEntry["may"]);
  const allowed = WHATS.filter((what) => may[what] !== "no").map((what) =>
    may[what] === "yes" ? what : `${what} ${may[what]}`,
  );
  return html`<b>${who}</b> is ${now ? "new, and may" : "gone, and could"} ${allowed.join(", ") || "do nothing"}`;
}

/** Patterns whose rows are the same share a table; patterns without rules any more come last. */
function groups(
  access: readonly AccessEntry[],
  changes: readonly AccessChange[],
): { patterns: string[]; rows: Row[] }[] {
  const changeOf = (where: string, who: string) => changes.find((one) => one.where === where && one.who === who);
  const patterns = [...new Set([...access, ...changes].map(({ where }) => where))];
  const byRows = new Map<string, { patterns: string[]; rows: Row[] }>();
  for (const pattern of patterns) {
    const rows = access
      .filter(({ where }) => where === pattern)
      .map((entry): Row => ({ ...entry, ...optional(changeOf(pattern, entry.who)) }));
    const key = JSON.stringify(rows.map(({ who, may, change }) => [who, may, change?.before, change !== undefined]));
    const group = byRows.get(key) ?? { patterns: [], rows };
    group.patterns.push(pattern);
    byRows.set(key, group);
  }
  return [...byRows.values()].filter(({ rows }) => rows.length > 0);
}

const optional = (change: AccessChange | undefined) => (change ? { change } : {});

function accessTable(patterns: string[], rows: Row[], conditions: Conditions): Html {
  const caption = patterns.map((pattern, index) => html`${index > 0 ? " · " : ""}<code>${pattern}</code>`);
  return html`<table class="access">
<caption>${caption}</caption>
<thead><tr><th scope="col">who</th>${WHATS.map((what) => html`<th scope="col">${what}</th>`)}</tr></thead>
<tbody>${rows.map((row) => accessRow(row, conditions))}</tbody>
</table>
`;
}

function accessRow({ who, may, change }: Row, conditions: Conditions): Html {
  const isNew = change !== undefined && change.before === undefined;
  const note = isNew ? html` <span class="changed">new</span>` : "";
  return html`<tr><th scope="row">${who}${note}</th>${WHATS.map((what) => cell(what, may, change, conditions))}</tr>\n`;
}

function cell(what: What, may: AccessEntry["may"], change: AccessChange | undefined, conditions: Conditions): Html {
  const was = change?.before?.[what];
  const note =
    was !== undefined && was !== may[what] ? html` <span class="changed">was ${answer(was, conditions)}</span>` : "";
  const kind = may[what] === "yes" || may[what] === "no" ? may[what] : "if";
  return html`<td class="${kind}">${answer(may[what], conditions)}${note}</td>`;
}

function answer(may: string, conditions: Conditions): Html {
  if (may === "yes") return html`<span class="answer"><span aria-hidden="true">✓ </span>yes</span>`;
  if (may === "no") return html`no`;
  const number = conditions.numberOf(may.replace(/^if /, ""));
  return html`<a href="#condition-${number}">if ${number}</a>`;
}
