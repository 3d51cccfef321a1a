import { askNpm } from "./npm";
import type { Outcome, Policy } from "./policy";
import { outcome } from "./policy";

interface Answer {
  /** By package; `via`: an advisory, or the name of the dependency that has it. */
  vulnerabilities?: Record<string, { via: (string | Advisory)[] }>;
  /** Why there is no answer. */
  message?: string;
}

interface Advisory {
  url: string;
  title: string;
  severity: string;
  dependency: string;
  range: string;
}

/** `npm audit` of everything in package-lock.json; advisories that the policy explains are let through. */
export async function audit(project: string, { advisories }: Pick<Policy, "advisories">): Promise<Outcome> {
  const { vulnerabilities, message } = await askNpm<Answer>(project, ["audit", "--json", "--package-lock-only"]);
  if (!vulnerabilities) {
    const lines = [`the npm registry does not answer audits: ${message}`, "run it where the registry does"];
    return { state: "unanswered", lines };
  }
  const found = new Map<string, Advisory>();
  for (const advisory of Object.values(vulnerabilities).flatMap(({ via }) => via)) {
    if (typeof advisory !== "string") found.set(identifier(advisory), advisory);
  }
  const open = [...found].filter(([id]) => !advisories.has(id));
  const faults = open.map(([id, { dependency, range, severity, title }]) => {
    return `${id} (${severity}): ${dependency} ${range}: ${title}; update it, or say in docs/supply-chain.md why it does no harm`;
  });
  faults.push(...[...advisories.keys()].filter((id) => !found.has(id)).map((id) => `${id} is explained and not there`));
  return outcome(faults, `${found.size} advisories, ${found.size - open.length} explained`);
}

/** GHSA-..., the last part of the advisory's address. */
const identifier = ({ url }: Advisory) => url.split("/").at(-1) as string;
