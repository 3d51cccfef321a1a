/** Control characters, and those that turn the direction of text: they speak to a terminal, and not to whoever reads it. */
const UNSEEN = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;

/** Text as it may stand on a terminal. */
export const printable = (text: string) => text.replace(UNSEEN, "");

/** Characters of a server's words that are shown. */
const LONGEST = 200;

/**
 * What another server says, in one line that may be shown to anybody.
 * @param secrets that it was sent, and may send back
 */
export function foreign(text: string, ...secrets: string[]): string {
  const forms = secrets.filter(Boolean).flatMap((secret) => [secret, encodeURIComponent(secret)]);
  const hidden = forms.reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
  const line = printable(hidden).replace(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}...` : line;
}
