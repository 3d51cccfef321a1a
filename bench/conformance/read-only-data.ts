import { pullManifest } from "../../sandbox/distribution";
import type { ReadOnlyData, SuiteTarget } from "./suite";

interface Manifest {
  config?: { digest: string };
  /** Those with URLs are not in the registry (image-spec v1.0, non-distributable layers). */
  layers?: { digest: string; urls?: string[] }[];
  subject?: { digest: string };
}

/** Everything that an earlier run of the suite left under a tag in its first repository, as anybody may see it. */
export async function readOnlyData({ registry, namespace }: SuiteTarget): Promise<ReadOnlyData> {
  const repository = `${namespace}/one`;
  const { tags } = (await (await fetch(`${registry}/v2/${repository}/tags/list`)).json()) as { tags: string[] };
  const pulled = await Promise.all(tags.map((tag) => pullManifest(registry, repository, tag)));
  const manifests = (await Promise.all(pulled.map((answer) => answer.json()))) as Manifest[];
  const parts = manifests.flatMap(({ config, layers = [] }) => [
    ...(config ? [config] : []),
    ...layers.filter(({ urls }) => urls === undefined),
  ]);
  const unique = (digests: string[]) => [...new Set(digests)];
  return {
    tags,
    manifests: unique(pulled.map(({ headers }) => headers.get("docker-content-digest") ?? "")),
    blobs: unique(parts.map(({ digest }) => digest)),
    referrers: unique(manifests.flatMap(({ subject }) => (subject ? [subject.digest] : []))),
  };
}
