import { type AccessRules, cachePattern } from "../../config/compile";
import { commonNames, sampleName } from "../../config/patterns";
import type { LoadedAccessControl, LoadedRepository } from "../../zot/load";
import { compilePolicies } from "../../zot/policy";
import type { ZotConfig } from "../../zot/types";
import { error, type Fault, type Lint, type Linted, ruleOf } from "./finding";
import { whoIn } from "./policies";

export const cacheWritable: Lint = {
  why: "what is pushed there is served as if it came from upstream",
  fix: "grant create and update only outside of the cache's namespace",
  find: writableCaches,
};

function writableCaches({ config, accessControl, rules }: Linted): Fault[] {
  const { repositories, adminPolicy } = accessControl;
  const engine = compilePolicies({ ...accessControl, repositories: withoutConditions(repositories) });
  const byAdmins = adminPolicy.actions.filter((action) => action === "create" || action === "update");
  return cachesOf(config, rules).flatMap((cache) => [
    ...byAdmins.map((action) => error("adminPolicy", `break-glass may ${action} in ${cache}`)),
    ...[...new Set(samplesIn(cache, accessControl).flatMap((name) => engine.patternsFor(name)))].flatMap((pattern) =>
      writersOf(repositories.get(pattern)).map((who) => error(ruleOf(pattern), `${who} may push into ${cache}`)),
    ),
  ]);
}

/** Patterns of the caches, those of extraConfig first. */
function cachesOf({ extensions }: ZotConfig, { registry }: AccessRules): string[] {
  const destinations = (extensions?.sync?.registries ?? []).flatMap(({ content }) =>
    (content ?? []).map(({ destination = "", prefix }) =>
      destination.replace(/^\/+/, "") === "" ? prefix : `${destination.replace(/^\/+/, "")}/**`,
    ),
  );
  return [...new Set([...destinations, ...registry.pullThrough.map(cachePattern)])];
}

function withoutConditions(repositories: ReadonlyMap<string, LoadedRepository>): Map<string, LoadedRepository> {
  return new Map(
    [...repositories].map(([pattern, { policies, ...rest }]) => [
      pattern,
      { ...rest, policies: policies.map((policy) => ({ ...policy, conditions: [] })) },
    ]),
  );
}

/** A repository of the cache for every pattern that might rule there. */
function samplesIn(cache: string, { repositories }: LoadedAccessControl): string[] {
  return [sampleName(cache), ...[...repositories.keys()].flatMap((pattern) => commonNames(pattern, cache))];
}

function writersOf(repository: LoadedRepository | undefined): string[] {
  if (repository === undefined) return [];
  const pushes = (actions: readonly string[]) => actions.includes("create") || actions.includes("update");
  return [
    ...(pushes(repository.anonymousPolicy) ? ["anonymous clients"] : []),
    ...(pushes(repository.defaultPolicy) ? ["everyone logged in"] : []),
    ...repository.policies.filter(({ actions }) => pushes(actions)).flatMap(whoIn),
  ];
}
