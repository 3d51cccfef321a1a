import type { Tenure } from "../tenure";
import type { Kept, MintedKey } from "./key-requests";

/** Whose an identity's keys are, and since when. */
export interface KeyTenure extends Tenure {
  /** What the labels of keys begin with that are older than it; states had no tenures until November 2026. */
  inherited?: string;
}

/** What the last run left of an identity's key in the state. */
export interface KeyPast {
  tenure?: KeyTenure | undefined;
  held?: MintedKey | undefined;
  kept?: Kept | undefined;
}

/** What the label of a tenure's keys begins with; the number of the rotation follows. */
export const labelOf = ({ owner, life }: Tenure, identity: string) => `harden-zot ${owner} ${identity} ${life} #`;

/** What the labels of a tenure's keys begin with, inherited ones included. */
export const labelsOfLife = (tenure: KeyTenure, identity: string) => [labelOf(tenure, identity), ...inherited(tenure)];

/** The same of all the tenures that the identity ever had in this stack. */
export const labelsOfOwner = (tenure: Omit<KeyTenure, "life">, identity: string) => [
  `harden-zot ${tenure.owner} ${identity} `,
  ...inherited(tenure),
];

const inherited = ({ inherited }: Pick<KeyTenure, "inherited">) => (inherited === undefined ? [] : [inherited]);

const withoutNumber = (label: string) => label.replace(/\d+$/, "");

/** What a tenure inherits. Its resource goes on saying so, since other words would be a change. */
export function inheritance({ held, tenure }: KeyPast): Pick<KeyTenure, "inherited"> {
  if (tenure) return tenure.inherited === undefined ? {} : { inherited: tenure.inherited };
  return held ? { inherited: withoutNumber(held.label) } : {};
}

/**
 * What the label of the next key begins with. Another label asks for another key, so an inherited one stays, but only for
 * the tenure that inherited it: one that replaced that tenure has its own key made before the replaced one ends the others.
 */
export function nextLabel(tenure: KeyTenure, identity: string, { held, kept, tenure: last }: KeyPast): string {
  const inherits = held !== undefined && withoutNumber(held.label) === tenure.inherited;
  return inherits && (last === undefined || kept?.life === tenure.life)
    ? withoutNumber(held.label)
    : labelOf(tenure, identity);
}
