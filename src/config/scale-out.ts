import type { RegistrySettings } from "../settings/registry";
import type { AuthConfig, StorageConfig, ZotConfig } from "../zot/types";

type ScaleOut = Pick<RegistrySettings, "scaleOut">;

/** Where images lie, and what zot knows of images, users and API keys; nothing when both stay on the host's own disk. */
export function sharedStorage({ scaleOut }: ScaleOut): Partial<StorageConfig> {
  const { redis, s3 } = scaleOut ?? {};
  if (!s3 && !redis) return {};
  return {
    // Said in both cases: with S3 and dedupe zot takes it for true, and then refuses to go without a cacheDriver.
    remoteCache: redis !== undefined,
    ...(s3 ? { storageDriver: s3Driver(s3) } : {}),
    ...(redis ? { cacheDriver: { name: "redis", url: redis.url, keyprefix: redis.keyPrefix } } : {}),
  };
}

function s3Driver(
  s3: NonNullable<NonNullable<ScaleOut["scaleOut"]>["s3"]>,
): NonNullable<StorageConfig["storageDriver"]> {
  const { bucket, forcePathStyle, region, regionEndpoint, rootDirectory, secure, skipVerify } = s3;
  return {
    name: "s3",
    rootdirectory: rootDirectory,
    region,
    ...(regionEndpoint === undefined ? {} : { regionendpoint: regionEndpoint }),
    bucket,
    ...(forcePathStyle === undefined ? {} : { forcepathstyle: forcePathStyle }),
    secure,
    skipverify: skipVerify,
  };
}

/** Sessions in redis; undefined when they stay with the host, or in the client's cookie. */
export function sessionsOf({ scaleOut }: ScaleOut): Pick<AuthConfig, "sessionDriver"> | undefined {
  const redis = scaleOut?.redis;
  return redis && { sessionDriver: { name: "redis", url: redis.url, keyprefix: `${redis.keyPrefix}session` } };
}

export function clusterOf({ scaleOut }: ScaleOut): Pick<ZotConfig, "cluster"> {
  return scaleOut?.cluster ? { cluster: scaleOut.cluster } : {};
}
