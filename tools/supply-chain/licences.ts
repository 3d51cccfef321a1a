import { type Outcome, outcome, type Policy } from "./policy";
import { billOfMaterials } from "./sbom";

/** Every package's licence, as npm's bill of materials has it, is one of those the policy allows. */
export async function licences(project: string, policy: Pick<Policy, "licences" | "readByHand">): Promise<Outcome> {
  const { components } = await billOfMaterials(project);
  const names = new Set(components.map((component) => component["bom-ref"]));
  const faults = [...policy.readByHand.keys()]
    .filter((name) => !names.has(name))
    .map((name) => `${name} is under "Licences read by hand" and not installed: read the LICENSE of the one that is`);
  for (const { "bom-ref": name, licenses = [] } of components) {
    const declared = licenses.map(({ license, expression }) => license?.id ?? expression ?? "");
    const terms = policy.readByHand.has(name) ? [policy.readByHand.get(name) as string] : declared.flatMap(identifiers);
    const unknown = terms.filter((term) => !policy.licences.has(term));
    if (terms.length > 0 && unknown.length === 0) continue;
    const said = terms.length === 0 ? "declares no SPDX licence" : `is under ${declared.join(", ")}`;
    faults.push(`${name} ${said}, which docs/supply-chain.md does not allow: do without it, or allow it there`);
  }
  return outcome(faults, `${names.size} packages, each under a licence that is allowed`);
}

/** Those of an SPDX expression; each must be allowed, with OR as well. npm has left out exceptions, which only permit more. */
const identifiers = (expression: string) => expression.split(/[()\s]+|\b(?:AND|OR)\b/).filter(Boolean);
