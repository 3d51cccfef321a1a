import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { markdownTable } from "../../bench/benchmark";
import { runCommand } from "../../src/operator/command";
import { audit } from "./audit";
import { type Dependency, directDependencies, reasons } from "./dependencies";
import { licences } from "./licences";
import { lockfile } from "./lockfile";
import { type Outcome, type Policy, PROJECT, readPolicy } from "./policy";
import { billOfMaterials } from "./sbom";
import { secrets } from "./secrets";
import { installedSizes, type Size, type Sizes } from "./size";

/**
 * `make supply-chain`: what this project is made of, and whether docs/supply-chain.md allows it. Exit 0: all passed;
 * 1: something failed; 2: nothing failed, but something could not be checked.
 */
async function main(args: string[]): Promise<number> {
  const { out } = parseArgs({ args, options: { out: { type: "string" } } }).values;
  const policy = readPolicy();
  const dependencies = directDependencies(PROJECT);
  console.log(await listing(dependencies, policy));
  if (out) {
    writeFileSync(out, `${JSON.stringify(await billOfMaterials(PROJECT), null, 2)}\n`);
    console.log(`${out}: bill of materials, CycloneDX\n`);
  }
  const states = [
    show("reasons", reasons(dependencies, policy)),
    show("lock file", lockfile(PROJECT, policy)),
    show("licences", await licences(PROJECT, policy)),
    show("secrets in the history", await secrets(PROJECT, console.error)),
    show("advisories", await audit(PROJECT, policy)),
  ];
  return states.includes("failed") ? 1 : states.includes("unanswered") ? 2 : 0;
}

function show(check: string, { state, lines }: Outcome): Outcome["state"] {
  console.log(
    `${check}: ${state === "unanswered" ? "NOT CHECKED" : state}\n${lines.map((line) => `  ${line}\n`).join("")}`,
  );
  return state;
}

/** The tables of docs/supply-chain.md, with versions, and sizes as installed here. */
async function listing(dependencies: Dependency[], policy: Policy): Promise<string> {
  const npm = dependencies.filter(({ ecosystem }) => ecosystem === "npm");
  const others = dependencies
    .filter(({ ecosystem }) => ecosystem !== "npm")
    .map(({ ecosystem, name, version, file, indirect }) => {
      return [`\`${name}\``, version, `\`${file}\``, String(indirect), policy[ecosystem].get(name) ?? ""];
    });
  return [
    await npmTable(
      npm.filter(({ dev }) => !dev),
      policy,
    ),
    await npmTable(
      npm.filter(({ dev }) => dev),
      policy,
    ),
    markdownTable(["module or package", "version", "pinned in", "pinned for those in it", "why"], others),
  ].join("");
}

async function npmTable(dependencies: Dependency[], { npm }: Policy): Promise<string> {
  const sizes = await installedSizes(
    PROJECT,
    dependencies.map(({ name }) => name),
  );
  const rows = dependencies.map(({ name, version }) => {
    const { own, closure, alone } = sizes.get(name) as Sizes;
    return [`\`${name}\``, version, bytes(own), sized(closure), sized(alone), npm.get(name) ?? ""];
  });
  return markdownTable(["package", "version", "its files", "with all it needs", "nothing else needs", "why"], rows);
}

const sized = (size: Size) => (size.packages === 0 ? "-" : `${bytes(size)}, ${size.packages}`);

const bytes = ({ bytes }: Size) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

void runCommand(main);
