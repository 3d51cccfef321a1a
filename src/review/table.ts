import { type AccessRules, NEVER } from "../config/compile";
import { withoutProof } from "../config/proof";
import { type LoadedAccessControl, type LoadedPolicy, type LoadedRepository, loadConfig } from "../zot/load";
import type { ZotConfig } from "../zot/types";

/** Who may do what where, one row for every pattern and everyone the rules tell apart. */
export interface AccessTable {
  rows: AccessRow[];
}

export interface AccessRow {
  /** Repository pattern, as zot has it. */
  where: string;
  who: Who;
  cells: Record<What, Cell>;
}

interface Who {
  /** `anonymous`, `everyone logged in`, `zot-ci`, `group admins`, `user bob`. */
  label: string;
  /** As zot sees them; an anonymous client has no name. */
  name: string;
  groups: readonly string[];
}

/** push: a tag that is new; overwrite: a tag that exists. */
export const WHATS = ["pull", "push", "overwrite", "delete"] as const;
export type What = (typeof WHATS)[number];

export const ACTION_OF = { pull: "read", push: "create", overwrite: "update", delete: "delete" } as const;

interface Cell {
  may: "yes" | "no" | "if";
  /** What decides: a path within http.accessControl. */
  rule: string;
  /** With "if": alternatives, of each of which all must hold (CEL). */
  conditions?: readonly (readonly string[])[];
}

/**
 * @param config the whole rendered configuration, extraConfig included; one without accessControl has no rows
 */
export function accessTable(config: ZotConfig, rules: Pick<AccessRules, "access" | "ci">): AccessTable {
  return { rows: rowsOf(config, rules, (people) => () => people) };
}

/**
 * For a stack output: a preview shows which entry changes. `{ "team/**": { "zot-ci": "pull, push if ..." } }`. Whoever is
 * missing in a place has no rule there and may what everyone logged in may: it grows with the rules, and not with every
 * identity in every place.
 */
export function accessSummary(
  config: ZotConfig,
  rules: Pick<AccessRules, "access" | "ci">,
): Record<string, Record<string, string>> {
  const summary: Record<string, Record<string, string>> = {};
  for (const { where, who, cells } of rowsOf(config, rules, withRules)) {
    const may = WHATS.filter((what) => cells[what].may !== "no").map((what) => `${what}${conditionOf(cells[what])}`);
    summary[where] ??= {};
    summary[where][who.label] = may.join(", ") || "nothing";
  }
  return summary;
}

/** Of all people, in their order, those that have a row in a place where these policies say something. */
type Choice = (people: readonly Who[]) => (policies: readonly LoadedPolicy[]) => readonly Who[];

const withRules: Choice = (people) => {
  const [anonymous, everyone] = people as [Who, Who, ...Who[]];
  const position = new Map(people.map((who, index) => [who, index]));
  const named = indexed(people, ({ name }) => [name]);
  const members = indexed(people, ({ groups }) => groups);
  return (policies) => {
    const users = policies.flatMap((policy) => policy.users.flatMap((user) => named.get(user) ?? []));
    const inGroups = policies.flatMap((policy) => policy.groups.flatMap((group) => members.get(group) ?? []));
    const concerned = new Set([anonymous, everyone, ...users, ...inGroups]);
    return [...concerned].sort((a, b) => Number(position.get(a)) - Number(position.get(b)));
  };
};

function indexed(people: readonly Who[], keysOf: (who: Who) => readonly string[]): Map<string, Who[]> {
  const index = new Map<string, Who[]>();
  for (const who of people) {
    for (const key of keysOf(who)) {
      const known = index.get(key);
      known ? known.push(who) : index.set(key, [who]);
    }
  }
  return index;
}

function rowsOf(config: ZotConfig, rules: Pick<AccessRules, "access" | "ci">, choice: Choice): AccessRow[] {
  const { accessControl } = loadConfig(withoutProof(config));
  if (accessControl === undefined) return [];
  const choose = choice(peopleIn(accessControl, rules));
  const closed = !anonymousMayAsk(accessControl);
  return [...accessControl.repositories].flatMap(([where, repository]) =>
    choose([...repository.policies, accessControl.adminPolicy]).map((who) => {
      const cell = (what: What) => cellFor(accessControl, where, repository, who, ACTION_OF[what], closed);
      const cells = { pull: cell("pull"), push: cell("push"), overwrite: cell("overwrite"), delete: cell("delete") };
      return { where, who, cells };
    }),
  );
}

/** ` if ...`, or nothing. */
export function conditionOf({ conditions = [] }: Cell): string {
  return conditions.length === 0 ? "" : ` if ${conditions.map((all) => all.join(" && ")).join(" or ")}`;
}

/** The table as text in columns or as Markdown; conditions are numbered and follow it. */
export function renderTable({ rows }: AccessTable, format: "text" | "markdown"): string {
  const notes: string[] = [];
  const noteFor = (text: string) => (notes.includes(text) ? notes.indexOf(text) : notes.push(text) - 1) + 1;
  const shown = (cell: Cell) =>
    cell.may === "if" ? `if [${noteFor(conditionOf(cell).slice(" if ".length))}]` : cell.may;
  const body = rows.map(({ where, who, cells }) => [where, who.label, ...WHATS.map((what) => shown(cells[what]))]);
  const table = [["where", "who", ...WHATS], ...body];
  const widths = (table[0] ?? []).map((_, column) =>
    table.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  const lines = table.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)));
  const legend = notes.map((note, index) => `[${index + 1}] ${note}`);
  if (format === "text") return [...lines.map((line) => line.join("  ").trimEnd()), "", ...legend].join("\n").trimEnd();
  const [head = [], ...rest] = lines.map((line) => `| ${line.join(" | ")} |`);
  return [
    head,
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rest,
    "",
    ...legend.map((note) => `${note}  `),
  ]
    .join("\n")
    .trimEnd();
}

function peopleIn(accessControl: LoadedAccessControl, { access, ci }: Pick<AccessRules, "access" | "ci">): Who[] {
  const policies = [...accessControl.repositories.values()].flatMap((repository) => repository.policies);
  const named = [...policies, accessControl.adminPolicy];
  const groups = [access.admins.group, ...access.groups.map(({ group }) => group), ...named.flatMap((p) => p.groups)];
  const accounts = new Set(ci.map(({ name }) => name));
  const users = named.flatMap((policy) => policy.users).filter((user) => user !== "" && !accounts.has(user));
  return [
    { label: "anonymous", name: "", groups: [] },
    { label: "everyone logged in", name: "anyone", groups: [] },
    ...ci.map(({ name, group }) => ({ label: name, name, groups: [group] })),
    ...[...new Set(groups)].map((group) => ({ label: `group ${group}`, name: "anyone", groups: [group] })),
    ...[...new Set(users)].map((user) => ({ label: `user ${user}`, name: user, groups: [] })),
  ];
}

function cellFor(
  accessControl: LoadedAccessControl,
  where: string,
  repository: LoadedRepository,
  who: Who,
  action: string,
  closed: boolean,
): Cell {
  const place = `repositories[${JSON.stringify(where)}]`;
  const general = who.name === "" ? "anonymousPolicy" : "defaultPolicy";
  const numbered = repository.policies.map((policy, index) => ({ policy, rule: `${place}.policies[${index}]` }));
  const granting = [...numbered, { policy: accessControl.adminPolicy, rule: "adminPolicy" }].filter(
    ({ policy }) => policy.actions.includes(action) && concerns(policy, who) && canHold(policy),
  );
  const always = granting.find(({ policy }) => policy.conditions.length === 0);
  if (who.name === "" && closed) return { may: "no", rule: "http.auth" };
  if (repository[general].includes(action)) return { may: "yes", rule: `${place}.${general}` };
  if (always) return { may: "yes", rule: always.rule };
  if (granting.length === 0) return { may: "no", rule: place };
  const conditions = granting.map(({ policy }) => policy.conditions.map(({ expression }) => expression));
  return { may: "if", rule: granting.map(({ rule }) => rule).join(", "), conditions };
}

const canHold = ({ conditions }: LoadedPolicy) => conditions.every(({ expression }) => expression !== NEVER);

const concerns = (policy: LoadedPolicy, { name, groups }: Who) =>
  policy.users.includes(name) || policy.groups.some((group) => groups.includes(group));

const anonymousMayAsk = ({ repositories }: LoadedAccessControl) =>
  [...repositories.values()].some(({ anonymousPolicy }) => anonymousPolicy.length > 0);
