import * as z from "zod";
import { RegistryError } from "../distribution/errors";
import { digestOf, isDigest } from "./digest";
import { type Descriptor, type Index, type Layout, MEDIA, REF_NAME } from "./layout";

export interface Manifest {
  digest: string;
  mediaType: string;
  content: Buffer;
}

const descriptorSchema = z.looseObject({
  mediaType: z.string().default(""),
  digest: z.string().refine(isDigest),
  size: z.number(),
});
const bodySchema = z.looseObject({
  artifactType: z.string().optional(),
  config: descriptorSchema.optional(),
  layers: z.array(descriptorSchema).optional(),
  manifests: z.array(descriptorSchema).optional(),
  subject: descriptorSchema.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
type ManifestBody = z.infer<typeof bodySchema>;

const tagOf = (descriptor: Descriptor) => descriptor.annotations?.[REF_NAME];

/** What zot refuses to check the presence of: an artifact's own configuration type. */
const CHECKED_CONFIGS = ["application/vnd.oci.image.config.v1+json", "application/vnd.oci.empty.v1+json"];

export class Manifests {
  constructor(
    private readonly layout: Layout,
    private readonly compat: readonly string[],
  ) {}

  /** Sorted; undefined if there is no such repository. */
  tags(repository: string): string[] | undefined {
    return this.layout.exists(repository) ? [...this.byTag(repository).keys()].sort() : undefined;
  }

  /** Digests by tag. */
  byTag(repository: string): Map<string, string> {
    const descriptors = this.layout.index(repository)?.manifests ?? [];
    return new Map(
      descriptors.flatMap((descriptor) => {
        const tag = tagOf(descriptor);
        return tag === undefined ? [] : [[tag, descriptor.digest] as const];
      }),
    );
  }

  find(repository: string, reference: string): Descriptor | undefined {
    const index = this.layout.exists(repository) ? this.layout.index(repository) : undefined;
    return index?.manifests.find((descriptor) => matches(descriptor, reference));
  }

  get(repository: string, reference: string): Manifest {
    if (!this.layout.exists(repository)) throw new RegistryError(404, "NAME_UNKNOWN", { name: repository });
    const descriptor = this.find(repository, reference);
    const content = descriptor && this.layout.readBlob(repository, descriptor.digest);
    if (!descriptor || !content) throw new RegistryError(404, "MANIFEST_UNKNOWN", { reference });
    return { digest: descriptor.digest, mediaType: descriptor.mediaType, content };
  }

  supports(mediaType: string): boolean {
    const docker = mediaType === MEDIA.dockerManifest || mediaType === MEDIA.dockerList;
    return mediaType === MEDIA.manifest || mediaType === MEDIA.index || (docker && this.compat.includes("docker2s2"));
  }

  /** Stores a manifest under its digest and its tags; returns its digest and its subject's. */
  put(
    repository: string,
    reference: string,
    mediaType: string,
    content: Buffer,
    extraTags: string[],
  ): { digest: string; subject?: string } {
    this.layout.create(repository);
    const byDigest = isDigest(reference);
    const digest = digestOf(content, byDigest ? reference.split(":")[0] : "sha256");
    if (byDigest && digest !== reference) throw new RegistryError(400, "MANIFEST_INVALID", { reference });
    const body = this.parse(repository, reference, mediaType, content);
    this.layout.writeBlob(repository, digest, content);
    const index = this.layout.index(repository) as Index;
    const descriptor = { mediaType, digest, size: content.length };
    const tags = byDigest ? extraTags : [reference];
    this.layout.writeIndex(repository, { ...index, manifests: withTags(index.manifests, descriptor, tags) });
    return { digest, ...(body.subject ? { subject: body.subject.digest } : {}) };
  }

  private parse(repository: string, reference: string, mediaType: string, content: Buffer): ManifestBody {
    const invalid = () => new RegistryError(400, "MANIFEST_INVALID", { reference });
    const parsed = bodySchema.safeParse(parseJson(content));
    const isIndex = mediaType === MEDIA.index || mediaType === MEDIA.dockerList;
    if (!parsed.success || (isIndex ? !parsed.data.manifests : !parsed.data.config)) throw invalid();
    const body = parsed.data;
    const skipped = mediaType === MEDIA.manifest && !CHECKED_CONFIGS.includes(body.config?.mediaType ?? "");
    for (const part of skipped ? [] : partsOf(body)) {
      const foreign = /nondistributable|\.foreign\./.test(part.mediaType);
      if (!foreign && this.layout.blobSize(repository, part.digest) === undefined) throw invalid();
    }
    return body;
  }

  /** @param detectCollisions refuse a digest that several tags share, with 409 */
  remove(repository: string, reference: string, detectCollisions: boolean): void {
    if (!this.layout.exists(repository)) throw new RegistryError(400, "NAME_UNKNOWN", { name: repository });
    const index = this.layout.index(repository) as Index;
    const removed = index.manifests.filter((descriptor) => matches(descriptor, reference));
    const [first] = removed;
    if (!first) throw new RegistryError(404, "MANIFEST_UNKNOWN", { reference });
    if (removed.length > 1 && detectCollisions) throw new RegistryError(409, "MANIFEST_INVALID", { reference });
    const kept = index.manifests.filter((descriptor) => !removed.includes(descriptor));
    if (isDigest(reference) && this.referencedByIndex(repository, first.digest, kept)) {
      throw new RegistryError(405, "DENIED", { reference });
    }
    const last = !kept.some((descriptor) => descriptor.digest === first.digest);
    if (!isDigest(reference) && last) {
      // The manifest stays reachable by digest until garbage collection takes it.
      kept.push({ mediaType: first.mediaType, digest: first.digest, size: first.size });
    }
    this.layout.writeIndex(repository, { ...index, manifests: kept });
    if (isDigest(reference) && last) this.layout.removeBlob(repository, first.digest);
  }

  private referencedByIndex(repository: string, digest: string, others: Descriptor[]): boolean {
    return others
      .filter((descriptor) => descriptor.mediaType === MEDIA.index)
      .some((descriptor) => this.body(repository, descriptor)?.manifests?.some((inner) => inner.digest === digest));
  }

  /** Whether some manifest of the repository names the blob. */
  references(repository: string, digest: string): boolean {
    return (this.layout.index(repository)?.manifests ?? []).some((descriptor) => {
      const body = this.body(repository, descriptor);
      return [descriptor, ...partsOf(body)].some((part) => part.digest === digest);
    });
  }

  /** The media type a manifest of the repository gives this blob. */
  mediaTypeOf(repository: string, digest: string): string | undefined {
    for (const descriptor of this.layout.index(repository)?.manifests ?? []) {
      const body = this.body(repository, descriptor);
      const found = [descriptor, ...partsOf(body)].find((part) => part.digest === digest);
      if (found?.mediaType) return found.mediaType;
    }
    return undefined;
  }

  /** OCI distribution specification 1.1, "Listing referrers". */
  referrers(repository: string, subject: string, artifactTypes: string[]): Index & { mediaType: string } {
    const descriptors = this.layout.exists(repository) ? (this.layout.index(repository)?.manifests ?? []) : [];
    const unique = new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor]));
    const found = [...unique.values()].flatMap((descriptor) => {
      const body = this.body(repository, descriptor);
      if (body?.subject?.digest !== subject) return [];
      const { mediaType, digest, size } = descriptor;
      const artifactType = body.artifactType ?? body.config?.mediaType ?? "";
      return [
        { mediaType, digest, size, artifactType, ...(body.annotations ? { annotations: body.annotations } : {}) },
      ];
    });
    const manifests = found.filter(
      ({ artifactType }) => artifactTypes.length === 0 || artifactTypes.includes(artifactType),
    );
    return { schemaVersion: 2, mediaType: MEDIA.index, manifests };
  }

  private body(repository: string, descriptor: Descriptor): ManifestBody | undefined {
    const content = this.layout.readBlob(repository, descriptor.digest);
    return content && (JSON.parse(content.toString()) as ManifestBody);
  }
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    return undefined;
  }
}

/** Everything a manifest or an index refers to in its own repository. */
function partsOf(body: ManifestBody | undefined): Pick<Descriptor, "mediaType" | "digest">[] {
  return [...(body?.config ? [body.config] : []), ...(body?.layers ?? []), ...(body?.manifests ?? [])];
}

function matches(descriptor: Descriptor, reference: string): boolean {
  return isDigest(reference) ? descriptor.digest === reference : tagOf(descriptor) === reference;
}

/** One descriptor per tag; a manifest whose only tag moves on is out of the index, by digest too (zot 2.1.20). */
function withTags(present: Descriptor[], added: Descriptor, tags: string[]): Descriptor[] {
  const moved = present.filter((descriptor) => tags.includes(tagOf(descriptor) ?? ""));
  const kept = present.filter(
    (descriptor) =>
      !moved.includes(descriptor) && !(descriptor.digest === added.digest && tagOf(descriptor) === undefined),
  );
  const tagged = tags.map((tag) => ({ ...added, annotations: { [REF_NAME]: tag } }));
  const untagged = tags.length === 0 && !kept.some(({ digest }) => digest === added.digest) ? [added] : [];
  return [...kept, ...tagged, ...untagged];
}
