import { generateKeyPair, randomUUID, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import type { CertificateKeyPair } from "./model";

export const SIGNING_CERTIFICATE = "authentik Self-signed Certificate";

/** RSA 2048 (Authentik makes 4096; the size changes no answer and costs seconds) under a self-signed certificate of a year. */
export async function createKeyPair(): Promise<CertificateKeyPair> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  // Loaded here and not above: it takes a third of a second, and most starts come with a key already.
  const { generate } = await import("selfsigned");
  const certificate = await generate(
    [
      { name: "commonName", value: SIGNING_CERTIFICATE },
      { name: "organizationName", value: "authentik" },
      { shortName: "OU", value: "Self-signed" },
    ],
    { keyPair: { publicKey, privateKey }, algorithm: "sha256" },
  );
  return { pk: randomUUID(), name: SIGNING_CERTIFICATE, certificate: certificate.cert, privateKey };
}

/** A certificate as `/crypto/certificatekeypairs/` shows it. */
export function describeCertificate({ pk, name, certificate }: CertificateKeyPair): object {
  const x509 = new X509Certificate(certificate);
  const url = `/api/v3/crypto/certificatekeypairs/${pk}`;
  return {
    pk,
    name,
    fingerprint_sha256: x509.fingerprint256.toLowerCase(),
    fingerprint_sha1: x509.fingerprint.toLowerCase(),
    cert_expiry: new Date(x509.validTo).toISOString().replace(".000Z", "Z"),
    cert_subject: x509.subject.split("\n").reverse().join(","),
    private_key_available: true,
    key_type: "rsa",
    certificate_download_url: `${url}/view_certificate/?download`,
    private_key_download_url: `${url}/view_private_key/?download`,
    managed: null,
  };
}
