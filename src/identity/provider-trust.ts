import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { OperatorError } from "../operator/error";

/** Where Go looks for certificate authorities on Linux: the first of these files that is there, and all these directories. */
const FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
const DIRECTORIES = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/**
 * The Terraform provider is a Go program and cannot be given a CA: it trusts what the machine trusts. Elsewhere than on Linux
 * Go asks the system, and so nothing is known here.
 * @throws OperatorError where the provider would end in an x509 of its own
 */
export async function requireProviderTrust(
  url: string,
  caFile: string,
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  if (platform !== "linux" || !url.startsWith("https:")) return;
  if (await isTrusted(url, systemAuthorities(environment))) return;
  throw new OperatorError(
    `harden-zot:registry.caFile = ${JSON.stringify(caFile)} is not for the Terraform provider, which would end in x509 at ${url} (authentik:url): it trusts the certificate authorities of this machine alone. Add that CA to them (update-ca-certificates, update-ca-trust), or run pulumi with SSL_CERT_FILE naming a PEM file that holds it beside the usual ones. Nothing was changed.`,
  );
}

/** As Go's crypto/x509 finds them. */
function systemAuthorities({ SSL_CERT_FILE, SSL_CERT_DIR }: NodeJS.ProcessEnv): string[] {
  const files = SSL_CERT_FILE ? [SSL_CERT_FILE] : FILES;
  const first = files.map(read).find((text) => text !== undefined);
  const directories = SSL_CERT_DIR ? SSL_CERT_DIR.split(":") : DIRECTORIES;
  const pem = [first, ...directories.flatMap(entries).map(read)];
  return pem.filter((text) => text?.includes("-----BEGIN CERTIFICATE-----")) as string[];
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

/** Whatever else is wrong there is not said here. */
function isTrusted(url: string, ca: string[]): Promise<boolean> {
  return new Promise((settle) => {
    const asked = request(url, { method: "HEAD", ca, agent: false, timeout: 15_000 }, (answer) => {
      answer.resume();
      settle(true);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", ({ code }: NodeJS.ErrnoException) => settle(!/CERT|SIGNATURE/.test(code ?? "")));
    asked.end();
  });
}
