import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { readIfThere, sizeIfThere, writeWhole } from "./files";

export const MEDIA = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
} as const;

export const REF_NAME = "org.opencontainers.image.ref.name";

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
}

export interface Index {
  schemaVersion: 2;
  manifests: Descriptor[];
}

/** A component of a repository name (zot 2.1.20, pkg/regexp). */
const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);

function isRepositoryName(name: string): boolean {
  return REPOSITORY.test(name);
}

/** One OCI image layout per repository, under the root directory; zot keeps its own the same way. */
export class Layout {
  /** Where a blob is kept, by digest; zot's cache.db, rebuilt from the directory at start. */
  private readonly holders = new Map<string, Set<string>>();

  constructor(
    readonly root: string,
    readonly dedupe: () => boolean,
  ) {
    mkdirSync(root, { recursive: true });
    for (const repository of this.repositories()) {
      for (const digest of this.blobs(repository)) this.remember(repository, digest);
    }
  }

  exists(repository: string): boolean {
    return isRepositoryName(repository) && existsSync(join(this.root, repository, "index.json"));
  }

  create(repository: string): void {
    const directory = join(this.root, repository);
    if (this.exists(repository)) return;
    mkdirSync(join(directory, "blobs", "sha256"), { recursive: true });
    writeWhole(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    this.writeIndex(repository, { schemaVersion: 2, manifests: [] });
  }

  /** Every repository, in byte order. */
  repositories(): string[] {
    const found: string[] = [];
    const walk = (path: string) => {
      for (const entry of readdirSync(join(this.root, path), { withFileTypes: true })) {
        const inner = path === "" ? entry.name : `${path}/${entry.name}`;
        if (entry.isDirectory() && entry.name !== "blobs" && !/^[._]/.test(entry.name)) {
          if (this.exists(inner)) found.push(inner);
          walk(inner);
        }
      }
    };
    walk("");
    return found.sort();
  }

  index(repository: string): Index | undefined {
    const content = readIfThere(join(this.root, repository, "index.json"));
    return content && (JSON.parse(content.toString()) as Index);
  }

  writeIndex(repository: string, index: Index): void {
    writeWhole(join(this.root, repository, "index.json"), JSON.stringify(index));
  }

  blobPath(repository: string, digest: string): string {
    const [algorithm = "", hex = ""] = digest.split(":");
    return join(this.root, repository, "blobs", algorithm, hex);
  }

  uploadPath(repository: string, session: string): string {
    return join(this.root, repository, ".uploads", session);
  }

  blobSize(repository: string, digest: string): number | undefined {
    return sizeIfThere(this.blobPath(repository, digest));
  }

  readBlob(repository: string, digest: string): Buffer | undefined {
    return readIfThere(this.blobPath(repository, digest));
  }

  writeBlob(repository: string, digest: string, content: Buffer): void {
    const path = this.blobPath(repository, digest);
    mkdirSync(dirname(path), { recursive: true });
    writeWhole(path, content);
  }

  /** As zot does, it leaves the record behind: who next asks for the blob elsewhere finds that out (`link`). */
  removeBlob(repository: string, digest: string): void {
    rmSync(this.blobPath(repository, digest), { force: true });
  }

  /** The blob is now in this repository: others may be served from it. */
  remember(repository: string, digest: string): void {
    this.holders.set(digest, (this.holders.get(digest) ?? new Set()).add(repository));
  }

  /** Repositories a blob could be linked from; none unless storage.dedupe is on. */
  candidates(digest: string): string[] {
    return this.dedupe() ? [...(this.holders.get(digest) ?? [])] : [];
  }

  /**
   * Links a blob from the repository that held it first, creating the target repository. A record that turns out to be
   * of a blob that is gone is forgotten, and the others not tried (zot 2.1.20, checkCacheBlob).
   * @returns bytes, or undefined
   */
  link(repository: string, digest: string): number | undefined {
    const [source] = this.candidates(digest);
    if (source === undefined) return undefined;
    if (this.blobSize(source, digest) === undefined) {
      this.holders.get(digest)?.delete(source);
      return undefined;
    }
    this.create(repository);
    const path = this.blobPath(repository, digest);
    mkdirSync(dirname(path), { recursive: true });
    linkSync(this.blobPath(source, digest), path);
    this.remember(repository, digest);
    return this.blobSize(repository, digest);
  }

  blobs(repository: string): string[] {
    const directory = join(this.root, repository, "blobs");
    return readdirSync(directory).flatMap((algorithm) =>
      readdirSync(join(directory, algorithm)).map((hex) => `${algorithm}:${hex}`),
    );
  }
}
