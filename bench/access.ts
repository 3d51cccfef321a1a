import { performance } from "node:perf_hooks";
import { type AccessRules, compileAccess } from "../src/config/compile";
import { lintAccess } from "../src/review/lints/lints";
import { accessSettings, ciSettings } from "../src/settings/access";
import { createAuthorizer, type Identity } from "../src/zot/authorizer";
import type { ZotConfig } from "../src/zot/types";
import { benchmark, conditions, markdownTable } from "./benchmark";

const DECISIONS = 100_000;

/** Every figure is the best of three. */
benchmark("Access rules", async () => {
  console.log(conditions([]));
  const grants = [10, 100, 1000].flatMap((size) => [1, size].map((each) => ({ size, each })));
  console.log(
    markdownTable(
      ["compile and lint, identities x patterns (grants)", "ms"],
      grants.map(({ size, each }) => [
        `${size} x ${size} (${size * each})`,
        millisecondsFor(rulesOf(size, size, each)).toFixed(0),
      ]),
    ),
  );
  console.log(
    markdownTable(
      ["patterns, with CEL conditions", "decisions a second, one core"],
      [10, 50, 100, 1000].map((size) => [`${size}`, decisionsPerSecond(rulesOf(size, size, 1)).toFixed(0)]),
    ),
  );
});

/** Each identity in a group of its own, with that many of the patterns. */
function rulesOf(identities: number, patterns: number, each: number): AccessRules {
  const pattern = (index: number) => `team${index % patterns}/**`;
  return {
    access: accessSettings.parse({
      admins: { group: "admins" },
      tags: { mutable: ["main", "latest"], format: "^v\\d+\\.\\d+\\.\\d+-[0-9a-f]{7}(-nix)?$" },
    }),
    ci: ciSettings.parse(
      Array.from({ length: identities }, (_, index) => ({
        name: `ci-${index}`,
        group: `group-${index}`,
        role: "maintainer",
        repositories: Array.from({ length: each }, (_, offset) => pattern(index + offset)),
      })),
    ),
    registry: {
      version: "2.1.20",
      metrics: "anonymous",
      pullThrough: [{ name: "docker.io", url: "https://registry-1.docker.io", tlsVerify: true }],
    },
  };
}

function configOf(rules: AccessRules): ZotConfig {
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: "/srv/zot", dedupe: false },
    http: { address: "127.0.0.1", port: "5000", auth: { apikey: true }, accessControl: compileAccess(rules) },
  };
}

function millisecondsFor(rules: AccessRules): number {
  return bestOfThree(() => {
    const errors = lintAccess(configOf(rules), rules).filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new Error(`unexpected finding: ${JSON.stringify(errors[0])}`);
  });
}

function decisionsPerSecond(rules: AccessRules): number {
  const authorizer = createAuthorizer(configOf(rules));
  const { length } = rules.ci;
  const identities = rules.ci.map(
    ({ name, group }): Identity => ({ kind: "user", name, groups: [group], via: "apikey" }),
  );
  const asks = Array.from({ length: 1000 }, (_, index) => ({
    identity: identities[index % length] as Identity,
    question: {
      repository: `team${index % length}/app${index}`,
      action: "create",
      reference: "v1.2.3-abcdef0",
    } as const,
  }));
  const milliseconds = bestOfThree(() => {
    for (let index = 0; index < DECISIONS; index++) {
      const { identity, question } = asks[index % asks.length] as (typeof asks)[number];
      if (!authorizer.can(identity, question).allowed) throw new Error(`refused: ${JSON.stringify(question)}`);
    }
  });
  return (DECISIONS / milliseconds) * 1000;
}

function bestOfThree(work: () => void): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );
}
