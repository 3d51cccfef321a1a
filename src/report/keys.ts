import type { KeyLife } from "./data";
import { type Html, html } from "./html";
import { day, daysFrom } from "./text";

const STEPS = 4;

interface Scale {
  from: number;
  to: number;
}

/** The keys of the machine accounts on one time line; every date is in words too. */
export function keysSection(keys: readonly KeyLife[], now: Date): Html {
  const scale = scaleOf(keys, now);
  const body =
    keys.length === 0
      ? html`<p>The stack has no machine accounts.</p>`
      : html`<ol class="keys">
${keys.map((key) => keyEntry(key, now, scale))}</ol>
${axis(scale)}
<p class="legend">Full bar: the key is in use. Striped: its successor is due. The line is the time of this report.</p>`;
  return html`<section aria-labelledby="keys">
<h2 id="keys">Keys on a time line</h2>
${body}
</section>`;
}

export type KeyState = "none" | "expired" | "overdue" | "good";

export function keyState({ life }: KeyLife, now: Date): KeyState {
  if (!life) return "none";
  if (life.expiresAt <= now) return "expired";
  return life.dueAt <= now ? "overdue" : "good";
}

const WORDS: Record<KeyState, string> = {
  none: "– no key",
  expired: "✗ expired",
  overdue: "! successor due",
  good: "✓ valid",
};

function keyEntry(key: KeyLife, now: Date, scale: Scale): Html {
  const state = keyState(key, now);
  const { life, username, role, group } = key;
  const dates = life
    ? html`expires ${day(life.expiresAt)} (${daysFrom(now, life.expiresAt)}), successor due ${day(life.dueAt)} (${daysFrom(now, life.dueAt)})`
    : "the stack hands out none";
  return html`<li><p><b>${username}</b> <span class="mark key-${state}">${WORDS[state]}</span>
<span>${role} in ${group}</span></p><p>${dates}</p>
${life ? bar(life, now, scale) : ""}</li>
`;
}

function bar({ issuedAt, dueAt, expiresAt }: NonNullable<KeyLife["life"]>, now: Date, scale: Scale): Html {
  const [issued, due, end] = [issuedAt, dueAt, expiresAt].map((time) => percent(time.getTime(), scale)) as [
    number,
    number,
    number,
  ];
  const width = (from: number, to: number) => Math.max(0, to - from).toFixed(2);
  return html`<svg class="bar" width="100%" height="18" aria-hidden="true" focusable="false">
<rect class="track" width="100%" height="18" rx="3"/>
<rect class="use" x="${issued.toFixed(2)}%" width="${width(issued, due)}%" y="3" height="12"/>
<rect class="due" x="${due.toFixed(2)}%" width="${width(due, end)}%" y="3" height="12" fill="url(#stripes)"/>
<line class="now" x1="${percent(now.getTime(), scale).toFixed(2)}%" x2="${percent(now.getTime(), scale).toFixed(2)}%" y1="0" y2="18"/></svg>`;
}

function axis(scale: Scale): Html {
  const ticks = Array.from({ length: STEPS }, (_, step) => {
    const time = new Date(scale.from + ((scale.to - scale.from) * step) / (STEPS - 1));
    const anchor = step === 0 ? "start" : step === STEPS - 1 ? "end" : "middle";
    const at = ((100 * step) / (STEPS - 1)).toFixed(2);
    return html`<text x="${at}%" y="12" text-anchor="${anchor}">${time.toISOString().slice(0, 10)}</text>`;
  });
  return html`<svg class="axis" width="100%" height="16" aria-hidden="true" focusable="false">
<defs><pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="stripe" width="3" height="6"/></pattern></defs>
${ticks}</svg>`;
}

/** From the oldest key's beginning to the last one's end, now within. */
function scaleOf(keys: readonly KeyLife[], now: Date): Scale {
  const times = keys.flatMap(({ life }) => (life ? [life.issuedAt.getTime(), life.expiresAt.getTime()] : []));
  const from = Math.min(now.getTime(), ...times);
  return { from, to: Math.max(now.getTime(), from + 86_400_000, ...times) };
}

const percent = (time: number, { from, to }: Scale) => (100 * (time - from)) / (to - from);
