/**
 * The part of zot's config.json that this project writes or reasons about, with zot's own key names
 * (zot 2.1.20). What has no type here still passes through `extraConfig`.
 */
export interface ZotConfig {
  distSpecVersion: string;
  storage: StorageConfig;
  http: HttpConfig;
  log?: { level: string };
  extensions?: ExtensionsConfig;
  cluster?: { members: string[]; hashKey: string };
}

export interface StorageConfig {
  rootDirectory: string;
  dedupe?: boolean;
  gc?: boolean;
  gcDelay?: string;
  gcInterval?: string;
  /** Whether blob index, users, API keys and image metadata are kept where cacheDriver says; else in rootDirectory. */
  remoteCache?: boolean;
  storageDriver?: S3Driver;
  cacheDriver?: RedisDriver;
  /** Repositories by their first components (`/team`) that lie elsewhere. */
  subPaths?: Record<string, Omit<StorageConfig, "subPaths">>;
}

/** As zot's S3 client spells it: all lower case. */
interface S3Driver {
  name: "s3";
  rootdirectory: string;
  region: string;
  regionendpoint?: string;
  bucket: string;
  forcepathstyle?: boolean;
  secure: boolean;
  skipverify: boolean;
}

interface RedisDriver {
  name: "redis";
  url: string;
  keyprefix: string;
}

interface HttpConfig {
  address: string;
  /** zot's own JSON Schema wants a string, its loader takes both. */
  port: string;
  externalUrl?: string;
  realm?: string;
  /** Of a whole request, its body included; zot's default is 60s. A Go duration; zot takes a number for nanoseconds. */
  readTimeout?: string;
  /** Of a whole answer, from the end of the request's headers on; zot's default is 60s. */
  writeTimeout?: string;
  compat?: string[];
  auth?: AuthConfig;
  accessControl?: AccessControl;
}

export interface AuthConfig {
  htpasswd?: { path: string };
  failDelay?: number;
  apikey?: boolean;
  /** Not together with sessionDriver. */
  sessionKeysFile?: string;
  sessionDriver?: RedisDriver;
  /** Whether the session cookie is for https alone; true anyway when zot itself has TLS (zot >= 2.1.11). */
  secureSession?: boolean;
  openid?: { providers: Record<string, OpenIdProvider> };
}

export interface OpenIdProvider {
  name?: string;
  issuer: string;
  credentialsFile?: string;
  scopes: string[];
  claimMapping?: { username?: string; groups?: string };
}

/** zot's own four actions, and the one that lets a push replace a manifest of another digest. */
export type Action = "read" | "create" | "update" | "delete" | "detectManifestCollision";

export interface Condition {
  /** CEL over `req`; all conditions of a policy must hold. zot >= 2.1.17. */
  expression: string;
  /** What the refused client is told. */
  message?: string;
}

export interface Policy {
  users?: string[];
  groups?: string[];
  actions: string[];
  conditions?: Condition[];
}

export interface RepositoryPolicy {
  policies?: Policy[];
  defaultPolicy?: string[];
  anonymousPolicy?: string[];
}

export interface AccessControl {
  repositories?: Record<string, RepositoryPolicy>;
  adminPolicy?: Policy;
  groups?: Record<string, { users: string[] }>;
  metrics?: { users?: string[]; anonymousPolicy?: string[] };
}

export interface SyncRegistry {
  urls: string[];
  onDemand: boolean;
  tlsVerify?: boolean;
  maxRetries?: number;
  retryDelay?: string;
  syncTimeout?: string;
  content: { prefix: string; destination?: string }[];
}

export interface ExtensionsConfig {
  search?: { enable: boolean; cve?: { updateInterval: string } };
  ui?: { enable: boolean };
  metrics?: { enable: boolean; prometheus: { path: string } };
  /** downloadDir: local directory, which storage in S3 cannot do without. */
  sync?: { enable: boolean; downloadDir?: string; registries: SyncRegistry[] };
}
