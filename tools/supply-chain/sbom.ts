import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { askNpm } from "./npm";

/** CycloneDX 1.5, as far as it is read here. */
export interface Sbom {
  specVersion: string;
  metadata: { component: { name: string } };
  components: Component[];
}

interface Component {
  /** `name@version` */
  "bom-ref": string;
  properties?: { name: string; value: string }[];
  licenses?: { license?: { id?: string; name?: string }; expression?: string }[];
}

/**
 * npm's own bill of materials of all that package-lock.json lists, for every platform. What only tests and sandbox need has
 * the property cdx:npm:package:development; `--omit dev` would leave out what the program needs as well (npm 11.19.1).
 */
export async function billOfMaterials(project: string): Promise<Sbom> {
  const format = ["--sbom-format", "cyclonedx", "--sbom-type", "application"];
  const sbom = await askNpm<Sbom>(project, ["sbom", ...format, "--package-lock-only"]);
  const { component } = sbom.metadata;
  // npm calls the project after its folder.
  if (component.name === basename(project)) {
    component.name = JSON.parse(readFileSync(join(project, "package.json"), "utf8")).name;
  }
  return sbom;
}
