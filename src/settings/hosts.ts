import { z } from "zod";
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
    'must be the host\'s ed25519 or ecdsa public key, "ssh-ed25519 AAAA...", from `ssh-keyscan -t ed25519 HOST` (without the host name)',
  );

const host = section({
  address: z
    .string({ error: "must be a host name or IP address" })
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, "must be a host name or IP address"),
  port: port.default(22),
  user: z
    .string({ error: "must be the login name on the host" })
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "must be the login name on the host"),
  hostKey,
  /** File on the machine that runs Pulumi; left out, the SSH agent (SSH_AUTH_SOCK) is asked. */
  privateKeyFile: z.string({ error: "must be the path of a private key file" }).min(1, "must be a path").optional(),
  zot: remotePath,
  configDirectory: remotePath,
  service,
  /** Run the service manager (and nothing else) through `sudo -n`. */
  sudo: flag.default(false),
});

/** `harden-zot:hosts`: where zot runs and how it is reached. Delivered one after the other, in this order. */
export const hostsSettings = listOf(host)
  .min(1, "must name at least one host")
  .refine((hosts) => new Set(hosts.map((entry) => `${entry.address}:${entry.port}`)).size === hosts.length, {
    message: "must not name the same address and port twice",
  });

export type HostSettings = z.output<typeof host>;
export type ServiceSettings = HostSettings["service"];
