import { z } from "zod";
import { isLoopback } from "./loopback";
import { listen } from "./registry";
import { flag, listOf, oneOf, plainWord, port, remotePath, section } from "./vocabulary";

/** The service words are handed to the agent as one comma-separated word, so they hold no comma themselves. */
const words = listOf(plainWord).min(1, 'must hold at least one word, such as ["rc-service", "zot", "start"]');

const service = z.discriminatedUnion(
  "manager",
  [
    section({ manager: z.literal("systemd"), name: plainWord, scope: oneOf("system", "user").default("system") }),
    section({ manager: z.literal("launchd"), name: plainWord }),
    section({ manager: z.literal("docker"), name: plainWord }),
    section({ manager: z.literal("podman"), name: plainWord }),
    section({ manager: z.literal("command"), start: words, stop: words, status: words }),
  ],
  { error: "must have a manager, one of: systemd, launchd, docker, podman, command" },
);

/**
 * Only the key types that @pulumi/command 1.2.1 can verify: for an RSA host key it offers ssh-rsa alone, which
 * OpenSSH 9 refuses (docs/facts.md).
 */
const hostKey = z
  .string({ error: "must be the host's public key, as ssh-keyscan prints it: ssh-ed25519 AAAA..." })
  .regex(
    /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?$/,
    'must be the host\'s ed25519 or ecdsa public key, "ssh-ed25519 AAAA...", from `ssh-keyscan -t ed25519 HOST | cut -d " " -f 2-`',
  );

const hostName = z
  .string({ error: "must be a host name or IP address" })
  .regex(
    /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?)$/,
    "must be a host name or IP address (an IPv6 address without brackets)",
  );

/** How a machine is logged in to over SSH. */
export const sshLogin = {
  address: hostName,
  port: port.default(22),
  user: z
    .string({ error: "must be the login name on the host" })
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "must be the login name on the host"),
  hostKey,
  /** File on the machine that runs Pulumi; left out, the SSH agent (SSH_AUTH_SOCK) is asked. */
  privateKeyFile: z.string({ error: "must be the path of a private key file" }).min(1, "must be a path").optional(),
};

const login = {
  ...sshLogin,
  /** Name of the secret configuration value that opens an encrypted private key: `sshPassphrase` is `harden-zot:sshPassphrase`. */
  passphraseKey: z
    .string({ error: "must be the name of a secret configuration value, such as sshPassphrase" })
    .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, "must be the name of a secret configuration value, such as sshPassphrase")
    .optional(),
};

const jump = section(login).superRefine(opensAKey);

/** Keys of zot's that move or hide images, or cut clients off, when the first hardening changes them. */
export const MOVING_KEYS = [
  "storage.rootDirectory",
  "storage.subPaths",
  "storage.storageDriver",
  "storage.cacheDriver",
  "storage.dedupe",
  "http.address",
  "http.port",
  "http.tls",
] as const;
export type MovingKey = (typeof MOVING_KEYS)[number];

const host = section({
  /**
   * What the stack calls this host. Under another name it is another host: the configuration from before would be put
   * back on the old one. So keep it when the address changes.
   */
  name: hostName.optional(),
  ...login,
  /** Host that the connection is led through; its address as the machine that runs Pulumi sees it. */
  jump: jump.optional(),
  zot: remotePath,
  configDirectory: remotePath,
  /** Where this host differs from `harden-zot:registry`. */
  listen: listen.optional(),
  rootDirectory: remotePath.optional(),
  service,
  /** Run the service manager (and nothing else) through `sudo -n`. */
  sudo: flag.default(false),
  /**
   * What the host is left with when it leaves the settings, or the stack is destroyed: the configuration from before the first
   * `up`, which is an open one as a rule, or one that anonymous clients go on reading by and nobody can push by.
   */
  farewell: oneOf("restore", "read-only").default("restore"),
  /** The owner that the host is knowingly taken over from, as the refusal names it. */
  takeOver: plainWord.optional(),
  /** What the first hardening may change although it moves or hides images or cuts clients off. */
  changes: listOf(oneOf(...MOVING_KEYS)).default([]),
}).superRefine(opensAKey);

/** A passphrase is one of a key file. */
function opensAKey({ privateKeyFile, passphraseKey }: LoginSettings, context: z.RefinementCtx): void {
  if (passphraseKey === undefined || privateKeyFile !== undefined) return;
  const message = "needs privateKeyFile, the key that this passphrase opens; the SSH agent holds its keys open";
  context.addIssue({ code: "custom", path: ["passphraseKey"], message });
}

const named = host.transform((entry) => ({
  ...entry,
  // Colons would end the name of a resource.
  name: entry.name ?? entry.address.replace(/[:%]+/g, "-").replace(/^-/, ""),
}));

/** `harden-zot:hosts`: where zot runs and how it is reached. Delivered one after the other, in this order. */
export const hostsSettings = listOf(named)
  .min(1, "must name at least one host")
  .refine((hosts) => new Set(hosts.map((entry) => entry.name)).size === hosts.length, {
    message: "must not name the same host twice; give hosts that share an address a name of their own",
  })
  .refine((hosts) => new Set(hosts.map(placeOf)).size === hosts.length, {
    message:
      "must not name one configDirectory of one machine twice: two entries there would undo each other's work; keep one of them",
  });

/** As far as the settings alone can tell; more is seen when the hosts are asked. */
function placeOf({ address, configDirectory, jump, port }: z.output<typeof named>): string {
  const seen = ({ address, port }: { address: string; port: number }) =>
    `${isLoopback(address) ? "loopback" : address.toLowerCase()}:${port}`;
  return [jump ? seen(jump) : "", seen({ address, port }), configDirectory.replace(/\/+/g, "/")].join(" ");
}

/** A machine to log in to: a registry host, or the host its connection is led through. */
export type LoginSettings = z.output<z.ZodObject<typeof login>>;
export type HostSettings = z.output<typeof named>;
export type Farewell = HostSettings["farewell"];
export type ServiceSettings = HostSettings["service"];
