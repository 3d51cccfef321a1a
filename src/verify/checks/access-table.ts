import { type TagRules, tagRulesAt } from "../../config/compile";
import { sampleName } from "../../config/patterns";
import { PROOF_PREFIX } from "../../config/proof";
import type { Decision, Identity } from "../../zot/authorizer";
import { loadConfig } from "../../zot/load";
import type { Check } from "../check";
import type { Answer, Credentials } from "../client";
import { type Finding, failed, ok } from "../finding";
import { dryPush, MAY_PUSH } from "../probe";
import { freshTag, misshapenTag } from "../tags";
import type { Target } from "../target";
import type { Verification } from "../verification";

export const ACCESS_TABLE: Check = {
  id: "access-table",
  title: "every rule in force, asked as everyone who has a key and as anonymous",
  expected: "as the rules of the settings decide",
  after: ["ready", "key-works"],
  observe: accessTable,
};

/** Requests at a time; more does not make zot faster, and others use it too. */
const PARALLEL = 16;
/** Of more questions than these a run asks so many, spread evenly from a start that chance picks. */
const MOST_QUESTIONS = 2500;

interface Question {
  who: string;
  as: Credentials | undefined;
  identity: Identity;
  repository: string;
  method: "GET" | "PUT" | "DELETE";
  tag: string;
}

/**
 * Nothing that is asked is there, and nothing is written: a pull is answered 404 to those who may, a push of what is no
 * manifest 415, a delete 400 or 404; 401 or 403 to all others.
 */
async function accessTable({ target, registry, authorizer }: Verification): Promise<Finding> {
  const all = await questions(target);
  const step = Math.max(1, all.length / MOST_QUESTIONS);
  const start = Math.random() * (step - 1);
  const count = Math.floor(all.length / step);
  const asked = Array.from({ length: count }, (_, index) => all[Math.floor(start + index * step)] as Question);
  const differing: string[] = [];
  const pending = asked.values();
  const work = async () => {
    for (const question of pending) {
      const { identity, method, repository, tag, who } = question;
      const path = `/v2/${repository}/manifests/${tag}`;
      const expected = authorizer.decide(identity, { method, path }, new Map());
      const answer = await ask(question);
      if (!agree(expected, method, answer)) {
        const wanted = expected.allowed ? "may" : `may not (${expected.status})`;
        differing.push(`${who} ${method} ${repository}:${tag}: ${answer.status}, by the rules ${wanted}`);
      }
    }
  };
  const ask = ({ as, method, repository, tag }: Question): Promise<Answer> =>
    method === "PUT"
      ? dryPush(registry, repository, tag, as)
      : registry.ask(method, `/v2/${repository}/manifests/${tag}`, as ? { as } : {});
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const share = asked.length < all.length ? ` of ${all.length}` : "";
  if (differing.length === 0) return ok(`${asked.length}${share} answers, all as the rules decide`);
  return failed(
    `${differing.length} of ${asked.length} answers differ: ${differing.slice(0, 5).join("; ")}`,
    "the registry runs with other rules than the settings",
    "pulumi up puts the rules in force; zot must have been started with authentication, or a reload enforces nothing",
  );
}

const LET_THROUGH = { GET: [404], PUT: [MAY_PUSH], DELETE: [400, 404] };

function agree({ allowed, status: wanted }: Decision, method: Question["method"], { status }: Answer): boolean {
  const refused = !allowed && (wanted === 401 || wanted === 403);
  return refused ? status === wanted : LET_THROUGH[method].includes(status);
}

type Person = Pick<Question, "who" | "as" | "identity">;

/** Everything that there is to ask. */
export async function questions(target: Target): Promise<Question[]> {
  const patterns = loadConfig(target.config).accessControl?.repositories.keys() ?? [];
  // The mark of a configuration depends on the names of its secret files, which are known on the host alone.
  const names = [...patterns].map(sampleName).filter((name) => !name.startsWith(PROOF_PREFIX));
  const repositories = [...new Set(names)];
  const people = peopleOf(target);
  const none = `none-${Math.random().toString(36).slice(2)}`;
  const tagsByRules = new Map<string, Promise<string[]>>();
  const tagsIn = (repository: string): Promise<string[]> => {
    const rules = tagRulesAt(repository, target.settings.access);
    const key = JSON.stringify(rules);
    const tags = tagsByRules.get(key) ?? newTags(rules);
    tagsByRules.set(key, tags);
    return tags;
  };
  const caches = target.settings.registry.pullThrough.map(({ name }) => `${name}/`);
  const asked = repositories.map(async (repository) => {
    // A cache would ask its upstream for what it does not hold.
    const reads = caches.some((cache) => repository.startsWith(cache)) ? [] : [["GET", none] as const];
    const writes = target.readOnly ? [] : (await tagsIn(repository)).map((tag) => ["PUT", tag] as const);
    const deletes = target.readOnly ? [] : [["DELETE", none] as const];
    return people.flatMap((person) =>
      [...reads, ...writes, ...deletes].map(([method, tag]): Question => ({ ...person, repository, method, tag })),
    );
  });
  return (await Promise.all(asked)).flat();
}

/** Of the right form and of the wrong one. */
async function newTags(rules: TagRules): Promise<string[]> {
  return [await freshTag(rules), misshapenTag(rules)].flatMap((tag) => tag ?? []);
}

function peopleOf({ identities }: Target): Person[] {
  const holders = identities.flatMap(({ username, apiKey, group }): Person[] => {
    if (apiKey === undefined) return [];
    const identity: Identity = { kind: "user", name: username, groups: [group], via: "apikey" };
    return [{ who: username, as: { username, apiKey }, identity }];
  });
  return [{ who: "anonymous", as: undefined, identity: { kind: "anonymous" } }, ...holders];
}
