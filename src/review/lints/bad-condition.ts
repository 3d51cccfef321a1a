import { type ConditionRequest, compileCondition, REQUEST_PATHS } from "../../zot/cel";
import { error, type Fault, type Lint, type Linted } from "./finding";
import { policiesOf } from "./policies";

export const badCondition: Lint = {
  why: "zot refuses to start with it, or skips the policy whenever it cannot be evaluated",
  fix: "correct the expression; it sees req.tag, req.digest, req.reference, req.referenceType, req.repository, req.action, req.user.username, req.user.groups, req.auth, req.client, req.tls, req.claims, req.method, req.userAgent and req.time",
  find: badConditions,
};

function badConditions({ accessControl }: Linted): Fault[] {
  return policiesOf(accessControl).flatMap(({ rule, policy }) =>
    policy.conditions.flatMap(({ expression }, index) => {
      if (!examined.has(expression)) examined.set(expression, faultIn(expression));
      const what = examined.get(expression);
      return what === undefined ? [] : [error(`${rule}.conditions[${index}]`, what)];
    }),
  );
}

const examined = new Map<string, string | undefined>();

function faultIn(expression: string): string | undefined {
  try {
    const condition = compileCondition(expression);
    const unknown = condition.reads.find((path) => !REQUEST_PATHS.includes(path) && !path.startsWith("req.claims."));
    if (unknown !== undefined) return `reads ${unknown}, which does not exist`;
    if (condition.type !== "bool" && condition.type !== "dyn") return `gives ${condition.type}, not a boolean`;
    if (isBarePath(expression) && !/^req\.(auth\.\w+|tls\.enabled|claims\..+)$/.test(expression.trim())) {
      condition.holds(SAMPLE);
    }
    return undefined;
  } catch (reason) {
    return reason instanceof Error ? reason.message : String(reason);
  }
}

const isBarePath = (expression: string) => /^\s*req(\.\w+)+\s*$/.test(expression);

const SAMPLE: ConditionRequest = {
  time: new Date(0),
  method: "PUT",
  userAgent: "",
  action: "create",
  repository: "any",
  reference: "v1",
  referenceType: "tag",
  tag: "v1",
  digest: "",
  user: { username: "any", groups: [] },
  auth: { anonymous: false, admin: false },
  client: { ip: "127.0.0.1", forwardedFor: [] },
  tls: { enabled: true, version: "1.3" },
  claims: {},
};
