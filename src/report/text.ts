import type { Outcome } from "../verify/finding";
import { type Html, html } from "./html";

const DAY = 86_400_000;

export const OUTCOMES: Record<Outcome, { mark: string; word: string }> = {
  failed: { mark: "✗", word: "failed" },
  warning: { mark: "!", word: "warning" },
  ok: { mark: "✓", word: "ok" },
  skipped: { mark: "–", word: "skipped" },
};

/** `2026-11-24 15:41 UTC`, as a time element. */
export function moment(time: Date): Html {
  return html`<time datetime="${time.toISOString()}">${time.toISOString().slice(0, 16).replace("T", " ")} UTC</time>`;
}

/** `2026-11-24`, as a time element. */
export function day(time: Date): Html {
  return html`<time datetime="${time.toISOString()}">${time.toISOString().slice(0, 10)}</time>`;
}

/** `in 50 days`, `today`, `3 days ago`. */
export function daysFrom(now: Date, time: Date): string {
  const days = Math.floor((time.getTime() - now.getTime()) / DAY);
  if (days === 0) return "today";
  return days > 0 ? `in ${plural(days, "day")}` : `${plural(-days, "day")} ago`;
}

export const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

export const mark = (outcome: Outcome): Html =>
  html`<span class="mark ${outcome}"><span aria-hidden="true">${OUTCOMES[outcome].mark}</span> ${OUTCOMES[outcome].word}</span>`;
