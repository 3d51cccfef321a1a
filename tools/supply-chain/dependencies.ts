import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Outcome, outcome, type Policy } from "./policy";

type Ecosystem = "npm" | "go" | "pypi";

export interface Dependency {
  ecosystem: Ecosystem;
  name: string;
  version: string;
  /** Only tests and sandbox need it. */
  dev: boolean;
  /** The file that pins it, from the project's root. */
  file: string;
  /** Further modules that this file pins, which the ones named in it need. */
  indirect: number;
}

/** What package.json, every go.mod and every requirements.txt that git knows name. */
export function directDependencies(project: string): Dependency[] {
  const files = execFileSync("git", ["ls-files", "-z", "--", "*go.mod", "*requirements.txt"], { cwd: project });
  const named = String(files).split("\0").filter(Boolean);
  return [
    ...npmDependencies(project),
    ...named.flatMap((file) => {
      const text = readFileSync(join(project, file), "utf8");
      return basename(file) === "go.mod" ? goModules(file, text) : pypiPackages(file, text);
    }),
  ];
}

function npmDependencies(project: string): Dependency[] {
  const file = "package.json";
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(project, file), "utf8"));
  const listed = (all: Record<string, string>, dev: boolean) =>
    Object.entries(all).map(([name, version]) => ({
      ecosystem: "npm" as const,
      name,
      version,
      dev,
      file,
      indirect: 0,
    }));
  return [...listed(dependencies, false), ...listed(devDependencies, true)];
}

function goModules(file: string, text: string): Dependency[] {
  const required = [...text.matchAll(/^(?:require )?\s*([\w./~-]+\.[\w./~-]+) (v\S+)( \/\/ indirect)?$/gm)];
  const indirect = required.filter(([, , , mark]) => mark !== undefined).length;
  return required
    .filter(([, , , mark]) => mark === undefined)
    .map(([, name = "", version = ""]) => ({ ecosystem: "go", name, version, dev: true, file, indirect }));
}

/** Lines that pin no single version come with the version "". */
function pypiPackages(file: string, text: string): Dependency[] {
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  return lines.filter(Boolean).map((line) => {
    const [, name = line, version = ""] = /^([\w.-]+)==([\w.]+)$/.exec(line) ?? [];
    return { ecosystem: "pypi", name, version, dev: true, file, indirect: 0 };
  });
}

/** Each has a reason, each reason is of one that is there, and each is pinned. */
export function reasons(dependencies: Dependency[], policy: Pick<Policy, Ecosystem>): Outcome {
  const faults = (["npm", "go", "pypi"] as const).flatMap((ecosystem) => {
    const names = new Set(dependencies.filter((one) => one.ecosystem === ecosystem).map(({ name }) => name));
    const explained = [...policy[ecosystem].keys()];
    return [
      ...[...names]
        .filter((name) => !policy[ecosystem].get(name))
        .map((name) => `${name} has no reason in docs/supply-chain.md`),
      ...explained
        .filter((name) => !names.has(name))
        .map((name) => `docs/supply-chain.md has ${name}, which is not used`),
    ];
  });
  const loose = dependencies
    .filter(({ version }) => version === "")
    .map(({ file, name }) => `${file}: ${name} pins no version`);
  return outcome([...faults, ...loose], `${dependencies.length} direct dependencies, each with a reason`);
}
