import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Outcome, outcome, type Policy } from "./policy";

interface Locked {
  link?: boolean;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
}

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const REGISTRY = "https://registry.npmjs.org/";
const EXACT = /^\d+\.\d+\.\d+(-[\w.-]+)?$/;

/** package.json pins exactly; package-lock.json has a hash for all, from one registry; no install script runs. */
export function lockfile(project: string, { installScripts }: Pick<Policy, "installScripts">): Outcome {
  const read = (file: string) => readFileSync(join(project, file), "utf8");
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Manifest;
  const faults = Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !EXACT.test(version) && !isOwn(version))
    .map(([name, version]) => `package.json has ${name} ${version}: pin one version`);
  const packages = Object.entries(JSON.parse(read("package-lock.json")).packages as Record<string, Locked>);
  const foreign = packages.filter(
    ([path, locked]) => path.startsWith("node_modules/") && !isOwn(locked.resolved ?? ""),
  );
  faults.push(...foreign.flatMap(([path, locked]) => fromRegistry(path, locked)));
  const scripts = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
  faults.push(...unequal(scripts, [...installScripts.keys()]));
  if (!/^ignore-scripts=true$/m.test(read(".npmrc"))) faults.push(".npmrc lacks ignore-scripts=true");
  return outcome(faults, `${foreign.length} packages with a hash; ${scripts.length} have install scripts, none runs`);
}

/** The Authentik SDK, which is in this repository. */
const isOwn = (source: string) => /^(file:)?sdks\//.test(source);

/** `resolved` may be left out: npm then asks the registry it is set to, and the hash still holds. */
function fromRegistry(path: string, { resolved = REGISTRY, integrity = "" }: Locked): string[] {
  const faults: string[] = [];
  if (!resolved.startsWith(REGISTRY)) faults.push(`package-lock.json has ${path} from ${resolved}`);
  if (!integrity.startsWith("sha512-")) faults.push(`package-lock.json has no SHA-512 of ${path}`);
  return faults;
}

function unequal(scripts: string[], explained: string[]): string[] {
  const unexplained = scripts.filter((name) => !explained.includes(name));
  const gone = explained.filter((name) => !scripts.includes(name));
  return [
    ...unexplained.map((name) => `${name} has an install script: say in docs/supply-chain.md why it need not run`),
    ...gone.map((name) => `docs/supply-chain.md explains an install script of ${name}, which has none`),
  ];
}

const nameOf = (path: string) => path.split("node_modules/").at(-1) as string;
