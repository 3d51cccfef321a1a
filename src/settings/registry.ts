import { valid } from "semver";
import { z } from "zod";
import { scaleOut } from "./scale-out";
import {
  baseUrl,
  flag,
  goDuration,
  identityName,
  listOf,
  oneOf,
  port,
  remotePath,
  requestTimeout,
  safeUrl,
  section,
} from "./vocabulary";

const storage = section({
  rootDirectory: remotePath,
  gc: flag.default(true),
  gcDelay: goDuration.default("1h"),
  gcInterval: goDuration.default("24h"),
  /** zot's own default. On, an anonymous HEAD can create an empty repository (docs/facts.md). */
  dedupe: flag.default(true),
});

/** Where zot binds. */
export const listen = section({
  address: z.union([z.ipv4(), z.ipv6()], { error: "must be an IP address, such as 0.0.0.0 or 127.0.0.1" }),
  port,
});

const cache = section({
  /** The namespace images of this upstream appear under: `docker.io` serves `docker.io/library/alpine`. */
  name: z
    .string({ error: "must be text" })
    .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "must be one repository path component, such as docker.io"),
  url: baseUrl,
  tlsVerify: flag.default(true),
});

const metrics = z.union(
  [oneOf("anonymous", "off"), section({ users: listOf(identityName).min(1, "must name at least one user") })],
  { error: 'must be "anonymous", "off", or { users: [name, ...] }' },
);

const search = section({ cve: section({ updateInterval: goDuration }).optional() });

/** Long enough for a layer of 2 GB at 10 Mbit/s; zot's own default is 60 s (docs/facts.md, timeouts). */
export const DEFAULT_TIMEOUT = "30m";
const timeouts = section({
  read: requestTimeout.default(DEFAULT_TIMEOUT),
  write: requestTimeout.default(DEFAULT_TIMEOUT),
});

/** Every key by itself; what they ask of each other is below. */
export const registryKeys = section({
  externalUrl: safeUrl,
  version: z
    .string({ error: "must be the version of zot on the hosts, such as 2.1.20" })
    .refine((version) => valid(version) === version, "must be the version of zot on the hosts, such as 2.1.20"),
  /** zot below 2.1.19 lets a create-only identity move tags (docs/facts.md, versions). */
  allowVulnerableVersion: flag.default(false),
  listen,
  storage,
  scaleOut: scaleOut.optional(),
  pullThrough: listOf(cache)
    .default([])
    .refine(
      (caches) => new Set(caches.map((entry) => entry.name)).size === caches.length,
      "must not name a cache twice",
    ),
  compat: listOf(oneOf("docker2s2")).default([]),
  realm: z
    .string({ error: "must be text" })
    .regex(/^[\w .-]{1,64}$/, "must be up to 64 letters, digits, spaces, dots or dashes")
    .default("zot"),
  logLevel: oneOf("debug", "info", "warn", "error").default("info"),
  /** How long one whole request may take to come in (read), and one whole answer to go out (write). */
  timeouts: timeouts.prefault({}),
  metrics: metrics.default("off"),
  search: search.optional(),
  /** Default: whether there is search, without which zot serves none. */
  ui: flag.optional(),
  /** PEM file, on the machine that runs Pulumi, of CAs that signed the certificates of the registry and of Authentik. */
  caFile: z.string({ error: "must be the path of a PEM file" }).min(1, "must be the path of a PEM file").optional(),
  /** Deep-merged last over the rendered config.json, for what has no setting. */
  extraConfig: z.record(z.string(), z.unknown(), { error: "must be an object of zot's own keys" }).default({}),
});

/** `harden-zot:registry`: what the registry is, whoever may use it. */
export const registrySettings = registryKeys
  .refine((registry) => !registry.ui || registry.search !== undefined, {
    path: ["ui"],
    message: "needs search: zot serves no UI without the search extension; set search: {}, or leave ui out",
  })
  .refine((registry) => !registry.search?.cve || !registry.scaleOut?.s3, {
    path: ["search", "cve"],
    message: "cannot be used with scaleOut.s3: zot scans local storage alone; set search: {}",
  })
  .transform((registry) => ({ ...registry, ui: registry.ui ?? registry.search !== undefined }));

export type RegistrySettings = z.output<typeof registrySettings>;
