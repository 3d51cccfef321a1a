import { lt } from "semver";
import { supports } from "../../zot/versions";
import { error, type Fault, type Lint, type Linted } from "./finding";
import { policiesOf } from "./policies";

export const zotTooOld: Lint = {
  why: "an older zot refuses the configuration, or reads past the rule",
  fix: "upgrade zot and set harden-zot:registry.version",
  find: tooOld,
};

function tooOld({ accessControl, rules }: Linted): Fault[] {
  const { version } = rules.registry;
  const conditional = policiesOf(accessControl).find(({ policy }) => policy.conditions.length > 0);
  const { anonymousPolicy } = accessControl.metrics;
  return [
    ...(conditional && !supports(version, "conditions on policies")
      ? [error(`${conditional.rule}.conditions`, `needs zot 2.1.17, and the hosts have ${version}`)]
      : []),
    ...(anonymousPolicy.length > 0 && !supports(version, "metrics.anonymousPolicy")
      ? [error("metrics.anonymousPolicy", `needs zot 2.1.18, and the hosts have ${version}`)]
      : []),
    ...(lt(version, "2.1.15")
      ? [error("accessControl", `before 2.1.15 create alone overwrites latest; the hosts have ${version}`)]
      : []),
  ];
}
