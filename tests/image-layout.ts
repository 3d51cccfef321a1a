import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Blob, blob, MANIFEST_TYPE, tinyImage } from "../src/verify/image";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** An OCI image layout (image-spec v1.1) on disk. */
export interface Laid {
  layout: string;
  /** The manifest or index under the tag `built`. */
  root: Blob;
  /** All that it needs. */
  blobs: Blob[];
}

/** With one image, another for each content. @param directory where the layout is made */
export function layImage(directory: string, content: string): Laid {
  const { blobs, manifest } = tinyImage(content);
  return lay(directory, MANIFEST_TYPE, manifest, blobs);
}

/** With an index of two architectures, each with an image of its own. */
export function layIndex(directory: string, content: string): Laid {
  const images = ["amd64", "arm64"].map((architecture) => ({
    architecture,
    ...tinyImage(`${content} ${architecture}`),
  }));
  const manifests = images.map(({ architecture, manifest: { bytes, digest } }) => ({
    mediaType: MANIFEST_TYPE,
    digest,
    size: bytes.length,
    platform: { os: "linux", architecture },
  }));
  const index = blob(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
  const blobs = images.flatMap((image) => [...image.blobs, image.manifest]);
  return lay(directory, INDEX_TYPE, index, blobs);
}

function lay(directory: string, mediaType: string, root: Blob, blobs: Blob[]): Laid {
  const layout = mkdtempSync(join(directory, "layout-"));
  mkdirSync(join(layout, "blobs", "sha256"), { recursive: true });
  for (const { digest, bytes } of [...blobs, root]) writeFileSync(join(layout, "blobs", ...digest.split(":")), bytes);
  const { digest, bytes } = root;
  const annotations = { "org.opencontainers.image.ref.name": "built" };
  const manifests = [{ mediaType, digest, size: bytes.length, annotations }];
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return { layout, root, blobs };
}
