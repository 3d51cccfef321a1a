import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { askNpm } from "./npm";

/** Bytes of files, and how many packages they are of. */
export interface Size {
  bytes: number;
  packages: number;
}

export interface Sizes {
  own: Size;
  /** It, and all that it needs. */
  closure: Size;
  /** What would go with it: it and what nothing else needs; none while something else needs it. */
  alone: Size;
}

/** As `npm query` answers. `location` of the root is "". */
interface Installed {
  location: string;
  to: string[];
}

/**
 * Sizes of direct npm dependencies as installed, by name.
 * @param names the ones that count: a package that others bring is not needed by these alone
 */
export async function installedSizes(project: string, names: string[]): Promise<Map<string, Sizes>> {
  const nodes = await askNpm<Installed[]>(project, ["query", "*"]);
  const needs = new Map(nodes.map(({ location, to }) => [location, to.map((path) => target(project, path))]));
  const size = (locations: Iterable<string>): Size => {
    const all = [...locations];
    return { bytes: all.reduce((sum, location) => sum + bytesIn(join(project, location)), 0), packages: all.length };
  };
  const direct = names.map((name) => ({ name, location: target(project, join("node_modules", name)) }));
  const reached = (from: typeof direct) =>
    reach(
      from.map(({ location }) => location),
      needs,
    );
  return new Map(
    direct.map((one) => {
      const closure = reached([one]);
      const kept = reached(direct.filter((other) => other !== one));
      const alone = [...closure].filter((location) => !kept.has(location));
      return [one.name, { own: size([one.location]), closure: size(closure), alone: size(alone) }];
    }),
  );
}

/** `npm query` names a link where another needs it, and its target where it describes it. */
const target = (project: string, path: string) => relative(realpathSync(project), realpathSync(join(project, path)));

function reach(from: string[], needs: Map<string, string[]>): Set<string> {
  const seen = new Set<string>();
  const open = [...from];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    open.push(...(needs.get(path) ?? []));
  }
  return seen;
}

/** Packages within it are counted for themselves. */
function bytesIn(directory: string): number {
  const sizes = readdirSync(directory, { withFileTypes: true }).map((entry) => {
    if (entry.isDirectory()) return entry.name === "node_modules" ? 0 : bytesIn(join(directory, entry.name));
    return lstatSync(join(directory, entry.name)).size;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
