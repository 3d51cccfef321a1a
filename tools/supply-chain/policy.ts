import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

export const PROJECT = resolve(__dirname, "../..");

export const readJson = (project: string, file: string) => JSON.parse(readFileSync(join(project, file), "utf8"));

/** The table under a heading of docs/supply-chain.md: names in its first column, reasons in its last. */
export function policy(heading: string): Map<string, string> {
  const page = readFileSync(join(PROJECT, "docs/supply-chain.md"), "utf8");
  const section = page.split(/^##+ /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`docs/supply-chain.md has no section "${heading}"`);
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return new Map(rows.map((row) => row.split(" | ")).map((cells) => [unquoted(cells[0]), unquoted(cells.at(-1))]));
}

const unquoted = (cell = "") => cell.replace(/^\| `|`$| \|$/g, "").trim();

/** A dependency that a file of the project names; `version` is "" where the file does not pin one. */
export interface Dependency {
  name: string;
  version: string;
  file: string;
}

/** What package.json, every go.mod and every requirements.txt that git knows name. */
export function directDependencies(project: string): Dependency[] {
  const { dependencies, devDependencies } = readJson(project, "package.json");
  const npm = Object.entries<string>({ ...dependencies, ...devDependencies }).map(([name, version]) => {
    return { name, version: /^\d+\.\d+\.\d+(-[\w.-]+)?$|^file:/.test(version) ? version : "", file: "package.json" };
  });
  const files = execFileSync("git", ["ls-files", "-z", "--", "*go.mod", "*requirements.txt"], { cwd: project });
  const others = String(files)
    .split("\0")
    .filter(Boolean)
    .flatMap((file) => {
      const text = readFileSync(join(project, file), "utf8");
      return (basename(file) === "go.mod" ? goModules(text) : pypiPackages(text)).map((one) => ({ ...one, file }));
    });
  return [...npm, ...others];
}

/** Without those that only others need. */
const goModules = (text: string) =>
  [...text.matchAll(/^(?:require )?\s*([\w./~-]+\.[\w./~-]+) (v\S+)$/gm)].map(([, name = "", version = ""]) => ({
    name,
    version,
  }));

const pypiPackages = (text: string) =>
  [...text.replace(/#.*/g, "").matchAll(/^([\w.-]+)(?:==([\w.]+))?(.*)$/gm)].map(([, name = "", version, rest]) => ({
    name,
    version: rest || version === undefined ? "" : version,
  }));
