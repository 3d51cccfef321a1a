import { createHash } from "node:crypto";

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** Every kind of manifest that an image may have. */
export const ANY_MANIFEST = {
  accept: [
    MANIFEST_TYPE,
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
  ].join(", "),
};

export interface Blob {
  digest: string;
  bytes: Buffer;
}

/** The smallest valid OCI image (image-spec v1.1): an empty config, one layer, one manifest. */
export interface TinyImage {
  blobs: Blob[];
  manifest: Blob;
}

/**
 * Images of different content have different digests.
 * @param name told apart by it too, in an annotation of the manifest; such images have their blobs in common
 */
export function tinyImage(content: string, name?: string): TinyImage {
  const config = blob(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }));
  const layer = blob(content);
  const manifest = blob(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
      ...(name === undefined ? {} : { annotations: { "org.opencontainers.image.title": name } }),
    }),
  );
  return { blobs: [config, layer], manifest };
}

export const digestOf = (content: string | Uint8Array) =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`;

export function blob(text: string): Blob {
  const bytes = Buffer.from(text);
  return { bytes, digest: digestOf(bytes) };
}

function descriptor(mediaType: string, { digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}
