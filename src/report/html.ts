/** Markup that is whole; everything else is text, and escaped. */
export class Html {
  constructor(readonly markup: string) {}
}

type Content = Html | string | number | undefined | readonly Content[];

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A template of markup: values are escaped for text and quoted attributes, undefined is nothing, lists are joined. */
export function html(markup: TemplateStringsArray, ...values: Content[]): Html {
  return new Html(markup.map((part, index) => part + markupOf(values[index])).join(""));
}

function markupOf(content: Content): string {
  if (content instanceof Html) return content.markup;
  if (Array.isArray(content)) return content.map(markupOf).join("");
  return String(content ?? "").replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
