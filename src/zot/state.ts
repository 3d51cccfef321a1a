/** What the registry holds, as far as an answer depends on it; a Map will do. */
export interface RegistryState {
  get(repository: string): RepositoryState | undefined;
  keys(): Iterable<string>;
}

export interface RepositoryState {
  /** Tag to the digest of its manifest. */
  tags: { get(tag: string): string | undefined; has(tag: string): boolean; values(): Iterable<string> };
  /** Digests of manifests; those that tags point to need not be named again. */
  manifests: { has(digest: string): boolean };
  blobs: { has(digest: string): boolean };
}
