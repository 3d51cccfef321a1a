import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const PROJECT = resolve(__dirname, "../..");

/** What docs/supply-chain.md allows and why: names in the first column of its tables, reasons in the last. */
export interface Policy {
  npm: Map<string, string>;
  go: Map<string, string>;
  pypi: Map<string, string>;
  /** SPDX identifiers. */
  licences: Map<string, string>;
  /** `name@version` of packages that do not declare an SPDX licence; what their LICENSE file says. */
  readByHand: Map<string, string>;
  installScripts: Map<string, string>;
  /** GHSA identifiers. */
  advisories: Map<string, string>;
}

/** @param markdown of docs/supply-chain.md */
export function readPolicy(markdown = readFileSync(join(PROJECT, "docs/supply-chain.md"), "utf8")): Policy {
  const table = (heading: string) => tableUnder(markdown, heading);
  return {
    npm: new Map([...table("The program's npm packages"), ...table("npm packages of tests and sandbox")]),
    go: table("Go modules"),
    pypi: table("PyPI packages"),
    licences: table("Licences"),
    readByHand: table("Licences read by hand"),
    installScripts: table("Install scripts"),
    advisories: table("Advisories"),
  };
}

function tableUnder(markdown: string, heading: string): Map<string, string> {
  const section = markdown.split(/^##+ /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`docs/supply-chain.md has no section "${heading}"`);
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return new Map(rows.map((row) => row.split(" | ")).map((cells) => [unquoted(cells[0]), unquoted(cells.at(-1))]));
}

const unquoted = (cell = "") => cell.replace(/^\| `|`$| \|$/g, "").trim();

/** What one check found. */
export interface Outcome {
  /** `unanswered`: it could not be checked, which is no pass. */
  state: "passed" | "failed" | "unanswered";
  lines: string[];
}

/** Fails with what was found, each a sentence. */
export function outcome(faults: string[], passed: string): Outcome {
  return faults.length === 0 ? { state: "passed", lines: [passed] } : { state: "failed", lines: faults };
}
