import { readFileSync } from "node:fs";
import { OperatorError } from "../operator/error";
import type { RegistrySettings } from "../settings/registry";

/**
 * The certificate authorities that the operator trusts beside the usual ones, as PEM.
 * @throws OperatorError when the file cannot be read, or holds none
 */
export function trustedCa({ caFile }: RegistrySettings): string | undefined {
  if (caFile === undefined) return undefined;
  const refuse = (why: string) =>
    new OperatorError(
      `harden-zot:registry.caFile = ${JSON.stringify(caFile)} ${why}: name a PEM file of this machine with the CA that signed the certificates of the registry and of Authentik. Nothing was changed.`,
    );
  let pem: string;
  try {
    pem = readFileSync(caFile, "utf8");
  } catch (error) {
    throw refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) throw refuse("holds no certificate");
  return pem;
}
