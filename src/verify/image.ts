import { createHash } from "node:crypto";

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

interface Blob {
  digest: string;
  bytes: Buffer;
}

/** The smallest valid OCI image (image-spec v1.1): an empty config, one layer, one manifest. */
export interface TinyImage {
  blobs: Blob[];
  manifest: Blob;
}

/** Images of different content have different digests. */
export function tinyImage(content: string): TinyImage {
  const config = blob(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }));
  const layer = blob(content);
  const manifest = blob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }),
  );
  return { blobs: [config, layer], manifest };
}

function blob(text: string): Blob {
  const bytes = Buffer.from(text);
  return { bytes, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
}

function descriptor(mediaType: string, { digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}
