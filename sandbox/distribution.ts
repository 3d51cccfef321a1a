import { basic, type Fetch } from "../src/http/http";
import { MANIFEST_TYPE, type TinyImage } from "../src/verify/image";

export type Headers = Record<string, string>;

export const basicAuth = (user: string, password: string): Headers => ({
  authorization: basic(user, password),
});

/**
 * Pushes as the OCI distribution spec v1.1 says (POST, PUT per blob, PUT manifest) and stops at the first refusal.
 * @param send stands in for the global fetch
 * @returns the last answer: 201 when the image is in
 */
export async function pushImage(
  registry: string,
  repository: string,
  tag: string,
  image: TinyImage,
  headers: Headers = {},
  send: Fetch = fetch as Fetch,
): Promise<Response> {
  for (const { digest, bytes } of image.blobs) {
    const opened = await send(`${registry}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });
    if (opened.status !== 202) return opened;
    const location = new URL(opened.headers.get("location") ?? "", registry);
    location.searchParams.set("digest", digest);
    const stored = await send(String(location), {
      method: "PUT",
      headers: { ...headers, "content-type": "application/octet-stream" },
      body: new Uint8Array(bytes),
    });
    if (stored.status !== 201) return stored;
  }
  return send(`${registry}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    headers: { ...headers, "content-type": MANIFEST_TYPE },
    body: new Uint8Array(image.manifest.bytes),
  });
}

export function pullManifest(
  registry: string,
  repository: string,
  reference: string,
  headers: Headers = {},
  send: Fetch = fetch as Fetch,
): Promise<Response> {
  return send(`${registry}/v2/${repository}/manifests/${reference}`, {
    headers: { ...headers, accept: MANIFEST_TYPE },
  });
}
