import { z } from "zod";
import { baseUrl, flag, listOf, section } from "./vocabulary";

const MEMBER = "must be HOST:PORT of a zot, as the other members reach it, such as zot-1.internal:5050";

const member = z
  .string({ error: MEMBER })
  .refine((text) => /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):\d{1,5}$/.test(text), MEMBER)
  .refine((text) => isPort(text.slice(text.lastIndexOf(":") + 1)), "must end in a port, 1 to 65535");

const isPort = (text: string) => Number(text) >= 1 && Number(text) <= 65535;

/** zot 2.1.20 finds its own place by the first member that is itself, so a second one would be asked for ever. */
const cluster = section({
  members: listOf(member)
    .min(2, "must name at least two members")
    .refine((members) => new Set(members).size === members.length, "must not name a member twice"),
  /**
   * SipHash key that spreads repositories over the members. No secret to zot: it logs it at every start (2.1.20). Who
   * knows it, and may create repositories, can load one member with all of them.
   */
  hashKey: z
    .string({ error: "must be 16 characters, the same for good, such as `openssl rand -hex 8` prints" })
    .regex(/^[\x21-\x7e]{16}$/, "must be exactly 16 printable ASCII characters, such as `openssl rand -hex 8` prints"),
});

const bucket = "must be the name of a bucket: 3 to 63 lower-case letters, digits, dots or dashes";

/** Credentials are no setting: zot's S3 client takes them from its environment (docs/scale-out.md). */
const s3 = section({
  bucket: z.string({ error: bucket }).regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, bucket),
  region: z
    .string({ error: "must be a region, such as eu-central-1" })
    .regex(/^[a-z0-9-]+$/, "must be a region, such as eu-central-1"),
  /** For an S3 that is not Amazon's. */
  regionEndpoint: baseUrl.optional(),
  /** Prefix of every key in the bucket. */
  rootDirectory: z
    .string({ error: "must be a path such as /zot" })
    .regex(/^(\/[A-Za-z0-9._-]+)+$/, "must be a path such as /zot")
    .default("/zot"),
  secure: flag.default(true),
  skipVerify: flag.default(false),
  forcePathStyle: flag.optional(),
});

const redis = section({
  url: z
    .string({ error: "must be a redis://, rediss:// or unix:// URL" })
    .refine(isRedisUrl, "must be a redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///SOCKET URL")
    .refine(
      (url) => !holdsPassword(url),
      "must hold no user and no password: zot takes them from config.json alone, which previews show, the state keeps and zot logs; let nobody but the registry hosts reach that redis, or put a proxy that logs in between (docs/scale-out.md)",
    ),
  /** Prefix of every key; another for every registry that shares this redis. */
  keyPrefix: z
    .string({ error: "must be letters, digits or dashes" })
    .regex(/^[A-Za-z0-9-]+$/, "must be letters, digits or dashes")
    .default("zot"),
});

function isRedisUrl(text: string): boolean {
  if (/^unix:\/\/(\S*@)?\/\S+$/.test(text)) return true;
  return /^rediss?:\/\/\S+$/.test(text) && URL.canParse(text) && new URL(text).hostname !== "";
}

const holdsPassword = (url: string) => url.includes("@") || /[?&][^=]*(password|username)=/i.test(url);

/** `harden-zot:registry.scaleOut`: several zots as one registry, by zot's own means. */
export const scaleOut = section({ cluster: cluster.optional(), s3: s3.optional(), redis: redis.optional() });

export type ScaleOutSettings = z.output<typeof scaleOut>;
