import { Document, isPair, isScalar, type Node, visit } from "yaml";
import type { Adoption } from "./adopt";
import type { Report } from "./changes";

/** Pulumi.<stack>.yaml, with a comment on every value that stands in for one that config.json does not say. */
export function stackFile({ settings, missing }: Adoption): string {
  const document = new Document({ config: settings });
  visit(document, {
    Pair(_, pair, ancestors) {
      const path = [...ancestors, pair].filter(isPair).map(({ key }) => (isScalar(key) ? String(key.value) : ""));
      const what = missing.get(path.slice(1).join("."));
      if (what !== undefined) (pair.value as Node).comment = ` TO FILL IN: ${what}`;
    },
    Seq(_, list) {
      if (list.items.every(isScalar)) list.flow = true;
    },
    Map(_, map, ancestors) {
      const short = map.items.length <= 2 && map.items.every(({ value }) => isScalar(value));
      if (short && ancestors.length > 4) map.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** The report in plain text. */
export function reportText({ changes, rights, faults, decide }: Report): string {
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`${title}\n${[...new Set(lines)].map((line) => `  - ${line}`).join("\n")}\n`];
  return [
    ...section("What the first `pulumi up` changes:", changes),
    ...section("Who gains or loses what by it:", rights),
    ...section("What is wrong with the rules as they are, and is why:", faults),
    ...section("To decide before it:", decide),
  ].join("\n");
}
