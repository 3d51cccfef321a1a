import type * as z from "zod";
import { anything, boolean, duration, integer, list, map, number, string, struct } from "./decode";

/* The configuration of zot 2.1.20 (pkg/api/config, pkg/extensions/config), every key its loader knows. */

const condition = struct({ expression: string, message: string });
const policy = struct({
  users: list(string),
  groups: list(string),
  actions: list(string),
  conditions: list(condition),
});
const repositoryPolicy = struct({
  policies: list(policy),
  defaultPolicy: list(string),
  anonymousPolicy: list(string),
});
const accessControl = struct({
  repositories: map(repositoryPolicy),
  adminPolicy: policy,
  groups: map(struct({ users: list(string) })),
  metrics: struct({ users: list(string), anonymousPolicy: list(string) }),
});

const keepUntagged = {
  pulledWithin: duration,
  pushedWithin: duration,
  mostRecentlyPushedCount: integer,
  mostRecentlyPulledCount: integer,
};
const retentionPolicy = struct({
  repositories: list(string),
  deleteReferrers: boolean,
  deleteUntagged: boolean,
  keepTags: list(struct({ patterns: list(string), ...keepUntagged })),
  keepUntagged: struct(keepUntagged),
});
const storageShape = {
  rootDirectory: string,
  maxRepos: integer,
  dedupe: boolean,
  remoteCache: boolean,
  redirectBlobURL: boolean,
  gc: boolean,
  commit: boolean,
  gcDelay: duration,
  gcInterval: duration,
  gcTimeWindow: string,
  gcMaxSchedulerDelay: duration,
  retention: struct({ dryRun: boolean, delay: duration, policies: list(retentionPolicy) }),
  storageDriver: anything,
  cacheDriver: anything,
};
const storage = struct({ ...storageShape, subPaths: map(struct(storageShape)), fastRestart: boolean });

const tls = struct({ cert: string, key: string, cacert: string });
const provider = struct({
  credentialsFile: string,
  name: string,
  clientid: string,
  clientsecret: string,
  keyPath: string,
  issuer: string,
  authURL: string,
  tokenURL: string,
  scopes: list(string),
  claimMapping: struct({ username: string, groups: string }),
});
const auth = struct({
  failDelay: integer,
  htpasswd: struct({ path: string }),
  ldap: anything,
  bearer: anything,
  openid: struct({ providers: map(provider), callbackAllowOrigins: list(string) }),
  apikey: boolean,
  sessionKeysFile: string,
  sessionDriver: anything,
  secureSession: boolean,
  mtls: anything,
});
const http = struct({
  address: string,
  externalUrl: string,
  port: string,
  allowOrigin: string,
  readTimeout: duration,
  writeTimeout: duration,
  tls,
  auth,
  accessControl,
  realm: string,
  ratelimit: struct({ rate: integer, methods: list(struct({ method: string, rate: integer })) }),
  compat: list(string),
});

const syncRegistryShape = {
  urls: list(string),
  pollInterval: duration,
  content: list(
    struct({
      prefix: string,
      tags: struct({ regex: string, excludeRegex: string, semver: boolean }),
      destination: string,
      stripPrefix: boolean,
    }),
  ),
  tlsVerify: boolean,
  onDemand: boolean,
  certDir: string,
  maxRetries: integer,
  retryDelay: duration,
  maxRetryDelay: duration,
  onlySigned: boolean,
  syncLegacyCosignTags: boolean,
  credentialHelper: string,
  oauth2CredentialHelper: anything,
  preserveDigest: boolean,
  syncTimeout: duration,
  responseHeaderTimeout: duration,
};
/** Not in 2.1.20; the release after it takes them. */
const laterSyncRegistryShape = {
  ...syncRegistryShape,
  manifestCheckInterval: duration,
  reqConcurrent: integer,
  reqPerSec: number,
  disableHTTP2: boolean,
  maxIdleConnsPerHost: integer,
};
const trivy = struct({
  dbRepository: string,
  javaDBRepository: string,
  vulnSeveritySources: list(string),
  sbom: struct({ enable: boolean, format: string }),
});
const extensionsWith = <Registry extends z.ZodRawShape>(syncRegistry: Registry) =>
  struct({
    search: struct({ enable: boolean, cve: struct({ updateInterval: duration, trivy }) }),
    sync: struct({
      enable: boolean,
      credentialsFile: string,
      downloadDir: string,
      registries: list(struct(syncRegistry)),
    }),
    metrics: struct({ enable: boolean, prometheus: struct({ path: string }) }),
    scrub: struct({ enable: boolean, interval: duration }),
    lint: struct({ enable: boolean, mandatoryAnnotations: list(string) }),
    ui: struct({ enable: boolean }),
    mgmt: struct({ enable: boolean }),
    apikey: struct({ enable: boolean }),
    trust: struct({ enable: boolean, cosign: boolean, notation: boolean }),
    events: struct({ enable: boolean, sinks: list(anything) }),
  });

const configWith = <Registry extends z.ZodRawShape>(syncRegistry: Registry) =>
  struct({
    distSpecVersion: string,
    goVersion: string,
    commit: string,
    releaseTag: string,
    binaryType: string,
    storage,
    http,
    log: struct({ level: string, output: string, audit: string }),
    extensions: extensionsWith(syncRegistry),
    scheduler: struct({ numWorkers: integer }),
    cluster: struct({ members: list(string), hashKey: string, tls }),
  });

export const configSchema = configWith(syncRegistryShape);
/** With what releases after 2.1.20 know as well. */
export const laterConfigSchema = configWith(laterSyncRegistryShape);

export const openIdCredentialsSchema = struct({ clientid: string, clientsecret: string });
export const sessionKeysSchema = struct({ hashKey: string, encryptKey: string });

export type RawConfig = z.infer<typeof configSchema>;
export type RawAccessControl = NonNullable<NonNullable<RawConfig["http"]>["accessControl"]>;
export type RawPolicy = NonNullable<RawAccessControl["adminPolicy"]>;
