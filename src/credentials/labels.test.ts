import { describe, expect, it } from "vitest";
import type { MintedKey } from "./key-requests";
import { inheritance, labelOf, labelsOfLife, labelsOfOwner, nextLabel } from "./labels";

const OLD = "harden-zot prod zot-ci #";
const tenure = { owner: "prod:0123456789ab", life: "aa" };
const inheritor = { ...tenure, inherited: OLD };
const successor = { ...inheritor, life: "bb" };
const NEW = "harden-zot prod:0123456789ab zot-ci aa #";
const held = (label: string) => ({ uuid: "u", label }) as MintedKey;

it("labels say owner, identity and life", () => {
  expect(labelOf(tenure, "zot-ci")).toBe(NEW);
  expect(labelsOfLife(tenure, "zot-ci")).toEqual([NEW]);
  expect(labelsOfOwner(tenure, "zot-ci")).toEqual(["harden-zot prod:0123456789ab zot-ci "]);
  expect(labelsOfLife(inheritor, "zot-ci")).toEqual([NEW, OLD]);
  expect(labelsOfOwner(inheritor, "zot-ci")).toEqual(["harden-zot prod:0123456789ab zot-ci ", OLD]);
});

describe("a tenure inherits", () => {
  it("nothing where there was nothing", () => expect(inheritance({})).toEqual({}));

  it("the label of the key that is there, whatever the stack was called then", () =>
    expect(inheritance({ held: held(`${OLD}12`) })).toEqual({ inherited: OLD }));

  it("what it inherited before, also when the key is another one by now", () => {
    expect(inheritance({ tenure: inheritor, held: held(`${NEW}2`) })).toEqual({ inherited: OLD });
    expect(inheritance({ tenure, held: held(`${NEW}2`) })).toEqual({});
  });
});

describe("the next label", () => {
  it("is the tenure's own", () => {
    expect(nextLabel(tenure, "zot-ci", {})).toBe(NEW);
    expect(nextLabel(tenure, "zot-ci", { tenure, held: held(`${NEW}1`) })).toBe(NEW);
  });

  it("is the inherited one in the first run with a tenure, and as long as that tenure lasts", () => {
    const kept = { current: "u", life: "aa" };
    expect(nextLabel(inheritor, "zot-ci", { held: held(`${OLD}1`) })).toBe(OLD);
    expect(nextLabel(inheritor, "zot-ci", { tenure: inheritor, held: held(`${OLD}1`), kept })).toBe(OLD);
    expect(nextLabel(successor, "zot-ci", { tenure: inheritor, held: held(`${OLD}1`), kept })).toBe(
      labelOf(successor, "zot-ci"),
    );
  });

  it("is not the inherited one after a run that replaced the tenure and got no further", () => {
    const past = { tenure: successor, held: held(`${OLD}1`), kept: { current: "u", life: "aa" } };
    expect(nextLabel(successor, "zot-ci", past)).toBe(labelOf(successor, "zot-ci"));
  });

  it("is the tenure's own once the key has it", () => {
    const past = { tenure: inheritor, held: held(`${NEW}2`), kept: { current: "u", life: "aa" } };
    expect(nextLabel(inheritor, "zot-ci", past)).toBe(NEW);
  });
});
