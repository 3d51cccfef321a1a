import { isDeepStrictEqual } from "node:util";
import { accessSettings } from "../settings/access";
import type { LoadedPolicy } from "../zot/load";
import type { Section } from "./registry";

export interface Tags {
  /** `harden-zot:access.tags`. */
  section: Section;
  mutableAt(pattern: string): readonly string[];
}

/** Policies in force under one pattern. */
interface Place {
  pattern: string;
  policies: readonly LoadedPolicy[];
}

/** What the conditions of one place say; undefined where nobody is asked. */
interface Rules {
  mutable?: string[];
  form?: { format?: string; message?: string };
}

/** Tags that move in most registries, for rules under which every tag may move. */
const USUAL = ["main", "latest"];

/**
 * Tag rules as the conditions of policies have them: the tags listed by what lets a tag move, the expression that a new tag
 * must match. A condition that says anything else is not recognized.
 * @param byPlace whether places that differ get overrides; else the rules of the widest are everybody's
 */
export function tagsOf(places: readonly Place[], admins: string, byPlace: boolean): Tags {
  const rules = new Map(places.map(({ pattern, policies }) => [pattern, rulesOf(policies, admins)]));
  const all = [...rules.values()];
  const general = {
    mutable: rules.get("**")?.mutable ?? all.find(({ mutable }) => mutable)?.mutable ?? [],
    form: all.find(({ form }) => form)?.form ?? {},
  };
  const agrees = ({ mutable = general.mutable, form = general.form }: Rules) =>
    isDeepStrictEqual({ mutable, form }, general);
  const section = (one: Rules): Section => ({
    ...(one.mutable?.length ? { mutable: one.mutable } : {}),
    ...one.form,
  });
  if (!byPlace || all.every(agrees)) return { section: section(general), mutableAt: () => general.mutable };
  const overrides = [...rules].map(([pattern, one]) => ({
    repositories: [pattern],
    ...section({ ...general, ...one }),
  }));
  return {
    section: { ...section(general), overrides },
    mutableAt: (pattern) => rules.get(pattern)?.mutable ?? general.mutable,
  };
}

function rulesOf(policies: readonly LoadedPolicy[], admins: string): Rules {
  const having = (action: string) =>
    policies.filter(({ actions, groups, users }) => actions.includes(action) && groups.length + users.length > 0);
  const [creating, moving] = [having("create"), having("update")];
  if (creating.length + moving.length === 0) return {};
  const listed = [
    ...new Set(moving.flatMap(({ conditions }) => conditions.flatMap(({ expression }) => listedIn(expression)))),
  ];
  const mutable = moving.length === 0 ? [] : listed.length > 0 ? listed : USUAL;
  const asked = creating.filter(({ groups, users }) => users.length > 0 || groups.some((group) => group !== admins));
  if (asked.length === 0) return { mutable };
  return { mutable, form: asked.map(({ conditions }) => formIn(conditions)).find(({ format }) => format) ?? {} };
}

/** `req.tag in ["main", "latest"]`, `req.tag == "latest"` */
function listedIn(expression: string): string[] {
  const lists = [...expression.matchAll(/req\.tag in \[([^\]]*)\]|req\.tag == (["'][^"']*["'])/g)];
  const names = lists.flatMap(([, list = "", one = ""]) => [...`${list}${one}`.matchAll(/["']([^"']*)["']/g)]);
  return names.map(([, name = ""]) => name).filter((name) => takes({ mutable: [name] }));
}

/** `req.tag.matches(r'^v\d+$')`, or with a quoted string in which backslashes are doubled. */
function formIn(conditions: LoadedPolicy["conditions"]): { format?: string; message?: string } {
  for (const { expression, message } of conditions) {
    const format = formatIn(expression);
    if (format === undefined) continue;
    const own = message !== "" && !message.startsWith(`this registry takes new tags that match `) && takes({ message });
    return { format, ...(own ? { message } : {}) };
  }
  return {};
}

function formatIn(expression: string): string | undefined {
  const found = /req\.tag\.matches\((r?)(["'])(.*?)\2\)/.exec(expression);
  if (!found) return undefined;
  const [, raw, , text = ""] = found;
  const written = raw ? text : text.replace(/\\(.)/g, "$1");
  const inner = /^\^\(\?:(.*)\)\$$/s.exec(written)?.[1];
  if (inner !== undefined && takes({ format: inner })) return inner;
  return isAnchored(written) && takes({ format: written }) ? written : undefined;
}

/** Whether it matches whole tags alone, as a format does: zot looks for it anywhere in the tag. */
function isAnchored(expression: string): boolean {
  let bare = expression.replace(/\\.|\[(?:\\.|[^\]])*\]/g, "");
  for (let before = ""; before !== bare; ) [before, bare] = [bare, bare.replace(/\([^()]*\)/g, "")];
  return /^\^[^|]*\$$/.test(bare);
}

const takes = (tags: Section) => accessSettings.safeParse({ admins: { group: "admins" }, tags }).success;
